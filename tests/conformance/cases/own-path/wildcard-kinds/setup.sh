set -e
mkdir x1 x1/in1 y; echo 1 > x1/in1/f; echo 2 > x2; ln -s x1 x3; ln -s y xlink; echo y > y/iny; ln -s x2 x4
