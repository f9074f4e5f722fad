#!/bin/sh
# What -o writes, judged by the programs that read it.
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
need jq skopeo umoci podman buildah python3 unshare zstd
mkdir context
seq 1000 >context/file
printf 'FROM scratch\nCOPY file /one\nCMD ["/one"]\n' >context/Dockerfile

# ---- blobs that the store and a layout share

blob_of() { echo "$1/blobs/sha256/$(layers_of shared app | sed 's/sha256://')"; }

builds "a layout beside the store" -q -t app -o oci:shared:app context
is "$(stat -c '%a %h' "$(blob_of shared)")" "444 2" "its layer is the store's, and nobody may write to it"
is "$(stat -c %i "$(blob_of shared)")" "$(stat -c %i "$(blob_of "$STORE")")" "under two names"
judge shared app
elsewhere=$(mktemp -d "/dev/shm/${T##*/}.XXXX")
builds "a layout on another file system" -q -o "oci:$elsewhere/layout:app" context
is "$(stat -c %h "$(blob_of "$elsewhere/layout")")" 1 "has copies"
rm -rf "$elsewhere"
cp -R "$STORE" rotten && chmod -R u+w rotten
printf x | dd of="$(blob_of rotten)" bs=1 seek=20 conv=notrunc status=none
touch -d @1600000000 "$(blob_of rotten)" # nothing tells that it is not what was written
refused 9 'damaged' "a blob that has rotted is not shared" --store rotten build -q -o oci:other:app context
is "$([ ! -e "$(blob_of other)" ] && [ "$(jq '.manifests | length' other/index.json)" = 0 ] && echo none)" none "and is not there"


# ---- archives

nacre build -q -t app -t example.org/team/app:2 -o oci-archive:oci.tar -o oci-archive:tagged.tar:v1 -o docker-archive:docker.tar \
  -o type=oci,dest=exporter.tar -o type=oci,dest=layout,tar=false,name=one:1 -o '"type=docker","dest=named.tar","name=n1,n2:v"' context ||
  diag_file "$T/err"
app=$(head -n 1 "$T/out")
names_of() { jq -r '[.manifests[].annotations["org.opencontainers.image.ref.name"]] | join(" ")' "$1/index.json"; }
untar() { mkdir -p "$1" && tar -C "$1" -xf "$2"; }
untar oci oci.tar && untar exporter exporter.tar && untar tagged tagged.tar
is "$(names_of oci)|$(names_of exporter)|$(names_of tagged)|$(names_of layout)" \
  "app example.org/team/app:2|app example.org/team/app:2|v1|one:1" "layouts have the names of -t, or those they were given"
same oci.tar exporter.tar "oci-archive and type=oci are one thing [OUT-02]"
is "$(tar xOf named.tar manifest.json | jq -c '[.[].RepoTags]')" '[["n1:latest","n2:v"]]' "names of a docker archive, quoted as docker does"
check "skopeo copies the OCI archive" skopeo copy -q --insecure-policy oci-archive:tagged.tar:v1 dir:judged
is "sha256:$(sha256sum <judged/manifest.json | cut -d' ' -f1)" "$app" "and it is the image"
cp docker.tar oci.tar "$JUDGE_DIR"
printf '[engine]\nlock_type = "file"\n' >"$JUDGE_DIR/containers.conf"
# shellcheck disable=SC2016 # for the inner shell
as_container_root sh -c '
  export CONTAINERS_CONF=$JUDGE_DIR/containers.conf
  set -- --root "$JUDGE_DIR/podman" --runroot "$JUDGE_DIR/podman-run" --storage-driver vfs
  podman "$@" --tmpdir "$JUDGE_DIR/podman-tmp" --cgroup-manager cgroupfs --events-backend none load -q -i "$JUDGE_DIR/docker.tar" &&
    id=$(buildah "$@" from --pull-never example.org/team/app:2) && buildah "$@" copy -q "$id" "$JUDGE_DIR/containers.conf" /x >/dev/null &&
    cmp "$(buildah "$@" mount "$id")/one" context/file && echo same &&
    buildah "$@" from --pull "oci-archive:$JUDGE_DIR/oci.tar:app"' >judged.out 2>judged.err || diag_file judged.err
