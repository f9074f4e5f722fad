#!/bin/sh
# RUN as the image sees it: ids, files, mounts, output, and what makes it run again. The names in brackets are those of
# tests/semantics/ids.txt.
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
need jq busybox unshare
busybox_registry
mkdir -p context/d
echo file >context/file
echo in >context/d/in

# ---- forms and environment

proves "shell form is one argument, exec form is as written [RUN-01]" <<'E'
FROM BASE
ENV X=x
SHELL ["/bin/sh", "-ec"]
RUN test "$0 $# $X" = "/bin/sh 0 x" && echo 'a  b' > /shell
RUN ["/bin/sh", "-c", "test \"$0 $1\" = 'zero $X' && echo ok > /exec", "zero", "$X"]
RUN test "$(cat /shell /exec | tr '\n' ,)" = "a  b,ok,"
E
proves "HOME comes from passwd, unless ENV sets it [RUN-02]" <<'E'
FROM BASE
RUN test "$HOME" = /root
USER app
RUN test "$HOME" = /home/app
USER 4321
RUN test "$HOME" = /
ENV HOME=/elsewhere
RUN test "$HOME" = /elsewhere
E
proves "the working directory is made, for the user [RUN-03]" <<'E'
FROM BASE
RUN mkdir -m 777 /open
USER app
WORKDIR /open/a/b
RUN test "$(pwd) $(stat -c '%a %u:%g' .)" = "/open/a/b 755 1000:1000"
E

# ---- users

proves "names bring their groups, numbers none; a number without an entry has gid 0 [RUN-04]" <<'E'
FROM BASE
USER app
RUN test "$(id -u) $(id -g) $(id -G)" = "1000 1000 1000 50"
USER app:nogroup
RUN test "$(id -u) $(id -g) $(id -G)" = "1000 65534 65534"
USER 1000:1000
RUN test "$(id -u) $(id -g) $(id -G)" = "1000 1000 1000"
USER 777
RUN test "$(id -u) $(id -g) $(id -G)" = "777 0 0"
E
stops '[45]' 'unable to find user nosuch' "an unknown user [RUN-04]" <<'E'
FROM BASE
USER nosuch
RUN true
E
stops '[45]' 'passwd' "a passwd that is no file [RUN-04]" <<'E'
FROM BASE
RUN rm /etc/passwd && mkdir /etc/passwd
USER app
RUN ["/bin/busybox", "true"]
E
stops '[145]' 'passwd is larger than' "a passwd of more than 10 MiB [RUN-04]" <<'E'
FROM BASE
RUN dd if=/dev/zero bs=1048576 count=11 >> /etc/passwd 2>/dev/null
USER app
RUN true
E
cp "$(command -v busybox)" context/busybox
printf 'FROM scratch\nCOPY busybox /busybox\nUSER %s\nRUN ["/busybox", "test", "-w", "/"]\n' root >text
stops '[45]' 'unable to find user root' "USER root where there is no passwd [RUN-05]" <text
for user in 0:0 root:root 0; do
  printf 'FROM scratch\nCOPY busybox /busybox\nUSER %s\nRUN ["/busybox", "test", "-w", "/"]\n' $user >text
  proves "but USER $user [RUN-05]" <text
done

# ---- files of the sandbox

proves "hosts names the sandbox, both loopbacks; neither file is writable nor stays [RUN-06, RUN-07]" --compression none -o "oci:$T/image:x" <<'E'
FROM BASE
RUN test "$(hostname)" = buildkitsandbox && touch /made && \
  grep -q '^127.0.0.1[[:space:]].*localhost' /etc/hosts && grep -q '^::1[[:space:]].*localhost' /etc/hosts && \
  grep -q 'buildkitsandbox' /etc/hosts && \
  ! sh -c 'echo x >> /etc/hosts' 2>/dev/null && ! sh -c 'echo x >> /etc/resolv.conf' 2>/dev/null
E
is "$(tar -tf "$T/image/blobs/sha256/$(layers_of "$T/image" x | tail -n 1 | cut -d: -f2)")" made \
  "nothing of /etc is in the layer [RUN-06]"
proves "another host name [RUN-07, ARG-12]" --build-arg BUILDKIT_SANDBOX_HOSTNAME=elsewhere <<'E'
FROM BASE
RUN test "$(hostname)" = elsewhere && grep -q elsewhere /etc/hosts
E
# systemd-resolved's stub is of no use in other networks; what it asks is in a file of its own.
cat >resolver.sh <<'E'
mount -t tmpfs none /run && mkdir -p /run/systemd/resolve
echo 'nameserver 127.0.0.53' >stub
echo 'nameserver 192.0.2.7' >/run/systemd/resolve/resolv.conf
mount --bind stub "$(readlink -f /etc/resolv.conf)" || exit 77
exec "$NACRE" --store "$T/stub-store" build --no-cache context
E
dockerfile <<'E'
FROM BASE
RUN grep -q 192.0.2.7 /etc/resolv.conf && ! grep -q 127.0.0.53 /etc/resolv.conf
E
unshare --map-auto --map-root-user --mount sh resolver.sh >out 2>err
case $? in
0) ok "behind systemd's stub resolver RUN sees the servers themselves [RUN-06]" ;;
77) skip "behind systemd's stub resolver RUN sees the servers themselves [RUN-06]" "no /etc/resolv.conf to mount on" ;;
*)
  not_ok "behind systemd's stub resolver RUN sees the servers themselves [RUN-06]"
  diag_file err
  ;;
