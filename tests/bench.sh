#!/bin/sh
# Speed, as one table of goals and figures, of the program in build/ (made on first need) or $NACRE:
#
#   sh tests/bench.sh [--apt] [OPTION of bench/table.py…]
#
# --apt  also apt-install, in a Debian made with mmdebstrap; it downloads
#
# Started as root it measures as a plain user, in a mount namespace of its own: with a journaled ext4 on a file where the disk's
# ext4 has no journal, and with cgroup2 where buildah's crun needs it. Full sizes take ten minutes, 25 GB of disk and a quiet
# machine; --quick ten seconds. tests/bench/README.md has the rest, and what bench.py alone can do.
set -eu
here=$(CDPATH='' cd -- "$(dirname "$0")" && pwd)
top=${here%/tests}
nacre=${NACRE:-$top/build/nacre}
if [ -z "${NACRE-}" ] && [ ! -x "$nacre" ]; then
  sh "$here/lib/install.sh" >&2
  [ -f "$top/build/build.ninja" ] || meson setup "$top/build" "$top" | tail -n 15 >&2
  ninja -C "$top/build" nacre | tail -n 1 >&2
fi
if [ "$(id -u)" = 0 ] && [ -z "${NACRE_BENCH_MOUNTS-}" ]; then
  NACRE_BENCH_MOUNTS=own exec unshare --mount sh "$0" "$@"
fi

as_user() { sh "$here/lib/as_user.sh" "$@"; }

# journaled DIRECTORY: anything but an ext4 without a journal, where making a file is slow for minutes after deletions
journaled() {
  [ "$(stat -f -c %T "$1")" = ext2/ext3 ] || return 0
  device=$(findmnt -n -o MAJ:MIN -T "$1" | tr -d ' ')
  set -- /proc/fs/jbd2/"$(basename "$(realpath "/sys/dev/block/$device")")"-*
  [ -e "$1" ]
}

place=$(mktemp -d /var/tmp/nacre-bench.XXXXXX)
work=$place
clean_up() {
  as_user unshare --map-auto --map-root-user sh -c 'rm -rf "$1"/*' sh "$work" || :
  mountpoint -q "$place/disk" && umount "$place/disk"
  rm -rf "$place"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
chmod 1777 "$place"
if [ "$(id -u)" = 0 ]; then
  [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || mount -t cgroup2 none /sys/fs/cgroup || :
  if ! journaled "$place"; then
    work=$place/disk
    mkdir "$work"
    truncate -s 40G "$place/image"
    mkfs.ext4 -q "$place/image"
    mount -o loop "$place/image" "$work"
    rmdir "$work/lost+found"
    chmod 1777 "$work"
  fi
fi

tar -ch -C "$here" bench lib -C "$(dirname "$nacre")" "$(basename "$nacre")" | as_user tar -x --no-same-permissions -C "$work"
apt=
for option; do
  shift
  if [ "$option" = --apt ]; then apt=yes; else set -- "$@" "$option"; fi
done
[ -z "$apt" ] || set -- --apt "$(as_user sh "$work/lib/debian_image.sh")" "$@"
as_user env TMPDIR="$work" python3 "$work/bench/table.py" --nacre "$work/$(basename "$nacre")" --work "$work/work" "$@"
