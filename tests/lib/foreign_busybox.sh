#!/bin/sh
# Prints the path of Debian's static busybox for another architecture. Fetched on first need, kept in $NACRE_TESTS_CACHE.
#
#   sh tests/lib/foreign_busybox.sh ARCHITECTURE      as dpkg calls it
set -eu
arch=$1
cache=${NACRE_TESTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nacre-tests}
mkdir -p "$cache" 2>/dev/null || cache=/var/tmp/nacre-tests-$(id -u)
mkdir -p "$cache"
program=$cache/busybox-$arch

(
  flock 9
  if [ ! -x "$program" ]; then
    work=$(mktemp -d "$cache/fetching.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    # Lists and packages of its own: nothing of this machine's apt is touched, and none of it is installed.
    mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
    : >"$work/status"
    cat >"$work/apt.conf" <<E
Dir::State "$work/state";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
E
    cd "$work"
    APT_CONFIG=$work/apt.conf apt-get -q update
    APT_CONFIG=$work/apt.conf apt-get -q download busybox-static
    dpkg-deb -x ./*.deb tree
    mv "$(find tree -path '*bin/busybox')" "$program"
  fi
) 9>"$cache/busybox.lock" >&2
echo "$program"
