#!/bin/sh
# Every kind of file, made by RUN and COPY, as other programs unpack it: types, owners, modes, sizes, times, links and extended
# attributes are those that RUN saw.
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
need skopeo umoci crun podman jq getfattr
debian_registry

case $(uname -m) in
x86_64) setxattr=188 ;;
aarch64) setxattr=5 ;;
*) skip_all "the number of setxattr(2) on $(uname -m)" ;;
esac

mkdir -p context/copied/sub
echo plain >context/copied/plain
echo script >context/copied/script
chmod 755 context/copied/script
ln -s plain context/copied/link
ln context/copied/plain context/copied/sub/hard
touch -d @1111111111 context/copied/plain context/copied/script
cat >context/make.sh <<EOF
set -e
umask 022
mkdir /made && cd /made
echo text > file
echo setuid > setuid; chmod 4755 setuid
echo setgid > setgid; chown 0:50 setgid; chmod 2750 setgid
echo secret > none; chmod 0 none
mkdir sticky; chmod 1777 sticky
mkdir closed; echo in > closed/in; chown -R 33:33 closed; chmod 0 closed
echo owned > owned; chown 1000:100 owned; chmod 640 owned
echo last > last; chown 65534:65534 last
ln -s file symbolic; ln -s /nowhere dangling; chown -h 33:33 dangling
ln file hard1; ln file hard2
mkfifo fifo
printf %0513d 0 > odd-size; : > empty; truncate -s 3M sparse
echo x > "name with blank"; echo x > "\$(printf 'latin-\\351')"; echo x > "\$(printf 'new\\nline')"
long=\$(printf %0200d 0); mkdir -p \$long/\$long; echo deep > \$long/\$long/file
echo noted > noted; echo capable > capable; chmod 755 capable
perl -e 'sub x { syscall($setxattr, @_, 0) == 0 or die "setxattr \$_[0]: \$!" }
  my (\$f, \$n, \$v) = ("noted", "user.note", "hel\\0lo"); x(\$f, \$n, \$v, length \$v);
  (\$f, \$n, \$v) = ("sticky", "user.dir", "d"); x(\$f, \$n, \$v, length \$v);
  (\$f, \$n, \$v) = ("capable", "security.capability", pack("V5", 0x2000001, 0x2000, 0, 0, 0)); x(\$f, \$n, \$v, length \$v);'
find . -depth -exec touch -h -d @1222222222 {} +
touch -h -d @999999999.5 file
EOF
cat >context/Dockerfile <<EOF
FROM $REGISTRY/debian
COPY --chown=1000:100 copied /copied
COPY make.sh /make.sh
RUN rm -rf /usr/share/doc /etc/motd && mkdir /etc/motd && sh /make.sh
RUN mv /made/sticky /made/moved && rm /made/hard2 && chmod 711 /opt
RUN find / -xdev -mindepth 1 \( -path /proc -o -path /sys -o -path /dev -o -path /seen -o -path /tmp -o -path /etc/hosts \
      -o -path /etc/hostname -o -path /etc/resolv.conf \) -prune \
      -o \( -type f -o -type l \) -printf '%P %y %m %U:%G %s %Ts %n %l\n' -o -printf '%P %y %m %U:%G %Ts\n' | LC_ALL=C sort > /seen
EOF

builds "the image builds" -t files -o "oci:$T/layout:files" context || bail "nothing to compare"
check "skopeo reads it from the store" skopeo inspect "oci:$STORE:files"
judge "$T/layout" files

python3 "$TESTS/lib/plain_layout.py" "$T/layout" files "$T/plain"
as_container_root sh -c 'cd "$T" && umoci unpack --image plain:latest bundle && cat bundle/rootfs/seen' >seen 2>unpack.log ||
  diag_file unpack.log
as_container_root sh -c 'cd "$T/bundle/rootfs" && find . -xdev -mindepth 1 \( -path ./proc -o -path ./sys -o -path ./dev \
  -o -path ./seen -o -path ./tmp -o -path ./etc/hosts -o -path ./etc/hostname -o -path ./etc/resolv.conf \) -prune \
  -o \( -type f -o -type l \) -printf "%P %y %m %U:%G %s %Ts %n %l\n" -o -printf "%P %y %m %U:%G %Ts\n" | LC_ALL=C sort' >unpacked
check "RUN saw files" test "$(wc -l <seen)" -gt 2000
same seen unpacked "umoci unpacks what RUN saw: types, modes, owners, sizes, times, link counts and targets"

as_container_root sh -c 'cd "$T/bundle/rootfs/made" && getfattr -h -d -m - -e hex -- noted moved capable' 2>/dev/null |
  grep -v '^$' >xattrs
like xattrs '^user.note=0x68656c006c6f$' "an attribute with a NUL byte"
like xattrs '^user.dir=0x64$' "an attribute of a directory"
like xattrs '^security.capability=0x0[13]00000[23]0020000000000000' "a file capability"
unlike xattrs 'overlay' "no attribute of overlayfs"
remove_tree "$T/bundle"

tar_of_layers() {
  for judge_layer in $(jq -r '.layers[].digest' "$T/plain/blobs/sha256/$(jq -r '.manifests[0].digest' "$T/plain/index.json" | cut -d: -f2)"); do
    tar -tvf "$T/plain/blobs/sha256/${judge_layer#sha256:}" --numeric-owner
  done
}
tar_of_layers >members
unlike members '\.wh\..*\.wh\.' "no doubled whiteouts"
unlike members ' (proc|sys|dev)/.' "nothing of /proc, /sys and /dev"
unlike members ' etc/(resolv\.conf|hosts)$' "no resolv.conf and hosts from mounts"

is "$(crun_image "$T/layout" files sh -c 'cat /copied/plain && stat -c %u:%g /copied/script')" "plain
1000:100" "crun runs it"
is "$(podman_image "$T/layout" files sh -c 'cat /copied/plain && stat -c %u:%g /copied/script')" "plain
1000:100" "podman runs it"

# The same steps give the same bytes again, without the cache, with another compression, and under another umask.
builds "again without the cache" --no-cache --build-arg SOURCE_DATE_EPOCH=1700000000 -o "oci:$T/a:x" context
(umask 077 && "$NACRE" build --no-cache --build-arg SOURCE_DATE_EPOCH=1700000000 -q --compression none -o "oci:$T/b:x" context \
  >/dev/null 2>"$T/err") || diag_file "$T/err"
jq -r '.rootfs.diff_ids[1,2]' "$(config_of "$T/a" x)" >a.diff_ids
jq -r '.rootfs.diff_ids[1,2]' "$(config_of "$T/b" x)" >b.diff_ids
same a.diff_ids b.diff_ids "the COPY layers are the same bytes"
done_testing
