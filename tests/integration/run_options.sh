#!/bin/sh
# What RUN gets besides the image: cache directories and what they start as, network and security modes, hosts, limits, secrets, agents.
. "$(dirname "$0")/../lib/common.sh"
need python3 busybox ssh-agent ssh-keygen
busybox_layout "$T/busybox"
mkdir context

# run_file [ARGUMENT…]: builds the Dockerfile on stdin, whose first line, FROM, is added
run_file() {
  { echo 'FROM base'; cat; } >Dockerfile
  nacre build --build-context "base=oci-layout://$T/busybox:latest" -f Dockerfile "$@" context
}

# prints REGEX DESCRIPTION [ARGUMENT…]: the Dockerfile on stdin builds and prints a line that matches
prints() {
  prints_regex=$1 prints_what=$2
  shift 2
  if ! run_file "$@"; then
    not_ok "$prints_what"
    diag_file err
    return 1
  fi
  like err "$prints_regex" "$prints_what"
}

# stops STATUS REGEX DESCRIPTION [ARGUMENT…]: the Dockerfile on stdin does not build, for that reason
stops() {
  stops_status=$1 stops_regex=$2 stops_what=$3
  shift 3
  { echo 'FROM base'; cat; } >Dockerfile
  refused "$stops_status" "$stops_regex" "$stops_what" build --build-context "base=oci-layout://$T/busybox:latest" -f Dockerfile "$@" \
    context
}

# ---- cache directories

mkdir -p context/seed/sub
echo ignored >context/seed/ignored
echo seed/ignored >context/.dockerignore
echo word >context/seed/sub/word
ln -s sub/word context/seed/link

seed='FROM base AS seed
RUN mkdir -p /s/d && echo one >/s/d/file && ln /s/d/file /s/d/same && chown -R 12:34 /s/d && chmod 3770 /s/d && \
  touch -d @1000000000 /s/d/file
