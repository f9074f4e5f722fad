#!/bin/sh
# Several platforms in one build: an index that skopeo, umoci and podman take, stages that are shared, names of it.
. "$(dirname "$0")/../lib/common.sh"
need skopeo umoci podman jq busybox curl
busybox_layout "$T/base"

mkdir context
for arch in amd64 arm64 arm; do echo "made for $arch" >context/$arch; done
cat >context/Dockerfile <<'E'
FROM --platform=$BUILDPLATFORM base AS build
RUN cat /proc/sys/kernel/random/uuid > /word
ARG TARGETARCH
RUN echo "$(cat /word) $TARGETARCH" > /out
FROM scratch
ARG TARGETARCH TARGETPLATFORM TARGETVARIANT
COPY --from=build /out /word /
COPY $TARGETARCH /binary
LABEL platform=$TARGETPLATFORM variant=$TARGETVARIANT
E
base=base=oci-layout://$T/base:latest
all=linux/amd64,linux/arm64

builds "three platforms, cross-compiled: nothing foreign runs" --build-context "$base" --platform $all --platform linux/arm/v7 \
  --compression gzip -t app -o "oci:$T/layout:app" context
index=$(head -n 1 out)
like err '^#[0-9]* \[linux/amd64 build 2/4\] RUN' "titles say the platform"
like err '^#[0-9]* \[linux/amd64->arm64 build 4/4\] RUN' "and the one that a step is for"
like err 'the same step runs in another stage' "a shared step runs once"
nacre inspect app
mv out inspect
is "$(jq -r .digest inspect)" "$index" "what is printed is the digest of the index"
skopeo inspect --raw "oci:$STORE:app" >raw
is "sha256:$(sha256sum <raw | cut -d ' ' -f 1)" "$index" "skopeo finds it in the store"
is "$(jq -c '[.mediaType, (.manifests[] | [.platform.os, .platform.architecture, .platform.variant])]' raw)" \
  '["application/vnd.oci.image.index.v1+json",["linux","amd64",null],["linux","arm64",null],["linux","arm","v7"]]' \
  "with the platforms in the order asked for"
skopeo inspect --raw "oci:$T/layout:app" >raw.out
same raw raw.out "-o oci:DIR has the same index"
for p in amd64 arm64 arm; do
  is "$(skopeo inspect --override-os linux --override-arch $p "oci:$T/layout:app" | jq -r .Architecture)" $p "skopeo chooses $p"
done
is "$(jq -r '.images[] | .config.config.Labels | .platform + " " + .variant' inspect | paste -sd ';')" \
  "linux/amd64 ;linux/arm64 ;linux/arm/v7 v7" "each has the ARGs of its platform"

rm -rf bundle
skopeo copy -q --override-os linux --override-arch arm64 "oci:$T/layout:app" "oci:$T/one:app"
check "umoci unpacks one of them" umoci unpack --rootless --image "$T/one:app" bundle
is "$(cat bundle/rootfs/binary)" "made for arm64" "with the files of its platform"
word=$(cat bundle/rootfs/word)
is "$(cat bundle/rootfs/out)" "$word arm64" "and what was compiled for it"
is "$(jq -r '.images[] | .manifest.layers[0].digest' inspect | sort -u | wc -l)" 3 "each has its own layers"

builds "again" --build-context "$base" --platform $all,linux/arm/v7 --compression gzip -t app context
is "$("$NACRE" inspect app | jq -r .digest)" "$index" "all is cached, and the index the same"
builds "one platform is an image, no index" --build-context "$base" --platform linux/arm64 --compression gzip -t one context
is "$("$NACRE" inspect one | jq -r .manifest.mediaType)" application/vnd.oci.image.manifest.v1+json "as before"
is "$("$NACRE" inspect one | jq -r .digest)" "$(jq -r '.manifests[1].digest' raw)" "the very one of the index"
builds "the same platform twice is one" --build-context "$base" --platform local,linux/amd64,linux/x86_64 -t two context
refused 2 'is no platform' "a platform that is none" build --platform linux/amd64,nonsense context
many=$(seq -f 'linux/cpu%g' -s , 32)
refused 2 'more than 32' "too many" build --check --platform "$many,linux/cpu33" context
nacre build --check --platform "$many" --build-context "$base" context
unlike err 'more than 32' "32 are not"
printf 'FROM scratch\nCOPY $UNKNOWN /x\n' >context/warned
nacre build --check --platform $all -f context/warned context
several=$(cat out)
nacre build --check -f context/warned context
is "$several" "$(cat out)" \
  "what is wrong for every platform is said once"

is "$("$NACRE" images --format json | jq -c '.[] | select(.name == "app").platforms')" '["linux/amd64","linux/arm64","linux/arm/v7"]' \
  "nacre images lists its platforms"
