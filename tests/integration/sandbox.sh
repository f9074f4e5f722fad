#!/bin/sh
# One command in a sandbox, as a plain user: what it sees, what it may do, how it ends, and that nothing of it stays.
# The names in brackets are tests of the threat list.
. "$(dirname "$0")/../lib/common.sh"
need busybox unshare
: "${SANDBOX_TRY:=$(dirname "$NACRE")/tests/sandbox_try}"
[ -x "$SANDBOX_TRY" ] || skip_all "there is no $SANDBOX_TRY"

# ---- a root made of busybox

root=$T/root
for dir in bin etc root tmp proc dev sys srv home/app; do mkdir -p "$root/$dir"; done
cp "$(command -v busybox)" "$root/bin/busybox"
for applet in $(busybox --list); do
  case $applet in
  busybox | */*) ;;
  *) ln -s busybox "$root/bin/$applet" ;;
  esac
done
cat >"$root/etc/passwd" <<'EOF'
root:x:0:0:root:/root:/bin/sh
app:x:1000:1000:app user:/home/app:/bin/sh
EOF
cat >"$root/etc/group" <<'EOF'
root:x:0:
app:x:1000:
staff:x:50:app
www:x:2000:
EOF
chmod 1777 "$root/tmp"
touch -d @1500000000 "$root/etc" "$root/srv" "$root"

# try OPTIONS… -- COMMAND…: in a fresh upper; output in $T/out, messages in $T/err, status in $status
try() {
  tap_layers="-l $root"
  try_in "$@"
}
try_in() {
  tap_options=
  while [ "$1" != -- ]; do
    tap_options="$tap_options $1"
    shift
  done
  shift
  remove_tree "$T/step"
  mkdir "$T/step"
  # shellcheck disable=SC2086
  "$SANDBOX_TRY" $tap_options $tap_layers "$T/step" "$@" >"$T/out" 2>"$T/err" </dev/null
  status=$?
}
# sees WANTED DESCRIPTION OPTIONS… -- COMMAND…: what the command prints
sees() {
  tap_wanted=$1 tap_what=$2
  shift 2
  try "$@"
  is "$(cat "$T/out")" "$tap_wanted" "$tap_what" || diag_file "$T/err"
}
# The layer: what the upper directory holds, without the directory itself
layer() { (cd "$T/step/upper" && find . -mindepth 1 | LC_ALL=C sort | tr '\n' ' '); }
mtime() { stat -c %Y "$1"; }

try -- true
[ "$status" = 0 ] || {
  diag_file "$T/err"
  skip_all "no sandbox can be started here"
}

# ---- what the command sees

sees "buildkitsandbox" "host name" -- hostname
sees "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=/root" "environment: what was given and HOME [T-D5]" -- /bin/busybox env
sees "/home/app" "HOME is the user's" -U app -- sh -c 'echo $HOME'
sees "0 0 0" "root by default [T-D4]" -- sh -c 'echo $(id -u) $(id -g) $(id -G)'
sees "1000 1000 1000 50" "a name brings its groups" -U app -- sh -c 'echo $(id -u) $(id -g) $(id -G)'
sees "1000 2000 2000" "user:group brings no others" -U app:www -- sh -c 'echo $(id -u) $(id -g) $(id -G)'
sees "1234 4321 4321" "numbers as they are" -U 1234:4321 -- sh -c 'echo $(id -u) $(id -g) $(id -G)'
sees "0022" "umask" -- sh -c umask
sees "/" "working directory" -- pwd
sees "0 1 2 3" "only 0, 1, 2 are open, and what ls opens itself [T-D1]" -- sh -c 'echo $(ls /proc/self/fd)'
none=0000000000000000 usual=00000000a80425fb
sees "$none $usual $usual $usual $none" "capabilities of root [T-D4]" \
  -- sh -c 'echo $(sed -n "s/^Cap.*:.//p" /proc/self/status)'
sees "$none $none $none $usual $none" "capabilities of a user [T-D4]" \
  -U app -- sh -c 'echo $(sed -n "s/^Cap.*:.//p" /proc/self/status)'
sees "NoNewPrivs: 0 Seccomp: 2" "filtered, and setuid programs work" \
  -- sh -c 'echo $(sed -n "s/^\(NoNewPrivs\|Seccomp\):/&/p" /proc/self/status)'
sees "Seccomp: 0" "insecure: no filter" -i -- sh -c 'echo $(grep ^Seccomp: /proc/self/status)'
mkdir -p "$T/setuid/bin" "$T/setuid/etc"
cp "$root/bin/busybox" "$T/setuid/bin/su"
chmod 4755 "$T/setuid/bin/su"
echo root::0:0:root:/root:/bin/sh >"$T/setuid/etc/passwd"
sees "0" "a setuid program gains root" -l "$T/setuid" -U 1000 -- su -c 'id -u'
sees "SigBlk: $none SigIgn: $none" "no signal is blocked or ignored" \
  -- sh -c 'echo $(grep -E "Sig(Blk|Ign)" /proc/self/status)'
sees "1024" "the soft limit on files" -- sh -c 'ulimit -n'
sees "" "standard input is empty" -- cat
sees "no terminal" "there is no terminal" -- sh -c 'test -t 0 || true 2>/dev/null </dev/tty || echo no terminal'

# ---- /proc, /dev, /sys

sees "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero" "/dev" \
  -- sh -c 'echo $(ls /dev)'
sees "ok" "devices work" \
  -- sh -c 'echo x >/dev/null && head -c 1 /dev/zero >/dev/null && head -c 1 /dev/urandom >/dev/null && echo ok'
sees "ok" "shared memory can be written by all" -U app -- sh -c 'echo x >/dev/shm/f && echo ok'
sees "1 2" "only its own processes [T-D9]" -- sh -c 'echo $(ls /proc | grep "^[0-9]" | head -n 2)'
try -- sh -c 'cat /proc/1/cmdline /proc/1/comm'
unlike "$T/out" 'sandbox_try|step' "the builder's command line is hidden"
try -- sh -c 'cat /proc/1/environ /proc/1/maps; ls /proc/1/fd; ls /proc/1/root/'
is "$(cat "$T/out")" "" "the builder's memory and files are out of reach [T-D5]"
try -i -- sh -c 'cat /proc/1/environ /proc/1/maps; ls /proc/1/fd; ls /proc/1/root/'
is "$(cat "$T/out")" "" "with all capabilities too"
for file in sys/kernel/core_pattern sys/vm/swappiness sysrq-trigger irq/default_smp_affinity; do
  try -- sh -c "echo 1 >/proc/$file"
  is "$status" 1 "/proc/$file cannot be written [T-D2]"
done
sees "0" "masked files are empty" -- sh -c 'cat /proc/keys /proc/timer_list /proc/interrupts | wc -c'
try -- sh -c 'mkdir /sys/x || mkdir /sys/fs/cgroup/x || mkdir /sys/fs/cgroup/unified/x || echo refused'
is "$(cat "$T/out")" refused "/sys is read-only [T-D8]"
sees "lo" "network none has loopback only" -n -- sh -c 'ls /sys/class/net | tr "\n" " " | sed "s/ $//"'
sees "1 packets" "and it is up" -n -- sh -c 'ping -c 1 -W 2 127.0.0.1 | grep -o "1 packets" | head -n 1'

# ---- what it may not do

for call in 'mount -t tmpfs none /tmp' 'umount /proc' 'unshare -U true' 'unshare -m true' 'chroot /proc/1/root true' \
  'mknod /tmp/sda b 8 0' 'hostname x' 'swapon /tmp' 'mount -o remount,rw /sys' 'insmod /bin/busybox'; do
  try -- sh -c "$call"
  isnt "$status" 0 "refused: $call"
done
try -- sh -c 'kill -9 1; kill -9 -1; echo alive; sleep 0.1; echo still'
is "$(cat "$T/out")" "alive
still" "process 1 is not to be killed from inside [T-D9]"

# ---- the layer

try -- true
is "$(layer)" "" "nothing changed: an empty layer"
is "$(mtime "$T/step/upper")" "$(mtime "$T/step/upper")" "and the root's time"
try -F /etc/hosts=a -F /etc/resolv.conf=b -F /run/secrets/a/b=c -M /cache/deep/down -- \
  sh -c 'cat /etc/hosts /etc/resolv.conf /run/secrets/a/b; stat -c %Y /etc'
is "$(cat "$T/out")" "abc1500000000" "files and mounts are there, and /etc has its time"
is "$(layer)" "" "their mount points leave nothing [RUN-09]"
try -F /etc/hosts=a -- touch /etc/new
is "$(layer)" "./etc ./etc/new " "a change beside a stub stays"
isnt "$(mtime "$T/step/upper/etc")" 1500000000 "with its time"
try -F /etc/hosts=a -- sh -c 'mkdir /etc/d && rmdir /etc/d'
is "$(layer)" "./etc " "a directory that was changed and changed back is a change"
isnt "$(mtime "$T/step/upper/etc")" 1500000000 "of its time"
try -F /etc/hosts=a -- chmod 700 /etc
is "$(layer) $(stat -c '%a %Y' "$T/step/upper/etc")" "./etc  700 1500000000" "a mode is kept, the time too"
try -M /cache/deep -- sh -c 'echo x >/cache/deep/f; echo y >/cache/kept'
is "$(layer)" "./cache ./cache/kept " "a stub's parent that came into use stays"
try -M /a/b/c -- sh -c 'mv /a /z; ln -s /canary /a; mkdir -p /canary/b/c'
is "$(layer)" "./a ./canary ./canary/b ./canary/b/c ./z " "stubs are known by identity, not by path [T-C5]"
try -F /etc/hosts=a -- sh -c 'rm -f /etc/hosts; rm -rf /etc; test -f /etc/hosts && echo there'
is "$(cat "$T/out")" there "a mount point cannot be removed"
try -C /work/a/b -U app -- sh -c 'pwd; stat -c "%u:%g %a" . ..; touch f'
is "$(cat "$T/out")" "/work/a/b
1000:1000 755
1000:1000 755" "the working directory is made for the user [RUN-03]"
is "$(layer)" "./work ./work/a ./work/a/b ./work/a/b/f " "and stays in the layer"
tap_layers=-s
try_in -- /bin/true
is "$(layer)" "./dev ./proc ./sys " "from nothing: what is left are the places of our mounts"
like "$T/err" 'exec: "/bin/true": stat /bin/true: no such file or directory' "and a command that is not there"

# ---- mounts

mkdir "$T/bound" "$T/tree"
echo bound >"$T/bound/f"
echo tree >"$T/tree/f"
try -B /b="$T/bound" -T /t="$T/tree" -M /m -- \
  sh -c 'cat /b/f /t/f; echo new >/b/g; echo new >/t/g; echo x >/t/f; cat /t/f; ls /m'
is "$(cat "$T/out")" "bound
tree
x" "bind, tree and tmpfs are mounted"
is "$(cat "$T/bound/g")" new "a bind is written through"
is "$(ls "$T/tree") $(cat "$T/tree/f")" "f tree" "what is written to a tree is thrown away [T-C6]"
is "$(layer)" "" "and nothing of it is in the layer"
try -R /b="$T/bound" -- sh -c 'echo y >/b/h'
is "$status" 1 "a read-only bind cannot be written"
for target in / /proc /proc/self /dev /sys /proc/sys/kernel; do
  try -M "$target" -- true
  is "$status" 125 "nothing can be mounted on $target [T-C7]"
done
sees "ok" "but below /dev" -M /dev/shm/x -- sh -c 'test -d /dev/shm/x && echo ok'

# ---- images that want out [T-D2, T-D3]

canary=$T/canary
mkdir -p "$canary/dir"
echo canary >"$canary/file"
touch -d @1400000000 "$canary/dir" "$canary/file" "$canary"
canary_state() { (cd "$canary" && find . -printf '%p %y %m %U %G %s %T@\n' && cat file) | LC_ALL=C sort; }
canary_state >"$T/canary.before"
count=0
for name in dev dev/null dev/pts dev/shm dev/console proc proc/self sys sys/fs etc etc/hosts etc/resolv.conf \
  etc/passwd run tmp; do
  for kind in "$canary/dir" "$canary/file" ../../../../../../../.."$canary/dir" /proc/1/root"$canary/dir" file fifo; do
    hostile=$T/hostile
    remove_tree "$hostile"
    mkdir "$hostile"
    mkdir -p "$hostile/$(dirname "$name")"
    case $kind in
    file) echo text >"$hostile/$name" ;;
    fifo) mkfifo "$hostile/$name" ;;
    *) ln -s "$kind" "$hostile/$name" ;;
    esac
    remove_tree "$T/step"
    mkdir "$T/step"
    # The hostile layer hides nothing but what it has: it lies on the root, without the name in question.
    remove_tree "$T/below"
    cp -al "$root" "$T/below"
    rm -rf "$T/below/${name:?}"
    timeout 30 "$SANDBOX_TRY" -l "$hostile" -l "$T/below" -F /etc/hosts=x -F /etc/resolv.conf=y -M /tmp/m -C /run/w \
      -U app "$T/step" sh -c 'echo x >/dev/shm/f; echo y >/tmp/f; echo z >/run/f; echo w >/etc/f' \
      >"$T/out" 2>"$T/err" </dev/null
    [ $? -lt 124 ] || [ -s "$T/err" ] || {
      not_ok "/$name -> $kind hangs or crashes"
      continue
    }
    canary_state >"$T/canary.after"
    cmp -s "$T/canary.before" "$T/canary.after" || {
      not_ok "/$name -> $kind changed the canary"
      break 2
    }
    count=$((count + 1))
  done
done
is "$count" 90 "hostile images leave what is outside alone"
same "$T/canary.before" "$T/canary.after" "the canary is unchanged"
leaks=0
for fd in 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
  # What /proc says of our own descriptors is followed as text inside the root, never as the descriptor.
  try -C "/proc/self/fd/$fd" -- sh -c 'readlink /proc/self/cwd; ls ../../../../../../..'
  grep -Eq '^(/var|root|home/|\(unreachable)' "$T/out" && [ "$(head -c 5 "$T/out")" != /proc ] && leaks=$((leaks + 1))
done
is "$leaks" 0 "a working directory in /proc/self/fd leads nowhere [T-D1]"

# ---- how it ends

try -- sh -c 'exit 77'
is "$status" 77 "exit status"
try -- sh -c 'kill -9 $$'
is "$status $(cat "$T/err")" "137 killed by signal SIGKILL" "a signal"
try -- sh -c 'kill -SEGV $$'
is "$status $(cat "$T/err")" "139 killed by signal SIGSEGV" "another signal"
try -- /no/such
is "$status" 127 "not there"
try -- /etc/passwd
is "$status $(cat "$T/err")" '126 sandbox_try: exec: "/etc/passwd": permission denied' "not executable"
try -- sh -c 'printf "#!/no/interpreter\n" >/tmp/s; printf "no format" >/tmp/n; chmod +x /tmp/s /tmp/n'
try -U nosuch -- true
like "$T/err" 'unable to find user nosuch' "no such user"
try -- sh -c 'for i in 1 2 3 4 5 6 7 8 9; do (sleep 0 &) ; done; sleep 0.2; cat /proc/[0-9]*/stat | grep -c ") Z "'
is "$(cat "$T/out")" 0 "zombies are reaped [R2]"