like judged.out '^Loaded image: .*example.org/team/app:2' "podman loads the docker archive [OUT-02]"
like judged.out '^same$' "buildah starts from it"
like judged.out '^app-working-container' "and from the OCI archive"
remove_tree "$JUDGE_DIR/podman"
"$NACRE" build -q -o type=oci context >stream.tar 2>stream.err || diag_file stream.err
nacre build -q -o oci-archive:unnamed.tar context
same unnamed.tar stream.tar "without a destination it goes to standard output"
like stream.err "^$app" "and the digest to standard error"

# ---- root filesystems

mkdir -p tree/d/closed tree/d/sticky tree/swapped
echo one >tree/file
ln tree/file tree/other
chmod 4755 tree/file
ln -s ../file tree/d/link
ln -s /etc/passwd tree/absolute
mkfifo tree/d/pipe
chmod 555 tree/d/closed
chmod 1777 tree/d/sticky
touch -d 2001-02-03 tree/d/closed tree/d/sticky
cat >tree/Dockerfile <<'END'
FROM scratch
COPY --chown=12:34 . /
COPY file /gone/file
FROM scratch
COPY --from=0 . /
COPY d /swapped/
END
builds "a root filesystem, twice [OUT-02]" -q -o files -o type=tar,dest=files.tar -o type=local,dest=split,platform-split=true tree
arch=linux_$(case $(uname -m) in x86_64) echo amd64 ;; aarch64) echo arm64 ;; *) uname -m ;; esac)
tar --numeric-owner -tvf files.tar >listing
like listing '^-rwsr-xr-x 12/34 .* file$' "in the archive owners and modes are the image's"
like listing '^hrwsr-xr-x .* other link to file$' "and links are links"
like listing '^p.* d/pipe$' "a FIFO is one"
is "$(awk '{ print $6 }' listing)" "$(awk '{ print $6 }' listing | LC_ALL=C sort)" "sorted by name"
is "$(stat -c '%a %U %h' files/file)" "755 $(id -un) 2" "in the directory all is the user's, without set-id bits"
is "$(stat -c '%a %y' files/d/closed files/d/sticky | cut -d' ' -f1,2)" "555 2001-02-03
1777 2001-02-03" "directories have their modes and times"
is "$(readlink files/absolute) $(readlink files/d/link) $(stat -c %F files/d/pipe)" "/etc/passwd ../file fifo" "links and FIFOs"
check "tar unpacks the same" sh -c "mkdir untarred && tar --no-same-owner --no-same-permissions -xf files.tar -C untarred &&
  diff -r --no-dereference -x pipe files untarred"
check "and it is split by platform when that is asked for" diff -r --no-dereference -x pipe files "split/$arch"
"$NACRE" build -q -o - tree >stdout.tar 2>"$T/err" || diag_file "$T/err"
same files.tar stdout.tar "- is the archive on standard output"

mkdir -p merged/file2 outside
echo kept >merged/mine
ln -s ../outside merged/d
ln -s ../outside/target merged/file
builds "a directory that has files" -q -o merged tree
is "$(ls -A outside) $(cat merged/mine merged/file)" " kept
one" "what is there stays; links that lie in wait are replaced, not followed"
builds "again, over itself" -q -o merged tree
check "which gives the same" diff -r --no-dereference -x pipe -x mine -x file2 files merged
builds "a directory in directories that are not there" -q -o new/in/here/ tree
check "which are made" diff -r --no-dereference -x pipe files new/in/here
refused 1 'proc' "where none can be made" build -q -o /proc/new/here tree
builds "one for each of several platforms" -q --platform linux/amd64,linux/arm64 -o each -o type=tar,dest=each.tar context
is "$(cd each && echo */*) $(tar tf each.tar | tr '\n' ' ')" \
  "linux_amd64/one linux_arm64/one linux_amd64/ linux_amd64/one linux_arm64/ linux_arm64/one " "has its name"
mkdir -p shut/in
echo one >shut/in/file
printf 'FROM scratch\nCOPY --chmod=000 . /\n' >shut.Dockerfile
builds "a directory that nobody may read" -q -f shut.Dockerfile -o closed shut
builds "over itself, too" -q -f shut.Dockerfile -o closed shut
is "$(stat -c %a closed/in)" 0 "is again one that nobody may read"
chmod -R u+rwX closed
mkdir -p blocked/file/full
refused 1 'create file: Is a directory' "a directory where a file should be is not removed" build -q -o blocked tree

