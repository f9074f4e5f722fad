#!/bin/sh
# What goes wrong: kills at random instants, a full disk, damaged registries, mistakes in Dockerfiles. After each the next build
# gives the same image; nothing stays behind; each failure has its own message and exit status.
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
need skopeo jq python3
# Of each kind; many more are part of the campaigns (tests/campaign).
KILLS=${NACRE_TESTS_KILLS:-2}

busybox_registry

# A base that takes a while to pull: some megabytes that do not compress.
mkdir base
head -c 48000000 /dev/urandom >base/noise
printf 'FROM %s/busybox\nCOPY noise /noise\n' "$REGISTRY" >base/Dockerfile
builds "a larger base" --compression gzip -o "oci:$T/base-layout:latest" base || bail "no base"
push "$T/base-layout:latest" base:latest

# Marks what RUN starts, to find it among all processes.
mark=fault-mark-$$
mkdir context
echo file >context/file
cat >context/Dockerfile <<EOF
FROM $REGISTRY/base
COPY file /opt/
RUN : $mark; (setsid sleep 300 &); for i in 1 2 3 4 5 6 7 8; do sleep 0.05; echo \$i > /srv/\$i; done; \\
    touch -d @1600000000 /srv/* /srv
RUN : $mark; for i in 1 2 3; do cat /noise; done > /var/copy; touch -d @1600000000 /var/copy /var
EOF

build() { nacre build --build-arg SOURCE_DATE_EPOCH=1700000000 "$@" context; }

# ---- what must not stay

# What this script started and is not itself: by the store on its command line, or by the mark of a RUN.
leftover_processes() {
  for tap_dir in /proc/[0-9]*; do
    tap_line=$(tr '\0' ' ' <"$tap_dir/cmdline" 2>/dev/null) || continue
    case $tap_line in
    *"$mark"* | "$NACRE"*"$STORE"* | *"sleep 300"*) echo "${tap_dir#/proc/} $tap_line" ;;
    esac
  done
}
no_leftover_processes() { [ -z "$(leftover_processes)" ]; }

leftover_files() { find "$STORE/tmp" "$STORE/trash" -mindepth 1 2>/dev/null; }

cut -d' ' -f5- /proc/self/mountinfo | sort >mounts.before

# ---- kills

build -q
is "$status" 0 "the undisturbed build" || diag_file err
wanted=$(cat out)
remove_tree "$STORE"

# How long each phase takes on this machine.
seconds() { date +%s.%N; }
elapsed() { python3 -c 'import sys; print("%.3f" % (float(sys.argv[2]) - float(sys.argv[1])))' "$1" "$(seconds)"; }
t=$(seconds) && nacre pull "$REGISTRY/base" && pull_time=$(elapsed "$t")
t=$(seconds) && build -q && build_time=$(elapsed "$t")
diag "pull ${pull_time:-?} s, build ${build_time:-?} s"

# kill_at SIGNAL SECONDS COMMAND…: $NACRE COMMAND gets the signal after so long. Like Ctrl-C it goes to the whole group; KILL
# goes to the main process alone, which is harder.
kill_at() {
  python3 - "$@" <<'EOF'
import os, signal, subprocess, sys, time
sig, after, command = signal.Signals["SIG" + sys.argv[1]], float(sys.argv[2]), sys.argv[3:]
p = subprocess.Popen([os.environ["NACRE"]] + command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                     stderr=open("killed.err", "w"), start_new_session=True)
time.sleep(after)
try:
    os.killpg(p.pid, sig) if sig == signal.SIGINT else p.send_signal(sig)
except ProcessLookupError:
    pass
try:
    status = p.wait(10)
except subprocess.TimeoutExpired:
    status = "still running 10 s after the signal"
    p.kill()
print(status)
EOF
}

random_below() { python3 -c 'import random, sys; print("%.3f" % random.uniform(0, float(sys.argv[1])))' "$1"; }

# disturb PHASE SIGNAL TIME PREPARE COMMAND…: kills the command $KILLS times within TIME seconds, each time from the state that
# PREPARE makes.
disturb() {
  phase=$1 signal=$2 within=$3 prepare=$4
  shift 4
  bad_status='' bad_processes='' bad_files='' bad_digest='' died=0
  for round in $(seq "$KILLS"); do
    $prepare
    after=$(random_below "$within")
    got=$(kill_at "$signal" "$after" "$@")
    case $signal:$got in
    *:0) ;; # it was quicker
    # A shell shows 130 for both.
    INT:130 | INT:-2 | KILL:-9) died=$((died + 1)) ;;
    *) bad_status="$bad_status round $round after $after s: $got;" ;;
    esac
    wait_for 2 no_leftover_processes || bad_processes="$bad_processes round $round after $after s: $(leftover_processes | tr '\n' ' ');"
    # The next build clears what was left and gives the same image.
    build -q
    [ "$status" = 0 ] && [ "$(cat out)" = "$wanted" ] || bad_digest="$bad_digest round $round after $after s: status $status, $(tail -n 2 err);"
    [ -z "$(leftover_files)" ] || bad_files="$bad_files round $round after $after s: $(leftover_files | head -n 3 | tr '\n' ' ');"
  done
  diag "$signal during $phase: $died of $KILLS were in time"
  is "$bad_status" "" "$signal during $phase: the exit status"
  is "$bad_processes" "" "$signal during $phase: no process stays"
  is "$bad_files" "" "$signal during $phase: no temporary file stays after the next start"
  is "$bad_digest" "" "$signal during $phase: the next build gives the same image"
  # A tree whose record was not yet written is known to be none.
  nacre verify --format json
  is "$(jq -r '.problems[] | select(.problem | startswith("has no record") | not) | "\(.object): \(.problem)"' out)" "" \
    "$signal during $phase: nothing in the store is damaged" || diag_file err
}

nothing() { remove_tree "$STORE"; }
pulled() {
  [ -d "$T/pulled" ] || {
    remove_tree "$STORE"
    nacre pull "$REGISTRY/base"
    nacre pull "$REGISTRY/busybox"
    unshare --map-auto --map-root-user cp -a "$STORE" "$T/pulled"
  }
  remove_tree "$STORE"
  unshare --map-auto --map-root-user cp -a "$T/pulled" "$STORE"
}
build_args="build --build-arg SOURCE_DATE_EPOCH=1700000000 -q $T/context"

for signal in INT KILL; do
  disturb pull $signal "${pull_time:-1}" nothing pull "$REGISTRY/base"
  # shellcheck disable=SC2086
  disturb "RUN and packing" $signal "${build_time:-1}" pulled $build_args
done
cut -d' ' -f5- /proc/self/mountinfo | sort >mounts.after
same mounts.before mounts.after "no mount stays"
remove_tree "$T/pulled"

is "$(kill_at TERM 0.3 build --no-cache -q "$T/context")" 143 "SIGTERM: exit status 143"
is "$(kill_at HUP 0.3 build --no-cache -q "$T/context")" 129 "SIGHUP: exit status 129"
like killed.err 'interrupted|SIGHUP|signal' "and a message that says so"
check "no process stays" wait_for 2 no_leftover_processes

# ---- a full disk

# On a small tmpfs in a mount namespace of our own; the same build succeeds once there is room.
mkdir small
cat >disk.sh <<'EOF'
mount -t tmpfs -o size=100m none small || exit 120
head -c 95000000 /dev/zero >small/ballast
"$NACRE" --store small/store build -q large 2>first.err
echo "first $?"
find small/store/tmp small/store/trash -mindepth 1 2>/dev/null | sed 's/^/left /'
rm small/ballast
"$NACRE" --store small/store build -q large >/dev/null 2>second.err
echo "second $?"
"$NACRE" --store small/store images --format json >/dev/null 2>&1
echo "images $?"
EOF
mkdir large
head -c 20000000 /dev/urandom >large/noise
printf 'FROM scratch\nCOPY noise /\n' >large/Dockerfile
if unshare --user --map-root-user --mount mount -t tmpfs none small 2>/dev/null; then
  unshare --user --map-root-user --mount sh disk.sh >disk.out
  is "$(cat disk.out)" "first 11
second 0
images 0" "a full disk: its own exit status, nothing left, and success once there is room" || diag_file first.err
  like first.err 'space|full' "and a message"
else
  skip "a full disk" "tmpfs cannot be mounted here"
fi
if unshare --user --map-root-user --mount mount -t tmpfs none small 2>/dev/null; then
  unshare --user --map-root-user --mount sh -c 'mount -t tmpfs -o size=8m none small
    "$NACRE" --store small/store pull "$0" 2>third.err; echo $?' "$REGISTRY/base" >disk.out
  is "$(cat disk.out)" 11 "a full disk during a pull"
  like third.err 'space|full' "and a message"
fi

# ---- a build that is stopped while it writes a blob

mkdir -p stopped
head -c 200000000 /dev/zero | openssl enc -aes-128-ctr -nosalt -K 0 -iv 0 >stopped/noise 2>/dev/null
printf 'FROM scratch\nCOPY noise /\n' >stopped/Dockerfile
"$NACRE" build -q stopped >/dev/null 2>stopped.err &
stopped=$!
check "a blob is being written" wait_for 10 sh -c 'find "$0/tmp" -size +1M | grep -q .' "$STORE"
kill -TERM $stopped
wait $stopped
is "$? $(leftover_files)" "143 " "stopped: nothing of it stays"
rm -r stopped

# ---- a registry that lies

# blob_file DIGEST: where the registry keeps it
blob_file() {
  blob_hex=${1#sha256:}
  echo "$registry_dir/data/docker/registry/v2/blobs/sha256/$(printf %s "$blob_hex" | cut -c1-2)/$blob_hex/data"
}
layer=$(blob_file "$(layers_of "$T/base-layout" latest | tail -n 1)")
config=$(blob_file "$(jq -r .config.digest "$(manifest_of "$T/base-layout" latest)")")
cp "$layer" good-layer
cp "$config" good-config

# lies STATUS REGEX DESCRIPTION: a pull into an empty store fails so, and keeps only blobs that are what their names say
lies() {
  remove_tree "$STORE"
  refused "$1" "$2" "$3" pull "$REGISTRY/base"
  bad_blobs=$(cd "$STORE/blobs/sha256" && sha256sum -- * 2>/dev/null | awk '$1 != $2')
  is "$bad_blobs$(leftover_files)" "" "$3: nothing bad was kept"
}
printf 'X' | dd of="$layer" bs=1 seek=100000 conv=notrunc 2>/dev/null
lies 9 'digest.*sha256:[0-9a-f]+|sha256:[0-9a-f]+.*digest' "a layer with a wrong byte"
truncate -s 30000000 "$layer"
lies 9 'sha256:[0-9a-f]+' "a truncated layer"
cat good-layer good-config >"$layer"
lies 9 'sha256:[0-9a-f]+' "a layer with bytes after its end"
cp good-layer "$layer"
sed 's/linux/Linux/' good-config >"$config"
lies 9 'sha256:[0-9a-f]+' "a config with other bytes"
rm "$config"
lies 8 'not found|no such|unknown|has no' "a blob that is not there"
cp good-config "$config"
check "with the right bytes it pulls" nacre pull "$REGISTRY/base"
is "$(leftover_files)" "" "no temporary file stays"

refused 8 'no-such' "an image that is not there" pull "$REGISTRY/no-such"
refused 8 'no-such-tag' "a tag that is not there" pull "$REGISTRY/base:no-such-tag"
refused 6 'refused|connect' "a registry that is not there" pull "127.0.0.1:$(free_port)/x"

# ---- mistakes

mkdir mistakes
mistake() { printf '%b' "$1" >mistakes/Dockerfile; }
mistake 'FROM scratch\nCOPY nothing /\n'
refused 4 'nothing' "a missing file" build mistakes
like err 'Dockerfile:2' "with its line"
mistake 'FROM scratch\nCOPPY a b\n'
refused 3 'COPPY' "an unknown instruction" build mistakes
like err 'Dockerfile:2' "with its line"
mistake 'FROM scratch\nRUN <<EOF\necho\n'
refused 3 'EOF|heredoc' "an unterminated heredoc" build mistakes
mistake ''
refused 3 'empty|no instruction|no build stage' "an empty Dockerfile" build mistakes
mistake "FROM $REGISTRY/busybox\nRUN echo before; echo to-stderr >&2; exit 7\n"
refused 5 'exit code: 7' "a failing RUN" build mistakes
like err 'Dockerfile:2' "with its line"
like err 'before' "with its output"
like err 'to-stderr' "with its messages"
mistake "FROM $REGISTRY/busybox\nRUN kill -9 \$\$\n"
refused 5 'SIGKILL' "a RUN killed by a signal" build mistakes
mistake "FROM $REGISTRY/busybox\nRUN no-such-command\n"
refused 5 'exit code: 127' "a command that is not there" build mistakes
mistake "FROM $REGISTRY/busybox\nRUN [\"/no/such\"]\n"
refused '[45]' '/no/such' "a program that is not there" build mistakes
mistake "FROM $REGISTRY/busybox\nUSER nobody-here\nRUN true\n"
refused 4 'nobody-here' "a user that is not there" build mistakes
mistake 'FROM scratch\nCOPY --from=7 a /\n'
refused '[348]' '7' "a stage that is not there" build mistakes
rm mistakes/Dockerfile
refused '[348]' 'Dockerfile' "no Dockerfile" build mistakes
refused '[1248]' 'no-such-directory' "no context" build no-such-directory
check "no process stays" wait_for 2 no_leftover_processes
is "$(leftover_files)" "" "no temporary file stays"
done_testing
