#!/bin/sh
# RUN of another architecture: qemu-user by a handler of the build's own namespace; and what is said where there is none.
. "$(dirname "$0")/../lib/common.sh"
need jq apt-get dpkg-deb flock
case $(uname -m) in
aarch64) foreign=amd64 machine=x86_64 ;;
*) foreign=arm64 machine=aarch64 ;;
esac
need "qemu-$machine-static"
busybox=$(sh "$TESTS/lib/foreign_busybox.sh" $foreign) || bail "cannot fetch a busybox for $foreign"

mkdir context none
cp "$busybox" context/busybox
cat >context/Dockerfile <<'E'
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN uname -m > /machine; sh -c 'echo "$0 $(cat /proc/self/comm)"' word > /argv
USER 1234
RUN echo "I am $(id -u)"
E

# Handlers in a user namespace: Linux 6.7.
major=$(uname -r | cut -d . -f 1) minor=$(uname -r | cut -d . -f 2)
if [ "$major" -gt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -ge 7 ]; }; then
  builds "RUN of another architecture" --platform linux/$foreign -t foreign context
  digest=$(head -n 1 out)
  like err 'I am 1234' "also as another user"
  nacre run foreign cat /machine
  is "$(cat out)" $machine "the command ran as $machine"
  nacre run foreign cat /argv
  like out '^word ' "with its own arguments"
  nacre run foreign sh -c 'exit 7'
  is $status 7 "nacre run runs it too, with its exit status"
  nacre inspect foreign
  is "$(jq -r .config.architecture out)" $foreign "the config says for what it is"
  builds "again" --platform linux/$foreign -t foreign context
  is "$(head -n 1 out)" "$digest" "and all is cached"
  is "$(grep -c CACHED err)" 5 "every step"
else
  skip "RUN of another architecture" "this kernel has no binfmt_misc in user namespaces"
fi

# A PATH without qemu, and no handler of the machine's that could stand in.
if [ -n "$(find /proc/sys/fs/binfmt_misc -name 'qemu-*' 2>/dev/null)" ]; then
  skip "what is said without qemu" "this machine has handlers of its own"
else
  ln -s "$(command -v newuidmap)" "$(command -v newgidmap)" none
  PATH=$T/none "$NACRE" build --no-cache --platform linux/$foreign context >out 2>err
  status=$?
  isnt $status 0 "without qemu, RUN stops"
  like err 'E-FOREIGN-ARCH' "with a stable id"
  like err 'qemu-user-static' "and the package that would help"
  like err "the image is for $foreign" "and why"
fi
printf 'FROM scratch\nCOPY busybox /busybox\n' >context/copies
builds "without RUN nothing is needed" --platform linux/$foreign -f context/copies context
done_testing