start=$(date +%s)
try -- sh -c "(setsid sleep 1000 &); sleep 1000 & nohup sleep 1000 >/dev/null 2>&1 & trap '' TERM HUP INT; echo started"
is "$(cat "$T/out")" started "background processes do not hold it up"
check "the step ends with its command" [ $(($(date +%s) - start)) -lt 10 ]
is "$(pgrep -u "$(id -u)" -fc 'sleep 1000')" 0 "daemons are gone with it"

# ---- signals

# during SIGNAL COMMAND…: the signal comes while the command runs
during() {
  tap_signal=$1
  shift
  remove_tree "$T/step"
  mkdir "$T/step"
  : >"$T/out" # what the last one printed is not this one's
  "$SANDBOX_TRY" -l "$root" "$T/step" "$@" >"$T/out" 2>"$T/err" </dev/null &
  tap_victim=$!
  wait_for 10 grep -q ready "$T/out"
  kill -"$tap_signal" "$tap_victim"
  wait "$tap_victim"
  status=$?
}
during TERM sh -c 'trap "echo caught; exit 3" TERM; echo ready; while :; do sleep 0.05; done'
is "$status $(tail -n 1 "$T/out")" "3 caught" "a signal reaches the command"
during TERM sh -c 'echo ready; exec sleep 1000'
is "$status" 143 "which it may end"
during HUP sh -c 'trap "" HUP TERM; (setsid sh -c "trap : HUP; sleep 3000" &); echo ready; sleep 0.3; kill -9 $$'
is "$status" 137 "or pass by"
during USR1 sh -c 'trap "" TERM; (setsid sleep 3000 &); echo ready; exec sleep 3000'
is "$status" 137 "a killed sandbox"
is "$(pgrep -u "$(id -u)" -fc 'sleep 3000')" 0 "is gone with all that was in it when the kill returns"

