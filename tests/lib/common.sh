# shellcheck shell=sh disable=SC2034,SC2119,SC2120 # the scripts that source this use what looks unused here
# What every integration test uses; sourced first:
#
#   . "$(dirname "$0")/../lib/common.sh"
#
# It gives TAP functions, a scratch directory $T (removed at the end, with what sub-ids own), a store $STORE in it, the
# program as $NACRE, and on demand a registry on loopback and base images. Started as root, the script runs again as a plain user.
#
# Environment: NACRE               the program; default: build/nacre of this checkout
#              NACRE_TESTS_MUST_RUN=1  what is missing fails instead of being skipped
#              NACRE_TESTS_KEEP=1      leave the scratch directory
#              NACRE_TESTS_CACHE       where the Debian base is kept between runs
set -u
LC_ALL=C.UTF-8
export LC_ALL
umask 022

TESTS=$(CDPATH='' cd -- "$(dirname "$0")/.." && pwd)
# What is below it is copied for another user.
[ -f "$TESTS/lib/common.sh" ] || {
  echo "$0 is in no folder of the tests" >&2
  exit 1
}
: "${NACRE:=${TESTS%/tests}/build/nacre}"
case $NACRE in
/*) ;;
*) NACRE=$PWD/$NACRE ;;
esac
export NACRE

# ---- as a plain user

if [ "$(id -u)" = 0 ]; then
  tap_script=$TESTS/$(basename "$(CDPATH='' cd -- "$(dirname "$0")" && pwd)")/${0##*/}
  if (cd / && sh "$TESTS/lib/as_user.sh" sh -c 'test -x "$1" && test -r "$2"' sh "$NACRE" "$tap_script"); then
    cd / || exit 1
    exec sh "$TESTS/lib/as_user.sh" sh "$tap_script" "$@"
  fi
  # The user cannot read the checkout: run from a copy.
  staged=$(mktemp -d /var/tmp/nacre-tests.XXXXXX)
  trap 'rm -rf "$staged"' EXIT
  mkdir "$staged/tests"
  cp -R "$TESTS/." "$staged/tests/"
  cp "$NACRE" "$staged/nacre"
  chmod -R a+rX "$staged"
  cd / || exit 1
  NACRE=$staged/nacre sh "$TESTS/lib/as_user.sh" sh "$staged/tests${tap_script#"$TESTS"}" "$@"
  exit
fi

# ---- TAP

tap_count=0
tap_failed=0

ok() {
  tap_count=$((tap_count + 1))
  echo "ok $tap_count - $*"
}

not_ok() {
  tap_count=$((tap_count + 1))
  tap_failed=$((tap_failed + 1))
  echo "not ok $tap_count - $*"
}

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

diag_file() { [ ! -f "$1" ] || tail -n "${2:-20}" "$1" | tr -d '\000\r' | sed 's/^/#   /'; }

# check DESCRIPTION COMMAND…: the command succeeds. Its output is shown when it does not.
check() {
  tap_what=$1
  shift
  if "$@" >"$T/check.log" 2>&1; then
    ok "$tap_what"
  else
    tap_status=$?
    not_ok "$tap_what"
    diag "exit status $tap_status of: $*"
    diag_file "$T/check.log"
    return 1
  fi
}

# is GOT WANTED DESCRIPTION
is() {
  if [ "$1" = "$2" ]; then
    ok "$3"
  else
    not_ok "$3"
    diag "got:    $1"
    diag "wanted: $2"
    return 1
  fi
}

isnt() {
  if [ "$1" != "$2" ]; then
    ok "$3"
  else
    not_ok "$3"
    diag "got what must not be: $1"
    return 1
  fi
}

# like FILE EXTENDED-REGEX DESCRIPTION: some line of the file matches
like() {
  if grep -Eq -e "$2" "$1"; then
    ok "$3"
  else
    not_ok "$3"
    diag "no line matches: $2"
    diag_file "$1"
    return 1
  fi
}

unlike() {
  if ! grep -Eq -e "$2" "$1"; then
    ok "$3"
  else
    not_ok "$3"
    diag "a line matches: $2"
    diag_file "$1"
    return 1
  fi
}

# same FILE FILE DESCRIPTION: equal bytes
same() {
  if cmp -s "$1" "$2"; then
    ok "$3"
  else
    not_ok "$3"
    diff -u "$1" "$2" | head -n 40 | sed 's/^/#   /'
    return 1
  fi
}

# What cannot run here is skipped, and a failure where everything must run.
skip() {
  if [ "${NACRE_TESTS_MUST_RUN:-0}" = 1 ]; then
    not_ok "$1 (must run here)"
    diag "${2:-}"
  else
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP ${2:-}"
  fi
}

