# shellcheck shell=sh
# What is below the present directory, sorted: type, mode, owner, size, modification time, link count and target. Runs under
# busybox and GNU. What containers mount or make for themselves is left out.
keep() {
  find . -mindepth 1 \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./seen -o -path ./tmp -o -path ./etc/hosts \
    -o -path ./etc/hostname -o -path ./etc/resolv.conf \) -prune -o "$@"
}
{
  keep \( -type f -o -type l \) -exec stat -c '%n %f %u:%g %s %Y %h' {} +
  keep ! -type f ! -type l -exec stat -c '%n %f %u:%g %Y' {} +
  keep -type f -exec sh -c 'for f; do echo "$f = $(sha256sum <"$f")"; done' sh {} +
  keep -type l -exec sh -c 'for l; do echo "$l -> $(readlink "$l")"; done' sh {} +
} | LC_ALL=C sort