builds "the image of it" -q -t rootfs tree
"$NACRE" export rootfs >exported.tar
same files.tar exported.tar "nacre export writes it as tar"
check "and as files" "$NACRE" export -o exported/ rootfs
check "which are the same" diff -r --no-dereference -x pipe files exported
check "into a directory that is there" "$NACRE" export -o exported --platform "linux/${arch#linux_}" rootfs
refused 8 'no image' "of an image that is not there" export -o x.tar nosuch
refused 8 'plan9' "of another platform" export -o x.tar --platform plan9/mips rootfs
cp -R "$STORE" damaged && chmod -R u+w damaged
layer=$("$NACRE" inspect rootfs | jq -r '.manifest.layers[0].digest')
printf x | dd of="damaged/blobs/sha256/${layer#sha256:}" bs=1 seek=30 conv=notrunc status=none
refused 9 'sha256|damaged|zstd' "a damaged layer" --store damaged export -o x.tar rootfs
refused 9 'sha256|damaged|zstd' "also as files" --store damaged export -o x/ rootfs
is "$(find . -maxdepth 1 -name 'x.tar' -o -maxdepth 1 -name '.nacre*')" "" "and no archive is there"
check "save in the words of -o" "$NACRE" save -o oci:saved rootfs
is "$(names_of saved)" rootfs "is a layout"
check "and an archive" "$NACRE" save -o oci-archive:saved.tar rootfs
check "that skopeo reads" skopeo inspect oci-archive:saved.tar:rootfs

# ---- the image in another form

# put DESCRIPTION KEYS OPTION…: an archive of the image, unpacked into form/; its manifest is $manifest, its config $config
put() {
  tap_keys=$2
  put_what=$1
  shift 2
  rm -rf form
  builds "$put_what" -q -o "type=oci,tar=false,dest=form,name=x$tap_keys" "$@" || return
  manifest=$(manifest_of form x)
  config=$(config_of form x)
}
types() { jq -r '[.layers[].mediaType | sub(".*tar"; "")] | join(" ")' "$manifest"; }

mkdir below above
seq 2000 >below/file
printf 'FROM scratch\nCOPY file /two\n' >below/Dockerfile
builds "a base" -q -t base --compression none below
echo late >above/late; seq 300000 >above/early
touch -d 2030-01-01 above/late
touch -d 2001-02-03 above/early
printf 'FROM base\nCOPY late early /\n' >above/Dockerfile
put "as it is" "" above
is "$(types)" " +zstd" "layers are as the store has them"
plain=$(jq -c .rootfs.diff_ids "$config")
put "compression" ",compression=gzip" above
is "$(types)" " +gzip" "it is that of the build's own layers"
is "$(jq -c .rootfs.diff_ids "$config")" "$(jq -c .rootfs.diff_ids "$(config_of form x)")" "which have the same contents"
judge form x
put "force-compression" ",compression=gzip,force-compression=true,compression-level=9" above
is "$(types)" "+gzip +gzip" "it is that of all [OUT-03]"
judge form x
once=$digest
put "again" ",compression=gzip,force-compression=true,compression-level=9" above
is "$digest" "$once" "the same bytes"
put "uncompressed" ",compression=uncompressed" above
is "$(types)" " " "no compression"
builds "new layers" -q --no-cache --store fresh -o "type=oci,tar=false,dest=direct,compression=gzip" context
is "$(find fresh/blobs -type f -links 2 | wc -l)" 3 "are written in the form of the outputs at once"

# layer_of: the last layer in form/; note KEY: its annotation
layer_of() { echo "form/blobs/sha256/$(jq -r '.layers[-1].digest | sub("sha256:"; "")' "$manifest")"; }
note() { jq -r --arg k "$1" '.layers[-1].annotations[$k]' "$manifest"; }
put "zstd:chunked" ",compression=zstd:chunked" above
is "$(types)" " +zstd" "it is of the build's own layers"
is "$(jq -c .rootfs.diff_ids "$config")" "$plain" "their tars are the same"
judge form x
IFS=: read -r at n size type <<EOF
$(note io.github.containers.zstd-chunked.manifest-position)
EOF
dd if="$(layer_of)" bs=1 skip="$at" count="$n" status=none >toc.zst
is "sha256:$(sha256sum <toc.zst | cut -d ' ' -f 1) $type" "$(note io.github.containers.zstd-chunked.manifest-checksum) 1" "its table is where the annotation says"
zstd -qdc toc.zst >toc.json
is "$(wc -c <toc.json)" "$size" "and as large"
for file in late early; do
  from=$(jq ".entries[] | select(.name == \"$file\") | .offset" toc.json) to=$(jq ".entries[] | select(.name == \"$file\") | .endOffset // 0" toc.json)
  [ "$from" = null ] || is "$(dd if="$(layer_of)" bs=1 skip="$from" count=$((to - from)) status=none | zstd -qdc | cmp - "above/$file" && echo same)" same \
    "$file can be fetched alone"