skip_all() {
  if [ "${NACRE_TESTS_MUST_RUN:-0}" = 1 ]; then
    not_ok "$1 (must run here)"
    done_testing
  fi
  echo "1..0 # SKIP $1"
  exit 0
}

# need PROGRAM…: all of them or nothing of this script
need() {
  for tap_program; do
    command -v "$tap_program" >/dev/null 2>&1 || skip_all "$tap_program is not installed"
  done
}

# A test that cannot go on.
bail() {
  not_ok "$*"
  done_testing
}

done_testing() {
  echo "1..$tap_count"
  [ "$tap_failed" = 0 ]
  exit $?
}

# ---- scratch directory

# Lower case: podman takes the path of a layout for an image name.
T=/var/tmp/nacre-test.$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')
mkdir -m 700 "$T" || exit 1
STORE=$T/store
NACRE_STORE=$STORE
export T STORE NACRE_STORE
at_end=
at_end_remove=

remove_tree() {
  [ -e "$1" ] || return 0
  chmod -R u+rwX "$1" 2>/dev/null
  rm -rf "$1" 2>/dev/null || unshare --user --map-auto --map-root-user rm -rf "$1"
}

clean_up() {
  tap_exit=$?
  trap - EXIT INT TERM HUP PIPE
  for tap_pid in $at_end; do kill "$tap_pid" 2>/dev/null; done
  cd /
  if [ "${NACRE_TESTS_KEEP:-0}" = 1 ]; then
    echo "# kept: $T"
  else
    remove_tree "$T"
    [ -z "$at_end_remove" ] || remove_tree "$at_end_remove"
  fi
  exit "$tap_exit"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
trap 'exit 141' PIPE
cd "$T" || exit 1

# The program must not see what this user has configured.
HOME=$T/home
XDG_RUNTIME_DIR=$T/runtime
mkdir -p "$HOME" "$XDG_RUNTIME_DIR"
export HOME XDG_RUNTIME_DIR
unset XDG_DATA_HOME XDG_CONFIG_HOME DOCKER_CONFIG REGISTRY_AUTH_FILE SOURCE_DATE_EPOCH

[ -x "$NACRE" ] || bail "there is no program $NACRE: build it first, or set NACRE"

# ---- running the program

# nacre ARGUMENT…: output in $T/out, messages in $T/err, status in $status
nacre() {
  "$NACRE" "$@" >"$T/out" 2>"$T/err" </dev/null
  status=$?
  return $status
}

# builds DESCRIPTION ARGUMENT…: `nacre build` succeeds; $digest is what it printed
builds() {
  tap_what=$1
  shift
  if nacre build "$@"; then
    digest=$(head -n 1 "$T/out")
    ok "$tap_what"
  else
    digest=
    not_ok "$tap_what"
    diag "exit status $status of: nacre build $*"
    diag_file "$T/err" 30
    return 1
  fi
}

# refused STATUS REGEX DESCRIPTION ARGUMENT…: nacre fails with this exit status (a shell pattern) and a message that matches
refused() {
  tap_status=$1 tap_regex=$2 tap_what=$3
  shift 3
  nacre "$@"
  # shellcheck disable=SC2254
  case $status in
  $tap_status) grep -Eqi -e "$tap_regex" "$T/err" && ok "$tap_what" && return ;;
  esac
  not_ok "$tap_what"
  diag "exit status $status (wanted $tap_status); message must match: $tap_regex"
  diag_file "$T/err"
  return 1
}

# How many steps of the last build came from the cache
cached_steps() { grep -c 'CACHED' "$T/err"; }

# ---- waiting

