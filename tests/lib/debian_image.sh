#!/bin/sh
# Prints the path of an OCI layout (tag "latest") that holds a minimal Debian of this machine's release, with its apt sources.
# Made with mmdebstrap on first need, kept in $NACRE_TESTS_CACHE, made again each month. Runs as root or as a plain user.
set -eu
here=$(CDPATH='' cd -- "$(dirname "$0")" && pwd)
cache=${NACRE_TESTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nacre-tests}
mkdir -p "$cache" 2>/dev/null || cache=/var/tmp/nacre-tests-$(id -u)
mkdir -p "$cache"

# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")

# The distribution's own lists, not those of other vendors.
set --
for list in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list.d/ubuntu.sources; do
  if [ -r "$list" ] && grep -Eq '^(deb|Types:)' "$list"; then set -- "$@" "$list"; fi
done
[ $# -gt 0 ] || { echo "debian_image.sh: no apt sources found" >&2; exit 1; }

# How this machine reaches its mirror: a proxy, or a snapshot whose Release file is old.
options=$(apt-config dump Acquire::http::Proxy Acquire::https::Proxy Acquire::Check-Valid-Until Acquire::Check-Date |
  grep -E '^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date) "[^"]' || true)

key=$({ cat "$@" "$0" "$here/image.py"; echo "$suite $options"; date +%Y-%m; } | sha256sum | cut -c1-16)
layout=$cache/debian-$key

(
  flock 9
  if [ ! -f "$layout/index.json" ]; then
    rm -rf "$cache"/debian-*
    work=$(mktemp -d "$cache/making.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    while IFS= read -r option; do
      [ -z "$option" ] || set -- "$@" "--aptopt=$option"
    done <<EOF
$options
EOF
    # In its user namespace mmdebstrap is not us: its directory must be below one that all may enter.
    TMPDIR=/var/tmp HOME=/var/tmp mmdebstrap --quiet --variant=minbase --format=tar "$suite" - "$@" </dev/null >"$work/root.tar"
    python3 "$here/image.py" tar "$work/root.tar" "$work/layout"
    mv "$work/layout" "$layout"
  fi
) 9>"$cache/lock" >&2
echo "$layout"