done
put "estargz, of all layers" ",compression=estargz,force-compression=true" above
is "$(types)" "+gzip +gzip" "they are gzip layers"
judge form x
is "$(gzip -dc "$(layer_of)" | tar -t | tr '\n' ' ')" ".no.prefetch.landmark early late stargz.index.json " "with a landmark and a table"
is "$(gzip -dc "$(layer_of)" | tar -xO stargz.index.json | sha256sum | cut -d ' ' -f 1)" "$(note containerd.io/snapshot/stargz/toc.digest | sed 's/sha256://')" \
  "whose digest is annotated"
is "sha256:$(gzip -dc "$(layer_of)" | sha256sum | cut -d ' ' -f 1)" "$(jq -r '.rootfs.diff_ids[-1]' "$config")" "the diffID is that of the new tar"
toc=$(tail -c 51 "$(layer_of)" | dd bs=1 skip=16 count=16 status=none)
is "$(tail -c +$((0x$toc + 1)) "$(layer_of)" | gzip -dc | tar -t)" stargz.index.json "the footer leads to the table"
put "oci-mediatypes=false" ",oci-mediatypes=false" above
is "$(jq -r '[.mediaType, .config.mediaType, .layers[].mediaType] | map(sub("application/vnd.docker."; "")) | join(" ")' "$manifest")" \
  "distribution.manifest.v2+json container.image.v1+json image.rootfs.diff.tar.gzip image.rootfs.diff.tar.gzip" "Docker's types"
put "annotations" ",annotation.org.example.A=1,annotation-manifest[linux/$(uname -m)].b=2,annotation-manifest[plan9/mips].c=3,annotation-manifest-descriptor.d=4" \
  --annotation e=5 --annotation "manifest,manifest-descriptor:f=6" above
