set -e
mkdir real; echo f > real/f; ln -s real link
