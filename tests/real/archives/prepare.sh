# shellcheck shell=sh
umask 022
mkdir -p tree/sub/empty
echo run >tree/run
echo data >tree/sub/data
ln -s sub/data tree/link
ln tree/run tree/hard
mkfifo tree/pipe
chmod 755 tree/run
chmod 4711 tree/sub/data
chmod 1777 tree/sub/empty
find tree -exec touch -h -d '2019-01-02 03:04:05 UTC' {} +
pack() { tar --format="$1" --sort=name --owner=12 --group=34 --numeric-owner -cf "$2" tree; }
pack gnu plain.tar
echo more >tree/sub/more
pack pax one.tar
gzip -n one.tar
pack ustar two.tar
bzip2 two.tar
pack gnu three.tar
xz three.tar
pack pax zst.tar
zstd -q --rm zst.tar
pack gnu owned.tar
gzip -n owned.tar
rm -rf tree
echo text | gzip -n >not-an-archive.gz
