set -e
mkdir -p x/in y/in z; echo 1 > x/in/a.c; echo 2 > y/in/b.c; echo 3 > z/c.c; echo 4 > file; echo 5 > other