# ---- a terminal

if command -v script >/dev/null; then
  # script(1) gives its child a terminal as controlling one: the case of a user at the keyboard.
  remove_tree "$T/step"
  mkdir "$T/step"
  script -qec "$SANDBOX_TRY -t -l $root $T/step sh -c 'test -t 0 && ls /dev/console'" /dev/null \
    </dev/null >"$T/out" 2>&1
  like "$T/out" '^/dev/console' "a terminal is there as /dev/console"
else
  skip "a terminal" "no script(1)"
fi

# ---- the builder dies [R6]

kills=0
for delay in 0 0.005 0.01 0.02 0.05 0.3; do
  remove_tree "$T/step"
  mkdir "$T/step"
  "$SANDBOX_TRY" -l "$root" -F /etc/hosts=x "$T/step" sh -c "(setsid sleep 2000 &); sleep 2000" \
    >/dev/null 2>&1 </dev/null &
  victim=$!
  sleep "$delay"
  kill -9 "$victim" 2>/dev/null
  wait "$victim" 2>/dev/null
  none_left() { ! pgrep -u "$(id -u)" -f "sleep 2000" >/dev/null && ! pgrep -u "$(id -u)" -f "$T/step" >/dev/null; }
  wait_for 2 none_left && kills=$((kills + 1))