# wait_for SECONDS COMMAND…: until it succeeds
wait_for() {
  tap_deadline=$(($(date +%s) + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt "$tap_deadline" ] || return 1
    sleep 0.1
  done
}

# descendants PID: the processes below it
descendants() {
  ps -e -o pid= -o ppid= | awk -v top="$1" '
    { parent[$1] = $2 }
    END { for (p in parent) for (q = parent[p]; q in parent && q != p; q = parent[q]) if (q == top) { print p; break } }'
}

# gone PID…: none runs any more; who waits to be reaped has let go of files and locks
gone() { ! ps -o stat= -p "$(echo "$*" | tr ' ' ,)" 2>/dev/null | grep -qv '^Z'; }

# kill_hard PID: SIGKILL for a child of this shell alone. Its own children die of that a moment later, and until then hold locks of
# the store: they are waited for.
kill_hard() {
  kill -STOP "$1"
  tap_family=$(descendants "$1")
  kill -9 "$1"
  wait "$1" 2>/dev/null
  # shellcheck disable=SC2086
  wait_for 10 gone $tap_family
}

# free_port [WANTED]: that one if nobody has it, else any.
port_is_free() {
  python3 -c 'import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))' "$1" 2>/dev/null
}

free_port() {
  python3 -c '
import socket, sys
for port in (int(sys.argv[1]), 0):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        s.bind(("127.0.0.1", port))
    except OSError:
        continue
    print(s.getsockname()[1])
    break
' "${1:-0}"
}

# ---- a registry on loopback

# start_registry [plain|tls|auth [PORT]]: $REGISTRY is its address, $registry_dir its files. tls: a certificate in $registry_dir/ca.crt;
# auth: TLS-less basic authentication for user "me", password "secret".
start_registry() {
  need docker-registry
  registry_dir=$T/registry-${1:-plain}
  registry_port=$(free_port "${REGISTRY_PORT:-0}")
  REGISTRY=127.0.0.1:$registry_port
  mkdir -p "$registry_dir/data"
  {
    echo 'version: 0.1'
    echo 'log: {level: error, accesslog: {disabled: true}}'
    echo "storage: {filesystem: {rootdirectory: $registry_dir/data}, delete: {enabled: true}}"
    case ${1:-plain} in
    plain) echo "http: {addr: '$REGISTRY'}" ;;
    tls)
      openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost \
        -keyout "$registry_dir/key" -out "$registry_dir/ca.crt" 2>/dev/null
      echo "http: {addr: '$REGISTRY', tls: {certificate: $registry_dir/ca.crt, key: $registry_dir/key}}"
      ;;
    auth)
      htpasswd -Bbn me secret >"$registry_dir/users"
      echo "http: {addr: '$REGISTRY'}"
      echo "auth: {htpasswd: {realm: test, path: $registry_dir/users}}"
      ;;
    esac
  } >"$registry_dir/config.yml"
  OTEL_TRACES_EXPORTER=none docker-registry serve "$registry_dir/config.yml" >"$registry_dir/log" 2>&1 &
  registry_pid=$!
  at_end="$at_end $registry_pid"
  case ${1:-plain} in
  tls) tap_url=https://$REGISTRY/v2/ ;;
  *) tap_url=http://$REGISTRY/v2/ ;;
  esac
  # Any HTTP answer means that it listens; the auth variant answers 401.
  wait_for 20 curl -sk -o /dev/null "$tap_url" || {
    diag_file "$registry_dir/log"
    bail "the registry does not start"
  }
}

stop_registry() {
  kill "$registry_pid" 2>/dev/null
  wait "$registry_pid" 2>/dev/null
}

# push LAYOUT[:TAG] NAME[:TAG]: to $REGISTRY with skopeo
push() {
  skopeo copy -q --insecure-policy --dest-tls-verify=false "oci:$1" "docker://$REGISTRY/$2" >"$T/push.log" 2>&1 || {
    diag_file "$T/push.log"
    bail "cannot push $2"
  }
}

# ---- base images

# busybox_layout DIR: an image "busybox" around the static busybox of this machine, with a few users
busybox_layout() {
  need busybox python3
  python3 "$TESTS/lib/image.py" busybox "$(command -v busybox)" "$1"
}

# debian_layout: $DEBIAN_LAYOUT is a layout with a minimal Debian like this machine's, made once and kept in a cache
debian_layout() {
  need mmdebstrap python3 flock
  DEBIAN_LAYOUT=$(sh "$TESTS/lib/debian_image.sh") || bail "cannot make a Debian base image"
}

# debian_registry: a registry that has 127.0.0.1:PORT/debian:latest
debian_registry() {
  debian_layout
  start_registry
  push "$DEBIAN_LAYOUT:latest" debian:latest
}

busybox_registry() {
  start_registry
  busybox_layout "$T/busybox"
  push "$T/busybox:latest" busybox:latest
}

# ---- Dockerfiles on standard input

# dockerfile: what is on standard input becomes context/Dockerfile; BASE stands for the busybox of busybox_registry
dockerfile() {
  mkdir -p context
  sed "s|BASE|$REGISTRY/busybox|g" >context/Dockerfile
}

# proves DESCRIPTION [OPTION…]: that Dockerfile builds; its RUN commands look at what they see
proves() {
  dockerfile
  builds "$@" context
}

# stops STATUS REGEX DESCRIPTION [OPTION…]: that Dockerfile is refused
stops() {
  dockerfile
  tap_status=$1 tap_regex=$2 tap_what=$3
  shift 3
  refused "$tap_status" "$tap_regex" "$tap_what" build "$@" context
}