esac
proves "/dev and /proc are there, /sys is read-only, /run belongs to the image [RUN-08]" <<'E'
FROM BASE
RUN echo kept > /run/kept
RUN test "$(cat /run/kept)" = kept && echo x > /dev/null && test -r /proc/self/status && test -c /dev/full && \
  test -d /dev/pts && test -d /dev/mqueue && touch /dev/shm/f && ! mkdir /sys/x 2>/dev/null
RUN test ! -e /dev/shm/f
E
proves "places made to mount on go again, and their parents' times stay [RUN-09]" <<'E'
FROM BASE
RUN touch -d @1000000000 /srv
RUN --mount=type=tmpfs,target=/srv/a/b --mount=type=cache,id=stubs,target=/new/c test -d /srv/a/b
RUN test ! -e /srv/a && test ! -e /new && test "$(stat -c %Y /srv)" = 1000000000
E
proves "capabilities, filter, privileges, limits [RUN-10]" <<'E'
FROM BASE
RUN grep -q '^CapEff:.*00000000a80425fb' /proc/self/status && grep -q '^Seccomp:.*2' /proc/self/status && \
  grep -q '^NoNewPrivs:.*0' /proc/self/status && test "$(ulimit -n)" = 1024
E

# ---- input and output

proves "input is empty, all output is shown, however much [RUN-11]" <<'E'
FROM BASE
RUN test -z "$(cat)" && i=0; while [ $i -lt 40000 ]; do echo "line $i of what goes to the log, until there are more than two mebibytes of it"; \
  i=$((i+1)); done; echo to stderr >&2
E
is "$(grep -c ' line [0-9]* of what' err)" 40000 "more than 2 MiB of it [RUN-11]"
like err '^#[0-9]+ [0-9.]+ to stderr' "stderr too [RUN-11]"
stops 5 'exit code: 42' "a failed step: its code [RUN-12]" <<'E'
FROM BASE
RUN true
RUN echo said this \
  && exit 42
E
like err 'said this' "its output [RUN-12]"
like err '   3 \| >>> RUN echo' "its first line [RUN-12]"
like err '   4 \| >>>   && exit 42' "and its last [RUN-12]"

case $(uname -m) in
aarch64) other=amd64 machine=62 ;;
*) other=arm64 machine=183 ;;
esac
# Programs of another machine: an ELF header that says so is enough.
python3 - $machine >context/foreign <<'E'
import struct, sys
sys.stdout.buffer.write(b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, int(sys.argv[1]), 1, 0x400078, 64, 0, 0, 64, 56, 1, 0, 0, 0))
E
chmod 755 context/foreign
if ! ls /proc/sys/fs/binfmt_misc/qemu-* >/dev/null 2>&1; then
  mkdir bare
  ln -s "$(command -v newuidmap)" "$(command -v newgidmap)" bare
  printf '#!/bin/sh\nPATH=%s exec %s "$@"\n' "$T/bare" "$NACRE" >no-qemu
  chmod 755 no-qemu
  usual=$NACRE NACRE=$T/no-qemu
  stops '[45]' 'foreign.*(exec format|machine|emulat)' "a program for $other, where nothing emulates it [RUN-17]" \
    --platform linux/$other <<'E'
FROM scratch
COPY foreign /foreign
RUN ["/foreign"]
E
  NACRE=$usual
fi

# ---- the key of a RUN: each writes a word that is never the same twice

word() { "$NACRE" build -q "$@" -o "oci:$T/word:x" context >out 2>err && layers_of "$T/word" x | tail -n 1; }
# reruns yes|no DESCRIPTION DOCKERFILE-TEXT [OPTION…]: against the build of $plain before
reruns() {
  rerun_wanted=$1 rerun_what=$2
  printf '%s\n' "$3" | dockerfile
  shift 3
  rerun_got=$(word "$@") || diag_file err
  if [ "$rerun_got" = "$plain_got" ]; then rerun_got=no; else rerun_got=yes; fi
  is "$rerun_got" "$rerun_wanted" "$rerun_what"
}
uuid='cat /proc/sys/kernel/random/uuid > /word'
mounts='--mount=type=bind,source=d,target=/m --mount=type=cache,id=key,target=/c --mount=type=secret,id=s'
plain="FROM BASE
RUN $mounts $uuid"
printf '%s\n' "$plain" | dockerfile
echo one >secret
plain_got=$(word --secret "id=s,src=$T/secret")
isnt "$plain_got" "" "a RUN with mounts"
echo two >secret
echo of-no-mount >context/file
reruns no "the same again: other secret, other files beside the mounted ones [RUN-18, RUN-19, MNT-16]" "$plain" \
  --secret "id=s,src=$T/secret"
