#!/bin/sh
# What -o writes, judged by the programs that read it.
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
need jq skopeo umoci podman buildah python3 unshare
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
refused 9 'damaged' "a blob that has rotted is not shared" --store rotten build -q -o oci:other:app context
is "$([ ! -e "$(blob_of other)" ] && [ "$(jq '.manifests | length' other/index.json)" = 0 ] && echo none)" none "and is not there"

done_testing