FROM base'
prints '/c 12:34 3770 ' "a cache begins as a directory of a stage [MNT-11]" <<EOF
$seed
RUN --mount=type=cache,target=/c,from=seed,source=/s/d stat -c '%n %u:%g %a %Y %h' /c /c/file; cat /c/same; echo two >/c/file
EOF
like err '/c/file 12:34 644 1000000000 2' "with owners, modes, times and hard links"
like err ' one$' "and contents"
prints ' two$' "the seed comes once, and other owners make no other cache where a source decides [MNT-12]" <<EOF
$seed
RUN --mount=type=cache,target=/c,from=seed,source=/s/d,uid=5,mode=0711 stat -c '%u:%g %a' /c; cat /c/file
EOF
like err ' 12:34 3770$' "its owner is the source's"
prints 'f=link sub' "a cache begins as a directory of the context [MNT-11]" --build-context "tree=$T/context/seed" <<'EOF'
RUN --mount=type=cache,target=/c,from=tree echo f=$(ls /c | grep -v ignored); cat /c/link; stat -c '%u:%g' /c/sub/word
EOF
like err ' 0:0$' "which belongs to root"
echo changed >context/seed/sub/word
prints ' changed$' "another content of the context is another cache" --build-context "tree=$T/context/seed" <<'EOF'
RUN --mount=type=cache,target=/c,from=tree cat /c/link
EOF
prints ' empty 0:7 750$' "owner and mode without a source make an empty one [MNT-12]" --build-context "tree=$T/context/seed" <<'EOF'
RUN --mount=type=cache,target=/c,from=tree,gid=7,mode=750 rmdir /c/* 2>/dev/null; echo "$(test -z "$(ls /c)" && echo empty) $(stat -c '%u:%g %a' /c)"
EOF
prints ' busybox$' "a cache begins as a directory of an image" <<'EOF'
RUN --mount=type=cache,target=/c,from=base,source=/bin ls /c/busybox >/dev/null && echo busybox; rm /c/*
EOF
prints ' n=0$' "and keeps what was done to it, with --no-cache too [MNT-14]" --no-cache <<'EOF'
RUN --mount=type=cache,target=/c,from=base,source=/bin echo n=$(ls /c | wc -l)
EOF
prints ' n=0$' "a cache from scratch" <<'EOF'
RUN --mount=type=cache,target=/c,from=scratch echo n=$(ls /c | wc -l)
EOF
stops 4 '"/none": not found' "a seed that is not there" <<'EOF'
RUN --mount=type=cache,target=/c,from=base,source=/none true
EOF
stops 4 '"/bin/busybox" is not a directory' "a seed that is a file" <<'EOF'
RUN --mount=type=cache,target=/c,from=base,source=/bin/busybox true
EOF
stops 4 '"/x": not found; a source needs from=' "a source of nothing" <<'EOF'
RUN --mount=type=cache,target=/c,source=/x true
EOF
is "$(find store/tmp store/trash -mindepth 1 | wc -l)" 0 "nothing unfinished is left"
{
  for stage in a b c d; do
    printf 'FROM base AS %s\nRUN --mount=type=cache,target=/big,from=base,source=/,id=shared ls /big/bin/busybox >/%s\n' $stage $stage
  done
  echo 'FROM scratch'
  for stage in a b c d; do echo "COPY --from=$stage /$stage /"; done
} >stages
check "four stages make one cache at the same time" run_file <stages || diag_file err

# ---- network and security modes

stops 4 'network.host is not allowed.*--allow network.host' "--network=host is not for the Dockerfile to say [RUN-14]" <<'EOF'
RUN --network=host true
EOF
net='RUN --network=host readlink /proc/self/ns/net >/net; test "$(cat /net)" = "'$(readlink /proc/self/ns/net)'" && echo host || echo other'
prints ' host$' "but with --allow network.host [RUN-14]" --allow network.host <<EOF
$net
EOF
prints ' host$' "or --network host" --no-cache --network host <<EOF
$net
EOF
prints ' host$' "also where RUN has none by default" --no-cache --network none --allow network.host <<EOF
$net
RUN test "\$(ls /sys/class/net)" = lo && ping -c 1 127.0.0.1
EOF
prints ' lo$' "--network=none has a loopback device [RUN-14]" <<'EOF'
RUN --network=none ls /sys/class/net; ifconfig lo | grep -q UP
EOF
stops 4 'security.insecure is not allowed.*--allow security.insecure' "--security=insecure is not for the Dockerfile to say [RUN-15]" <<'EOF'
RUN echo started
RUN --security=insecure true
EOF
unlike err '^#' "which is found before anything is built"
like err '^ +3 . >>> RUN --security' "with its line"
prints 'CapEff:.0*[137]?f{9,}$' "insecure has all capabilities [RUN-15]" --allow security.insecure <<'EOF'
RUN --security=insecure grep -E 'CapEff|Seccomp:' /proc/self/status; mkdir /m && mount -t tmpfs none /m && umount /m && echo mounted; \
  test -w /proc/sys/kernel/hostname && hostname changed && hostname
USER 1000
RUN --security=insecure sed 's/^/user /' /proc/self/status
EOF
like err 'Seccomp:.0' "no filter"
like err ' mounted$' "may mount"
like err ' changed$' "may write below /proc/sys"
like err 'user CapEff:.0*[137]?f{9,}$' "and so has a user who is not root"
prints 'CapEff:.00000000a80425fb' "sandbox is the default [RUN-15]" <<'EOF'
RUN --security=sandbox grep -E 'CapEff|Seccomp:' /proc/self/status
EOF
like err 'Seccomp:.2' "with a filter"
prints ' without$' "a device that is not required [RUN-16]" <<'EOF'
RUN --device=vendor.com/gpu=0 echo without
EOF
stops 4 'required device "vendor.com/gpu=0" is not registered' "and one that is [RUN-16]" <<'EOF'
RUN --device=vendor.com/gpu=0,required true
EOF

# ---- what touches every RUN

prints '10.1.2.3.one$' "--add-host [RUN-13]" --add-host one:10.1.2.3 --add-host 'two=[fd00::2]' --add-host gate=host-gateway <<'EOF'
RUN cat /etc/hosts; cat /proc/sys/kernel/random/uuid >/word
EOF
like err 'fd00::2.two$' "of IPv6"
like err '127.0.0.1.gate$' "and the machine itself"
nacre build --build-context "base=oci-layout://$T/busybox:latest" -f Dockerfile --add-host one:10.9.9.9 --add-host two=::2 --add-host gate:1.1.1.1 context
is "$(cached_steps)" 1 "the addresses are in no key [RUN-18]"
nacre build --build-context "base=oci-layout://$T/busybox:latest" -f Dockerfile --add-host other:10.9.9.9 context
is "$(cached_steps)" 0 "but the names are"
prints ' 8192$' "--shm-size [RUN-13]" --shm-size 8m <<'EOF'
RUN df -k /dev/shm | awk 'END { print $2 }'
EOF
prints ' 65536$' "is 64 MiB else" <<'EOF'
RUN df -k /dev/shm | awk 'END { print $2 }'
EOF
prints ' 77 99 0 0$' "--ulimit [RUN-13]" --ulimit nofile=77:99 --ulimit core=0 <<'EOF'
RUN echo $(ulimit -Sn) $(ulimit -Hn) $(ulimit -Sc) $(ulimit -Hc)
EOF
prints ' 1024 0$' "and without it" <<'EOF'
RUN echo $(ulimit -Sn) $(ulimit -Sc)
EOF
stops 2 'resource memory=1g: .*systemd-run' "--resource is refused [RUN-13]" --resource memory=1g <<'EOF'
RUN true
EOF
stops 2 'cgroup-parent x: ' "--cgroup-parent is refused [RUN-13]" --cgroup-parent x <<'EOF'
RUN true
EOF
stops 2 'did you mean network.host' "--allow knows two words" --allow network.hos <<'EOF'
RUN true
EOF

prints ' p=1,1,,2,2$' "a proxy has both its names [ARG-10]" --build-arg http_proxy=1 --build-arg ALL_PROXY=2 --build-arg FTP_PROXY= <<'EOF'
RUN echo p=$HTTP_PROXY,$http_proxy,$FTP_PROXY,$ALL_PROXY,$all_proxy
EOF
prints 'ro.$' "a read-only tmpfs [MNT-15]" <<'EOF'
RUN --mount=type=tmpfs,target=/t,ro touch /t/f || echo ro.
EOF

# ---- secrets

echo word >secret
prints ' word=word 400 0:0$' "--secret from a file [MNT-19]" --secret id=s,src=secret <<'EOF'
RUN --mount=type=secret,id=s echo "word=$(cat /run/secrets/s) $(stat -c '%a %u:%g' /run/secrets/s)"
EOF
WORD=variable
export WORD
prints ' variable variable none$' "from a variable, as a file, as a variable, as both [MNT-16]" --secret id=s,env=WORD --secret id=WORD <<'EOF'
RUN --mount=type=secret,id=s,target=/s,env=S --mount=type=secret,id=WORD,env=W echo "$S $(cat /s) $(ls /run/secrets 2>/dev/null || echo none)"
EOF
prints ' \[\]$' "an empty variable" --secret id=s,env=NOT_SET <<'EOF'
RUN --mount=type=secret,id=s,required echo "[$(cat /run/secrets/s)]"
EOF
prints ' 640 3:4$' "with a mode and an owner" --secret id=s,src=secret <<'EOF'
RUN --mount=type=secret,id=s,mode=0640,uid=3,gid=4 stat -c '%a %u:%g' /run/secrets/s
EOF
stops 2 'secret s2,src=x: invalid field' "--secret is checked before the build [MNT-19]" --secret s2,src=x <<'EOF'
RUN echo started
EOF
unlike err started "which has not begun then"
stops 2 'failed to stat nowhere' "a secret that is not there" --secret id=s,src=nowhere <<'EOF'
RUN true
EOF
stops 4 'secret .*not found.*--secret' "a secret that is required and was not given [MNT-17]" <<'EOF'
RUN --mount=type=secret,id=none,required true
EOF

# ---- agents

# ssh-add with all it needs, for the base image
mkdir -p tools/bin
cp "$(command -v ssh-add)" tools/bin/
ldd "$(command -v ssh-add)" | grep -o '/[^ ]*' | xargs cp --parents -L -t tools
ssh-keygen -q -t ed25519 -N '' -C one -f key
ssh-keygen -q -t rsa -b 2048 -m PEM -N '' -C two -f 'other key'
ssh-keygen -q -t ed25519 -N secret -f locked
chmod 644 key
use='COPY --from=tools . /
RUN --mount=type=ssh echo "$SSH_AUTH_SOCK" && ssh-add -l; ssh-add -D; true'
prints '256 .*one' "--ssh with a key [MNT-20]" --build-context tools=tools --ssh "default=key,other key" <<EOF
$use
EOF
like err '2048 SHA256:.*RSA' "and another one"
like err ' /run/buildkit/ssh_agent.0$' "at the usual place"
like err 'Failed to remove all identities' "that nobody may take away [MNT-18]"
no_agent_left() { ! pgrep -u "$(id -u)" -f "^ssh-agent -D -a /proc/" >/dev/null; }
check "the agent of the build ends with it" no_agent_left
stops 2 'locked has a passphrase' "a key with a passphrase [MNT-20]" --ssh default=locked <<'EOF'
RUN true
EOF
unset SSH_AUTH_SOCK SSH_AGENT_PID
stops 2 'make sure SSH_AUTH_SOCK is set' "no agent" --ssh default <<'EOF'
RUN true
EOF
ssh-agent -D -a "$T/agent" >/dev/null 2>&1 &
at_end="$at_end $!"
wait_for 5 test -S "$T/agent"
chmod 600 key
SSH_AUTH_SOCK=$T/agent ssh-add -q key
export SSH_AUTH_SOCK="$T/agent"
prints '256 .*one' "the user's agent" --no-cache --build-context tools=tools --ssh default <<EOF
$use
EOF
like err 'Failed to remove all identities' "keeps its keys"
prints '600 0:0 620 5:6 /run/buildkit/ssh_agent.0 /run/buildkit/ssh_agent.2' "modes, owners and numbers [MNT-18]" --ssh a --ssh "b=$T/agent" <<'EOF'
RUN --mount=type=ssh,id=a --mount=type=ssh,id=b,target=/b --mount=type=ssh,id=b,mode=620,uid=5,gid=6 echo \
  $(stat -c '%a %u:%g' /run/buildkit/ssh_agent.*) $SSH_AUTH_SOCK /run/buildkit/ssh_agent.2
EOF
prints ' mine$' "SSH_AUTH_SOCK stays what it is [MNT-18]" --ssh default <<'EOF'
ENV SSH_AUTH_SOCK=mine
RUN --mount=type=ssh echo $SSH_AUTH_SOCK
EOF
prints 'All identities removed' "with raw=true everything goes through [MNT-20]" --no-cache --build-context tools=tools \
  --ssh "default=$T/agent,raw=true" <<EOF
$use
EOF
isnt "$(ssh-add -l | grep -c one)" 1 "to the agent itself"
stops 4 'unset ssh forward key x' "an agent that is required" <<'EOF'
RUN --mount=type=ssh,id=x,required true
EOF
printf 'FROM base\nRUN --mount=type=ssh sleep 600\n' >Dockerfile
"$NACRE" build --build-context "base=oci-layout://$T/busybox:latest" -f Dockerfile --ssh default=key context >/dev/null 2>err &
victim=$!
wait_for 10 grep -q 'sleep 600' err
check "all of a build dies with it" kill_hard $victim
check "its agent too" no_agent_left
nacre build -q -f /dev/null context
is "$(find store/tmp store/trash -mindepth 1 | wc -l)" 0 "and the next run leaves nothing of it"

done_testing
