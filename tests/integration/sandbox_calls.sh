#!/bin/sh
# One command in a sandbox while a system call of its set-up or end fails: no hang, no success, and a message that names the object.
# strace makes them fail; a tracer takes newuidmap's privileges away, so this runs as the root of a user namespace with sub-ids.
. "$(dirname "$0")/../lib/common.sh"
need busybox strace unshare
: "${SANDBOX_TRY:=$(dirname "$NACRE")/tests/sandbox_try}"
[ -x "$SANDBOX_TRY" ] || skip_all "there is no $SANDBOX_TRY"
unshare --user --map-auto --map-root-user --pid --fork --mount-proc strace -qq -o /dev/null true 2>/dev/null ||
  skip_all "strace cannot run in a user and pid namespace here"

root=$T/root
mkdir -p "$root/bin" "$root/etc" "$root/srv"
cp "$(command -v busybox)" "$root/bin/sh"

# traced STRACE-OPTION… : the command, with a stub as mount point in /etc and one with directories in /srv
traced() {
  remove_tree "$T/step"
  mkdir "$T/step"
  timeout 20 unshare --user --map-auto --map-root-user --pid --fork --kill-child --mount-proc \
    strace -f -qq -o "$T/trace" "$@" "$SANDBOX_TRY" -l "$root" -F /etc/hosts=x -M /srv/a/b "$T/step" sh -c "${command:-:}" \
    >"$T/out" 2>"$T/err" </dev/null
  status=$?
}

# meets CALL ERRNO REGEX: the first CALL of an undisturbed run that matches fails; it is the n-th one of its process
meets() {
  traced -e "trace=$1"
  tap_nth=$(awk -v call="$1(" -v regex="$3" '
    index($0, call) { n[$1]++; if ($0 ~ regex) { print n[$1]; exit } }' "$T/trace")
  traced -e "trace=$1" "--inject=$1:error=$2:when=${tap_nth:-0}"
  grep -Eq -e "$3.*$2.*INJECTED" "$T/trace" || {
    diag "no call was disturbed: $1, $3"
    status=none
  }
}

# tells CALL ERRNO REGEX MESSAGE: the sandbox fails with it
tells() {
  meets "$1" "$2" "$3"
  is "$status" 125 "$1 $2: the step fails"
  like "$T/err" "^sandbox_try: $4\$" "$1 $2: it says $4"
}

traced -e trace=none
is "$status $(cd "$T/step/upper" && find . -type f -o -name a)" "0 " "undisturbed: no stub stays" || diag_file "$T/err"

tells unlinkat EIO '"hosts", 0' 'remove the mount point /etc/hosts: Input/output error'
tells unlinkat EROFS '"b", AT_REMOVEDIR' 'remove the mount point /srv/a/b: Read-only file system'
command='mv /srv/a /srv/c && mkdir /srv/a && touch /srv/a/mine'
traced -e trace=none
is "$status $(cd "$T/step/upper" && find srv | sort | tr '\n' ' ')" "0 srv srv/a srv/a/mine srv/c " \
  "what the command put in their place stays" || diag_file "$T/err"
command=
tells utimensat EIO '"\."' 'restore the times of /(etc|srv)?: Input/output error'

meets write EINTR '"0 0 1'
is "$status" 0 "write EINTR: an id map is written again" || diag_file "$T/err"
tells write EIO '"0 0 1' 'write the id map /proc/[0-9]+/[ug]id_map: Input/output error'

tells sendto ENOMEM '"m", 1' 'send to the other process of a step: Cannot allocate memory'
tells openat EMFILE '/etc/passwd' 'open /etc/passwd: Too many open files'
tells openat EIO '/etc/subuid' 'open /etc/subuid: Input/output error'
tells signalfd4 EMFILE '' 'watch for signals to a step: Too many open files'
done_testing
