#!/bin/sh
# Every kind of file, made by RUN and COPY, as other programs unpack it: types, owners, modes, sizes, times, links and extended
# attributes are those that RUN saw.
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
need skopeo umoci crun podman jq getfattr cc
busybox_registry

mkdir -p context/copied/sub
cp "$TESTS/integration/list_tree.sh" context
check "the helper compiles" cc -static -O1 -o context/set_xattr "$TESTS/integration/set_xattr.c" || bail "no helper"
echo plain >context/copied/plain
echo script >context/copied/script
chmod 755 context/copied/script
ln -s plain context/copied/link
touch -d @1111111111 context/copied/plain context/copied/script
cat >context/make.sh <<'EOF'
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
echo x > "name with blank"; echo x > "$(printf 'latin-\351')"; echo x > "$(printf 'new\nline')"
long=$(printf %0200d 0); mkdir -p $long/$long; echo deep > $long/$long/file
echo noted > noted; echo capable > capable; chmod 755 capable
set_xattr() { ../set_xattr "$@"; }
set_xattr noted user.note 68656c006c6f
set_xattr closed user.dir 64
set_xattr capable security.capability 0100000200200000000000000000000000000000
find . -depth -exec touch -h -d @1222222222 {} \;
touch -h -d @999999999 file
EOF
cat >context/Dockerfile <<EOF
FROM $REGISTRY/busybox
COPY --chown=1000:100 copied /copied
COPY --chmod=755 make.sh set_xattr list_tree.sh /
RUN mkdir -p /old/dir /replaced && echo a > /old/dir/a && echo b > /replaced/b && echo c > /file && echo d > /emptied && \\
    mkdir /opaque && echo e > /opaque/e
RUN rm -rf /old /replaced /file && echo now-a-file > /replaced && mkdir /file && echo in > /file/in && : > /emptied && \\
    rm -rf /opaque && mkdir /opaque && echo f > /opaque/f && sh /make.sh
RUN mv /made/sticky /made/moved && rm /made/empty && chmod 711 /srv
RUN cd / && sh /list_tree.sh > /seen
EOF

builds "the image builds" -t files -o "oci:$T/layout:files" context || bail "nothing to compare"
check "skopeo reads it from the store" skopeo inspect "oci:$STORE:files"
judge "$T/layout" files

python3 "$TESTS/lib/plain_layout.py" "$T/layout" files "$T/plain"
as_container_root sh -c 'cd "$T" && umoci unpack --image plain:latest bundle && cat bundle/rootfs/seen' >seen 2>unpack.log ||
  diag_file unpack.log
as_container_root sh -c 'cd "$T/bundle/rootfs" && sh ./list_tree.sh' >unpacked
check "RUN saw files" grep -q './made/closed/in' seen
same seen unpacked "umoci unpacks what RUN saw: types, modes, owners, sizes, times, link counts, targets and content"

as_container_root sh -c 'cd "$T/bundle/rootfs/made" && getfattr -h -d -m - -e hex -- noted closed capable' 2>/dev/null |
  grep -v '^$' >xattrs
like xattrs '^user.note=0x68656c006c6f$' "an attribute with a NUL byte"
like xattrs '^user.dir=0x64$' "an attribute of a directory"
like xattrs '^security.capability=0x0[13]00000[23]0020000000000000' "a file capability"
unlike xattrs 'overlay' "no attribute of overlayfs"
remove_tree "$T/bundle"

manifest=$(jq -r '.manifests[0].digest' "$T/plain/index.json" | cut -d: -f2)
for layer in $(jq -r '.layers[].digest' "$T/plain/blobs/sha256/$manifest"); do
  tar -tvf "$T/plain/blobs/sha256/${layer#sha256:}" --numeric-owner
done >members
like members ' old/?\.wh\.|\.wh\.old$' "a deletion is a whiteout"
unlike members '\.wh\.\.wh\.\.($|[^o])' "no doubled whiteouts"
unlike members ' (proc|sys|dev)/.' "nothing of /proc, /sys and /dev"
unlike members ' etc/(resolv\.conf|hosts|hostname)$' "no resolv.conf, hosts and hostname from mounts"

# What another builder of containers makes of it.
for judge in crun_image podman_image; do
  $judge "$T/layout" files sh -c 'cd / && sh /list_tree.sh; cat /seen >&2' >under.out 2>under.err
  for list in under.out seen; do grep -a '^\./\(made\|copied\|opaque\|file\|replaced\)' $list >"${list%.out}.list"; done
  same seen.list under.list "${judge%_image} shows the same files" || diag_file under.err 5
done

# The same steps give the same bytes again, without the cache, with another compression, and under another umask.
builds "again without the cache" --no-cache --build-arg SOURCE_DATE_EPOCH=1700000000 -o "oci:$T/a:x" context
(umask 077 && "$NACRE" build --no-cache --build-arg SOURCE_DATE_EPOCH=1700000000 -q --compression none -o "oci:$T/b:x" context \
  >/dev/null 2>"$T/err") || diag_file "$T/err"
jq -r '.rootfs.diff_ids[1,2]' "$(config_of "$T/a" x)" >a.diff_ids
jq -r '.rootfs.diff_ids[1,2]' "$(config_of "$T/b" x)" >b.diff_ids
same a.diff_ids b.diff_ids "the COPY layers are the same bytes"
done_testing
