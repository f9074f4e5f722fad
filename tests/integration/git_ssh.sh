#!/bin/sh
# Repositories over ssh: whose agent signs, and when none does.
. "$(dirname "$0")/../lib/common.sh"
need git ssh-agent ssh-keygen busybox

# Installed, the server would be started for everybody; unpacked here it is ours alone.
mkdir server
(cd server && apt-get -q download openssh-server libwrap0 && for p in *.deb; do dpkg -x "$p" .; done) >server.log 2>&1 ||
  { diag_file server.log; skip_all "the package openssh-server cannot be fetched"; }
libraries=$(echo "$T"/server/usr/lib/*-linux-gnu*)

ssh-keygen -q -t ed25519 -N '' -f host_key
ssh-keygen -q -t ed25519 -N '' -f key
port=$(free_port)
cat >sshd_config <<END
Port $port
ListenAddress 127.0.0.1
HostKey $T/host_key
AuthorizedKeysFile $T/key.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
END
LD_LIBRARY_PATH=$libraries "$T/server/usr/sbin/sshd" -D -e -f "$T/sshd_config" 2>sshd.log &
at_end="$at_end $!"

# ssh looks for known hosts in the user's home as passwd has it.
user=$(id -un)
user_home=$(getent passwd "$user" | cut -d: -f6)
known=$user_home/.ssh/known_hosts
mkdir -p "$user_home/.ssh"
chmod 700 "$user_home/.ssh"
[ ! -f "$known" ] || cp "$known" known.before
printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 host_key.pub)" >>"$known"
forget() {
  if [ -f "$T/known.before" ]; then
    cp "$T/known.before" "$known"
  else
    rm -f "$known"
  fi
}
trap 'forget; clean_up' EXIT
wait_for 10 python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])))' "$port" ||
  { diag_file sshd.log; bail "sshd does not start"; }

git init -q repository
echo hello >repository/word
printf 'FROM scratch\nCOPY word /\n' >repository/Dockerfile
git -C repository add .
git -C repository -c user.name=a -c user.email=a@b commit -q -m first
url=ssh://$user@127.0.0.1:$port$T/repository

mkdir context
printf 'FROM scratch\nADD %s /\n' "$url" >context/Dockerfile
builds "ADD with a key [ADD-07, ADD-09]" --ssh "default=$T/key" context
builds "a context with a key [CTX-07]" --ssh "default=$T/key" "$url"

eval "$(ssh-agent -s)" >/dev/null
at_end="$at_end $SSH_AGENT_PID"
ssh-add -q key
builds "ADD with the user's agent, when he says so" --no-cache --ssh default context
builds "a context with the user's agent" --no-cache "$url"
refused 6 'Permission denied|publickey' "ADD does not get the user's agent unasked [ADD-09]" build --no-cache context
grep -c 'Accepted publickey' sshd.log >accepted
refused '*' . "another agent is not that of a repository" build --no-cache --ssh "other=$T/key" context
is "$(grep -c 'Accepted publickey' sshd.log)" "$(cat accepted)" "and signs nothing"
: >"$known"
refused 6 'Host key verification failed' "a host that is not known is not trusted [ADD-09]" build --no-cache --ssh default context
done_testing
