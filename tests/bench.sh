#!/bin/sh
# Speed beside Debian's buildah, as a plain user:  sh tests/bench.sh [OPTION OF bench.py…]
#
# Without options: the workloads noop and run-overhead, 9 repetitions. tests/bench/README.md has the rest.
set -eu
here=$(CDPATH='' cd -- "$(dirname "$0")" && pwd)
nacre=${NACRE:-${here%/tests}/build/nacre}
[ -x "$nacre" ] || {
  echo "bench.sh: there is no $nacre; build it first" >&2
  exit 1
}
# buildah's crun refuses a machine with cgroups of both versions; with cgroup2 mounted over them it works.
if [ "$(id -u)" = 0 ] && [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
  exec unshare --mount sh -c 'mount -t cgroup2 none /sys/fs/cgroup && exec "$@"' sh sh "$0" "$@"
fi
[ $# -gt 0 ] || set -- -w noop,run-overhead -n 9
work=$(sh "$here/lib/as_user.sh" mktemp -d /var/tmp/nacre-bench.XXXXXX)
trap 'sh "$here/lib/as_user.sh" unshare --map-auto --map-root-user rm -rf "$work"' EXIT
tar -ch -C "$here" bench -C "$(dirname "$nacre")" "$(basename "$nacre")" |
  sh "$here/lib/as_user.sh" tar -x --no-same-permissions -C "$work"
builders='-b nacre'
if command -v buildah >/dev/null; then builders="$builders -b buildah"; fi
# shellcheck disable=SC2086
sh "$here/lib/as_user.sh" env TMPDIR="$work" python3 "$work/bench/bench.py" $builders --bin nacre="$work/$(basename "$nacre")" \
  --work "$work/work" "$@"