proves "a cache is filled [MNT-09]" <<'E'
FROM BASE
RUN --mount=type=cache,id=key,target=/c echo filled > /c/f
E
reruns no "what is in a cache mount does not count [RUN-18, MNT-09]" "$plain"
reruns no "nor does the time on the clock [RUN-19]" "$plain"
reruns no "nor a host name nobody asked for [RUN-18]" "$plain"
reruns yes "another variable does [RUN-18]" "FROM BASE
ENV A=b
RUN $mounts $uuid"
reruns yes "another working directory [RUN-18]" "FROM BASE
WORKDIR /tmp
RUN $mounts $uuid"
reruns yes "another user [RUN-18]" "FROM BASE
USER 0:0
RUN $mounts $uuid"
reruns yes "another shell [RUN-18]" "FROM BASE
SHELL [\"/bin/sh\", \"-ec\"]
RUN $mounts $uuid"
reruns yes "another network [RUN-18]" "FROM BASE
RUN --network=none $mounts $uuid"
reruns yes "another target of a mount [RUN-18]" "FROM BASE
RUN --mount=type=tmpfs,target=/x $mounts $uuid"
chmod 600 context/d/in
reruns yes "another mode of a file in a mounted directory [RUN-18, MNT-08]" "$plain"
chmod 644 context/d/in
reruns no "and back [RUN-18]" "$plain"
echo changed >context/d/in
reruns yes "another content [RUN-18, MNT-08]" "$plain"
echo in >context/d/in
reruns yes "--no-cache [RUN-19]" "$plain" --no-cache

# ---- mounts

proves "a relative target is below WORKDIR, no target is WORKDIR [MNT-03]" <<'E'
FROM BASE
WORKDIR /w
RUN --mount=type=bind,source=d,target=rel test -s /w/rel/in
RUN --mount=type=bind,source=d test -s /w/in
RUN --mount=type=bind,source=d,target=../up/./x test -s /up/x/in
E
proves "from: a stage, an image, a named context [MNT-05]" --build-context other=context/d <<'E'
FROM scratch AS s
COPY file /from-stage
FROM BASE
RUN --mount=from=s,target=/m test -s /m/from-stage
RUN --mount=from=other,target=/m test -s /m/in
RUN --mount=from=BASE,target=/m,source=etc test -s /m/passwd
E
stops '[3468]' 'later' "a stage that comes later [MNT-05]" <<'E'
FROM BASE AS first
RUN --mount=from=later,target=/m true
FROM scratch AS later
COPY file /
FROM first
E
proves "bind, secret and ssh are read-only; cache and tmpfs are not [MNT-06]" --secret "id=s,src=$T/secret" <<'E'
FROM BASE
RUN --mount=target=/b --mount=type=cache,id=rw,target=/c --mount=type=tmpfs,target=/t --mount=type=secret,id=s,target=/s \
  touch /c/x /t/x && ! touch /b/x 2>/dev/null && ! sh -c 'echo x > /s' 2>/dev/null
E
printf 'd/hidden\n' >context/.dockerignore
echo hidden >context/d/hidden
proves "a bind mount of the context does not show what is ignored; its writes are lost [MNT-08]" <<'E'
FROM BASE
RUN --mount=target=/c,source=d,rw test ! -e /c/hidden && echo new > /c/new && rm /c/in
RUN --mount=target=/c,source=d test -s /c/in && test ! -e /c/new && test ! -e /c/hidden
E
is "$(ls context/d)" "hidden
in" "and the context is as it was [MNT-08]"
rm context/.dockerignore context/d/hidden
proves "a cache without an id has its target's, cleaned, before WORKDIR joins it [MNT-09]" <<'E'
FROM BASE
RUN --mount=type=cache,target=/kept/../kept/ echo one > /kept/f
RUN --mount=type=cache,id=/kept,target=/x test "$(cat /x/f)" = one
WORKDIR /w
RUN --mount=type=cache,target=kept test ! -e kept/f && echo two > kept/f
RUN --mount=type=cache,id=kept,target=/x test "$(cat /x/f)" = two
RUN test ! -e /kept && test ! -e /w/kept
E
proves "it is there in later builds [MNT-09]" <<'E'
FROM BASE
RUN --mount=type=cache,target=/kept test "$(cat /kept/f)" = one
E
proves "BUILDKIT_CACHE_MOUNT_NS is a name space of its own [MNT-09, ARG-12]" --build-arg BUILDKIT_CACHE_MOUNT_NS=other <<'E'
FROM BASE
RUN --mount=type=cache,target=/kept test ! -e /kept/f
E

done_testing