is "$(jq -cS .annotations "$manifest")" '{"b":"2","e":"5","f":"6","org.example.A":"1"}' "are in the manifest [OUT-04]"
is "$(jq -cS '.manifests[0].annotations | del(.["org.opencontainers.image.ref.name"])' form/index.json)" '{"d":"4","f":"6"}' "and on its descriptor"
builds "annotations of the image in the store" -q -t noted --annotation g=7 above
is "$("$NACRE" save noted | tar -xO "blobs/sha256/${digest#sha256:}" | jq -c .annotations)" '{"g":"7"}' "are in its manifest"
builds "an image of another form in the store" -q -t small -o type=image,compression=gzip,force-compression=true above
is "$("$NACRE" inspect small | jq -r '[.manifest.layers[].mediaType | sub(".*tar"; "")] | join(" ")')" "+gzip +gzip" "has the names"
builds "an index [OUT-07]" -q --platform linux/amd64,linux/arm64 -o type=oci,tar=false,dest=many,name=x,annotation-index.h=8,annotation-manifest-descriptor.i=9 \
  --annotation "manifest[linux/arm64]:j=10" context
index=$(manifest_of many x)
is "$(jq -c '[.annotations, .manifests[].annotations]' "$index")" '[{"h":"8"},{"i":"9"},{"i":"9"}]' "has annotations of its own"
is "$(for d in $(jq -r '.manifests[].digest' "$index"); do jq -c .annotations "many/blobs/sha256/${d#sha256:}"; done | tr '\n' ' ')" \
  'null {"j":"10"} ' "and those of one platform"

export SOURCE_DATE_EPOCH=1000000000
put "rewrite-timestamp" ",rewrite-timestamp=true" above
unset SOURCE_DATE_EPOCH
judge form x
layer=$(layers_of form x | tail -n 1)
is "$(zstd -dcq <"form/blobs/sha256/${layer#sha256:}" | TZ=UTC tar --full-time -tvf - | awk '{ print $4, $5, $6 }' | tr '\n' ' ')" \
  "2001-02-03 00:00:00 early 2001-09-09 01:46:40 late " "no time is later, and earlier ones stay"
is "$(jq -r '.rootfs.diff_ids[-1]' "$config")" "sha256:$(zstd -dcq <"form/blobs/sha256/${layer#sha256:}" | sha256sum | cut -d' ' -f1)" \
  "the config says so"
put "without SOURCE_DATE_EPOCH" ",rewrite-timestamp=true" above
like "$T/err" 'rewrite-timestamp.*SOURCE_DATE_EPOCH' "a warning"
refused 2 'another form' "what is said of another form" build -o type=oci,tar=false,dest=no,compression=gzip --provenance true context
refused 2 'gzip, zstd, uncompressed, zstd:chunked or estargz' "lz4" build -o type=oci,compression=lz4 context
refused 2 'this type has no compression' "a docker archive has none" build -o type=docker,dest=x,compression=gzip context
refused 2 'no zstd' "zstd in Docker's types" build -o type=oci,oci-mediatypes=false,compression=zstd context
refused 2 'no annotations' "annotations in Docker's manifests" build -o type=oci,oci-mediatypes=false,annotation.a=b context
refused 2 '1 to 9' "a level that gzip does not have" build -o type=oci,compression=gzip,compression-level=10 context
refused 2 'say by compression=' "a level of nothing" build -o type=oci,compression-level=3 context
refused 2 'of one platform has none' "an annotation without an index" build -o oci:no --annotation index:a=b context
refused 2 'did you mean index' "an annotation elsewhere" build -o oci:no --annotation indx:a=b context
refused 2 'KEY=VALUE is wanted' "an annotation without a value" build -o oci:no --annotation index:a context

# ---- pushing

busybox_registry

# ---- one layer

mkdir -p squash
printf 'FROM %s/busybox AS low\nRUN mkdir -p /d/kept /gone && echo 1 >/d/base && echo 2 >/d/replaced && mkdir /d/type && echo 3 >/gone/file && ln /d/base /d/linked\n' \
  "$REGISTRY" >squash/Dockerfile.low
builds "a base with files" -q -t low -f squash/Dockerfile.low squash
cat >squash/Dockerfile <<'EOF'
FROM low
RUN head -c 3000000 /dev/zero >/large && echo new >/d/new && ln /d/new /d/twice
RUN rm -r /large /gone /d/base && echo more >>/d/replaced && rmdir /d/type && ln -s new /d/type
ENV A=b
WORKDIR /d/work
RUN rm -rf /d/kept && mkdir /d/kept && mkdir -m 1777 /d/kept/sticky
USER 5
EOF
put "all layers" "" squash
tree_of() { rm -rf "tree-$1" && umoci unpack --rootless --image form:x "tree-$1" >/dev/null 2>&1 && (cd "tree-$1/rootfs" && find . -printf '%y %m %s %n %l %P\n' | grep -v '^d.* $' | sed 's/^d \([0-7]*\) [0-9]* [0-9]*/d \1/' | sort); }
tree_of all >all.list
all=$(jq '.layers | length' "$manifest")
put "--squash" "" --squash squash
is "$(jq '.layers | length' "$manifest")" "$((all - 3))" "the layers of the build are one"
is "$(jq '[.history[] | select(.empty_layer | not)] | length' "$config")" "$((all - 3))" "the history fits"
is "$(jq '.history | length' "$config")" "$(jq '.history | length' "$(config_of form x)")" "and tells all steps"
is "$(jq -c '[.config.User, .config.WorkingDir]' "$config")" '["5","/d/work"]' "the config stays"
tree_of squashed >squashed.list
is "$(wc -l <squashed.list) $(diff all.list squashed.list)" "$(wc -l <all.list) " "the root filesystem is the same"
judge form x
zstd -qdc "$(layer_of)" | tar -t | sort >members
is "$(grep -c large members)" 0 "what went again is in no layer"
is "$(grep '\.wh\.' members | tr '\n' ' ')" ".wh.gone d/.wh.base " "what the base has and the image has not is deleted"
once=$digest
sed 's/^FROM low/& AS first/; s/^ENV/FROM first AS second\n&/' squash/Dockerfile >squash/Dockerfile.stages
put "--squash-stage" "" -f squash/Dockerfile.stages --squash-stage first squash
is "$(jq '.layers | length' "$manifest")" "$((all - 1))" "the layers of one stage are one"
tree_of one >one.list
is "$(diff all.list one.list)" "" "the root filesystem is the same"
judge form x
put "of both stages" "" -f squash/Dockerfile.stages --squash-stage first --squash-stage SECOND squash
is "$(jq '.layers | length' "$manifest")" "$((all - 2))" "each is one"
tree_of both >both.list
is "$(diff all.list both.list)" "" "the root filesystem is the same"
refused 2 'no stage "firts".*did you mean "first"' "a stage that is none" build -f squash/Dockerfile.stages --squash-stage firts squash
printf 'FROM scratch AS apart\nCOPY Dockerfile /\nFROM low\n' >squash/Dockerfile.apart
refused 2 'apart: no such stage is below the result' "a stage that the result is not made from" build -f squash/Dockerfile.apart --squash-stage apart squash
refused 2 '--squash.*type=inline' "a cache in such an image" build --squash --cache-to type=inline squash
refused 2 '--iidfile: the name of a file' "an empty --iidfile" build --iidfile "" squash
refused 1 '--metadata-file /nosuch/x: ' "a place that is not there" build --metadata-file /nosuch/x squash
put "again" "" --squash squash
is "$digest" "$once" "the same bytes"

# ---- pushed

builds "docker://" -q -o "docker://$REGISTRY/a:1" context
builds "type=registry [OUT-01]" -q -o "type=registry,name=$REGISTRY/b" context
builds "type=image,push=true [OUT-01]" -q -o "\"type=image\",\"name=$REGISTRY/c,$REGISTRY/c:2\",\"push=true\"" context
builds "--push" -q -t "$REGISTRY/d" --push context
builds "--push with an output" -q -t "$REGISTRY/e" --push --load -o type=image context
builds "in Docker's types" -q -o "type=registry,name=$REGISTRY/f,oci-mediatypes=false" above
check "which skopeo reads" skopeo copy -q --insecure-policy --src-tls-verify=false "docker://$REGISTRY/f" dir:judged-docker
for name in a:1 b:latest c:latest c:2 d:latest e:latest; do
  is "$(skopeo inspect --tls-verify=false -f '{{.Digest}}' "docker://$REGISTRY/$name")" "$app" "$name is there"
done
is "$("$NACRE" images --format json | jq -r '[.[].name] | map(select(. != null and startswith("127"))) | join(" ")')" \
  "$REGISTRY/c $REGISTRY/c:2 $REGISTRY/d $REGISTRY/e" "names in the store: those of images"
refused 2 'no name to push to' "a push without a name" build -q -o type=registry context
refused 2 'no name to push to' "--push without a name" build -q --push context

# ---- what a build says of itself

builds "--metadata-file [OUT-09]" -q -t app -t two:2 --metadata-file meta.json context
is "$(jq -c '[.["containerimage.digest"], .["containerimage.descriptor"].digest, .["image.name"]]' meta.json)" \
  "[\"$app\",\"$app\",\"docker.io/library/app:latest,docker.io/library/two:2\"]" "digest, descriptor and names"
is "$(jq -r '.["containerimage.config.digest"]' meta.json)" "$("$NACRE" inspect app | jq -r .manifest.config.digest)" "the config"
builds "type=cacheonly" -q -t nameless -o type=cacheonly context
unlike "$T/out" nameless "gives no name"

# ---- what cannot be

refused 2 'type=oic is not known; did you mean oci' "an unknown type" build -o type=oic,dest=x context
refused 2 'this type has no dset; did you mean dest' "an unknown key" build -o type=oci,dset=x context
refused 2 'this type has no name' "a key of another type" build -o type=local,dest=x,name=y context
refused 2 'type=TYPE is missing' "no type" build -o dest=x,tar=true context
refused 2 'no KEY=VALUE' "no value" build -o type=oci,dest context
refused 2 'dest=DIR is missing' "a directory without a name" build -o type=local context
refused 2 'cannot be written to standard output' "a directory as a stream" build -o type=oci,tar=false,dest=- context
refused 2 'true or false' "no truth" build -o type=oci,tar=maybe context
refused 2 'only copy' "another mode" build -o type=local,dest=x,mode=delete context
refused 2 'path is missing' "no path" build -o oci: context
refused 2 'only one output' "two streams" build -o type=tar -o type=oci context
refused 2 'is not a directory' "a file where a directory should be" build -o oci:context/file context
refused 2 'is a directory' "a directory where a file should be" build -o oci-archive:context context
refused 2 'not empty and no image layout' "a layout among other files" build -o oci:context context
refused 1 'No such file' "no directory to write to" build -o oci-archive:none/x.tar context
refused 11 '-o oci-archive:/dev/full: .*No space' "no room, and which output" build -q -o oci-archive:/dev/full context
mkdir trap
ln -s ../outside trap/blobs
touch trap/oci-layout
refused 1 'blobs' "a layout whose blobs are a link" build -q -o oci:trap context
is "$(ls -A outside)" "" "and nothing is written where it leads"

done_testing