is "$("$NACRE" history --format json app | jq length)" 4 "nacre history shows this machine's image"
nacre tag app again
nacre rmi app
nacre prune
is "$("$NACRE" inspect again | jq -r '.images | length')" 3 "a prune leaves what a named index leads to"
check "and nothing is missing" nacre verify
nacre save -o "$T/archive.tar" again
is "$(skopeo inspect --raw "oci-archive:$T/archive.tar" | sha256sum | cut -d ' ' -f 1)" "${index#sha256:}" "nacre save keeps the index"
nacre save --format docker-archive -o "$T/docker.tar" again
is "$(skopeo inspect "docker-archive:$T/docker.tar" | jq -r .Architecture)" amd64 "a docker archive has this machine's image"
start_registry
check "nacre push sends all of it" "$NACRE" push again "$REGISTRY/app:all"
is "$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/app:all" | sha256sum | cut -d ' ' -f 1)" "${index#sha256:}" \
  "the registry has the same index"
check "and the image for arm64" skopeo copy -q --src-tls-verify=false --override-arch arm64 "docker://$REGISTRY/app:all" \
  "oci:$T/pulled:app"
nacre --store "$T/all" pull -q --all-platforms "$REGISTRY/app:all"
is "$(cat out)" "$index" "nacre pull --all-platforms prints the digest of the index"
is "$("$NACRE" --store "$T/all" images --format json | jq -c '.[].platforms')" '["linux/amd64","linux/arm64","linux/arm/v7"]' \
  "and has all of its images"
check "with all of their layers" nacre --store "$T/all" verify
nacre --store "$T/all" save -o "$T/all.tar" "$REGISTRY/app:all"
is "$(skopeo inspect --raw "oci-archive:$T/all.tar" | sha256sum | cut -d ' ' -f 1)" "${index#sha256:}" "nacre save has the same index"
nacre --store "$T/all" pull -q "$REGISTRY/app:all"
is "$("$NACRE" --store "$T/all" inspect "$REGISTRY/app:all" | jq -r .digest)" "$(jq -r '.manifests[0].digest' raw)" \
  "without it, this machine's image"
# What BuildKit puts beside images comes with them.
put_blob() {
  place=$(curl -fsS -X POST -o upload -D - "http://$REGISTRY/v2/app/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
  curl -fsS -X PUT --data-binary "@$1" -H 'Content-Type: application/octet-stream' "$place&digest=$(digest_of "$1")"
}
digest_of() { echo "sha256:$(sha256sum <"$1" | cut -d ' ' -f 1)"; }
put_manifest() { curl -fsS -X PUT -H "Content-Type: $(jq -r .mediaType "$1")" --data-binary "@$1" "http://$REGISTRY/v2/app/manifests/$2"; }
echo '{"_type":"https://in-toto.io/Statement/v0.1"}' >statement
jq -cn --arg d "$(digest_of statement)" \
  '{architecture: "unknown", os: "unknown", config: {}, rootfs: {type: "layers", diff_ids: [$d]}}' >config
jq -cn --arg c "$(digest_of config)" --argjson cs "$(stat -c %s config)" --arg s "$(digest_of statement)" --argjson ss "$(stat -c %s statement)" \
  '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $c, size: $cs},
    layers: [{mediaType: "application/vnd.in-toto+json", digest: $s, size: $ss}]}' >manifest
jq -c --arg d "$(digest_of manifest)" --argjson s "$(stat -c %s manifest)" '.manifests += [{mediaType: .manifests[0].mediaType, digest: $d, size: $s,
  annotations: {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": .manifests[0].digest},
  platform: {architecture: "unknown", os: "unknown"}}]' raw >with
put_blob statement
put_blob config
put_manifest manifest "$(digest_of manifest)"
put_manifest with attested
nacre --store "$T/all" pull -q --all-platforms "$REGISTRY/app:attested"
is "$(cat out)" "$(digest_of with)" "an index with attestations is taken as a whole"
check "with their documents" cmp statement "$T/all/blobs/sha256/$(sha256sum <statement | cut -d ' ' -f 1)"
refused 2 'cannot both' "one platform and all" pull --platform linux/arm64 --all-platforms "$REGISTRY/app:all"
check "podman loads the archive" podman --root "$T/podman" --runroot "$T/podman.run" load -i "$T/archive.tar"
printf 'FROM again\nLABEL more=yes\n' >context/next
builds "FROM an index" --platform linux/arm64 -t next -f context/next context
is "$("$NACRE" inspect next | jq -r '.config.architecture + " " + .config.config.Labels.platform')" "arm64 linux/arm64" \
  "takes the image of it that fits"
done_testing