done
is "$kills" 6 "a killed builder leaves no process"

# ---- where it may not run: a stable id, the cause and a cure for each

# refuses ID DESCRIPTION PREFIX…: a sandbox started by `PREFIX… sandbox_try` is refused with that id
refuses() {
  tap_id=$1 tap_what=$2
  shift 2
  remove_tree "$T/step"
  mkdir "$T/step"
  "$@" "$SANDBOX_TRY" -l "$root" "$T/step" true >"$T/out" 2>"$T/err" </dev/null
  is "$? $(grep -o '^sandbox_try: E-[A-Z-]*:' "$T/err")" "125 sandbox_try: $tap_id:" "$tap_id: $tap_what"
}
mkdir "$T/bad"
printf '#!/bin/sh\necho oops >&2\nexit 1\n' >"$T/bad/newuidmap"
chmod +x "$T/bad/newuidmap"
mapped() { unshare --user --map-auto --map-root-user "$@"; }
refuses E-NEWUIDMAP-MISSING "no helper" env PATH=/nonexistent
refuses E-NEWUIDMAP-FAILED "a helper that fails" env PATH="$T/bad:$PATH"
like "$T/err" oops "and what it said"
refuses E-NEWUIDMAP-FAILED "no_new_privs" setpriv --no-new-privs
like "$T/err" no_new_privs "and why"
refuses E-SUBUID-NONE "a single id" unshare --user --map-root-user
refuses E-USERNS-SYSCTL "no more namespaces" mapped sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' sh
unlike "$T/err" 'No space' "which is not said to be a full disk"
refuses E-PROC-MASKED "a masked /proc" mapped unshare --mount sh -c 'mount -t tmpfs none /proc/sys && exec "$@"' sh
# shellcheck disable=SC2016
refuses E-STORE-ON-OVERLAY "the store on an overlay" mapped unshare --mount sh -c 'mkdir "$1/l" "$1/u" "$1/w" &&
  mount -t overlay -o "lowerdir=$1/l,upperdir=$1/u,workdir=$1/w,userxattr" none "$1/step" && shift && exec "$@"' sh "$T"
try_mapped() { mapped "$SANDBOX_TRY" -l "$root" "$T/step" "$@" >"$T/out" 2>"$T/err" </dev/null; }
remove_tree "$T/step"
mkdir "$T/step"
try_mapped sh -c 'chown 5:5 /tmp && stat -c %u:%g /tmp'
is "$(cat "$T/out")" 5:5 "as root of a user namespace with ids, as in a container"

check "the probe finds nothing wrong" "$SANDBOX_TRY" -p
refuses E-PROC-MASKED "a masked /proc, found by the probe" mapped unshare --mount sh -c \
  'mount -t tmpfs none /proc/sys && exec "$1" -p' sh

# ---- the host is as it was

mounts=$(cat /proc/self/mountinfo)
try -M /m -T /t="$T/tree" -- true
is "$(cat /proc/self/mountinfo)" "$mounts" "no mount is left [R4]"

done_testing
