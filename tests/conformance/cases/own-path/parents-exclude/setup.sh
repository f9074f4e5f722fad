set -e
mkdir -p a/skip a/sub b; for f in a/f a/skip/s a/sub/k a/sub/l a/z.o b/x.o b/y; do echo $f > $f; done
