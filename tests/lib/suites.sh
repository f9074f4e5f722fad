#!/bin/sh
# The part of tests/run.sh that runs as a plain user, in a checkout this user can write to:  suites.sh "SUITE…"
set -u
top=$(CDPATH='' cd -- "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1
logs=
broken=

# configure DIR OPTION…
configure() {
  dir=$1
  shift
  if [ -f "$dir/build.ninja" ]; then
    meson configure "$dir" "$@" >/dev/null
  else
    meson setup "$dir" "$@" >"$top/setup.log" 2>&1 || {
      cat "$top/setup.log"
      return 1
    }
    rm -f "$top/setup.log"
  fi
}

# compile DIR
compile() {
  ninja -C "$1" >"$1/compile.log" 2>&1 || {
    tail -n 60 "$1/compile.log"
    echo "$1 does not build"
    return 1
  }
}

# suite DIR NAME [COMMAND…]: under the command, if any; keeps going, counts at the end
suite() {
  build=$1 suite=$2
  shift 2
  log=log-$suite${1:+-$(basename "$1")}
  printf '\n--- %s (%s)\n' "$suite${*:+, $*}" "$build"
  if [ -z "$(meson test -C "$build" --no-rebuild --list --suite "$suite" 2>/dev/null)" ]; then
    echo "no tests"
    return
  fi
  "$@" meson test -C "$build" --no-rebuild --suite "$suite" --logbase "$log" --print-errorlogs 2>&1 |
    grep --line-buffered -v -e '^ninja:' -e '^Full log written' -e '^$' -e ': *0 *$'
  logs="$logs $build/meson-logs/$log.json"
}

started=$(date +%s)
plain=no
for name in $1; do
  case $name in
  sanitizers)
    if CC=clang configure build-san -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debug &&
      compile build-san; then
      suite build-san unit
      suite build-san fuzz
    else
      broken="$broken build-san"
    fi
    ;;
  *)
    if [ $plain = no ]; then
      configure build -Dwerror=true || exit 1
      compile build || exit 1
      plain=yes
    fi
    suite build "$name"
    # What needs to change owners is tested as root of a user namespace.
    [ "$name" != unit ] || suite build unit unshare --map-auto --map-root-user
    ;;
  esac
done

printf '\n--- in %s s\n' "$(($(date +%s) - started))"
# shellcheck disable=SC2086
python3 tests/lib/tally.py $logs $broken
