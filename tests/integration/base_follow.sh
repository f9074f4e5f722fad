#!/bin/sh
# A base image is unpacked, or listed, while its blobs come, and nothing of it stays when they come wrong or not at all.
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/fake_registry.sh"

need python3 jq busybox setsid
busybox_layout "$T/busybox"
mkdir base run list
echo first >base/first
head -c 3000000 /dev/urandom >base/rest
sum=$(sha256sum <base/rest | cut -d' ' -f1)
printf 'FROM tools\nCOPY first /a/first\nCOPY first rest /b/\n' >base/Dockerfile
builds 'an image with a large layer' -q --build-context "tools=oci-layout://$T/busybox" -o "oci:$T/layout:base" base || bail 'no image'
start_fake
image=$(digest_of base)
blob=$(jq -r '.layers | max_by(.size).digest' "$T/layout/blobs/sha256/${image#sha256:}")
config=$(jq -r .config.digest "$T/layout/blobs/sha256/${image#sha256:}")
diffid=$(jq -r '.rootfs.diff_ids[-1]' "$T/layout/blobs/sha256/${config#sha256:}" | cut -d: -f2)
printf 'FROM %s/x:base\nRUN [ "$(sha256sum </b/rest | cut -c-64)" = %s ]\n' "$FAKE" "$sum" >run/Dockerfile
printf 'FROM %s/x:base\nCOPY Dockerfile /b/\n' "$FAKE" >list/Dockerfile
export NACRE_DEBUG=1

# at_work DIRECTORY PATTERN: there is such a file, and the blob is not there yet
at_work() { blob_is_absent "$blob" && [ -n "$(find "$STORE/$1" -path "$2" 2>/dev/null)" ]; }
nothing_made() {
  blob_is_absent "$blob" && [ ! -e "$STORE/list/$diffid" ] && [ ! -e "$STORE/layer/$diffid.json" ] &&
    [ -z "$(find "$STORE/snap" -path '*/b/rest' 2>/dev/null)" ]
}
verifies() {
  nacre verify
  is "$status" 0 "$1" || diag_file "$T/out"
}

# ---- it comes slowly

slowly() { # CONTEXT
  control "\"faults\": [{\"match\": \"blobs/$blob\", \"slow\": 1000000}]"
  "$NACRE" build "$1" >"$T/slow.out" 2>"$T/slow.err" </dev/null &
  building=$!
}
slowly run
check 'files are made while the blob comes' wait_for 20 at_work tmp '*/tree/b/first'
check 'and no snapshot' test -z "$(find "$STORE/snap" -path '*/b/rest' 2>/dev/null)"
wait "$building"
is $? 0 'and the command finds all'
unlike "$T/slow.err" 'again when it is all there' 'made once'
is "$(requests ".path | test(\"$blob\")")" 1 'of a blob fetched once'
verifies 'the store is whole'
slowly list
check 'what is to be listed is read while it comes' wait_for 20 at_work lock '*/list-*'
wait "$building"
is $? 0 'and the file is in its place'
unlike "$T/slow.err" 'again when it is all there' 'listed once'
verifies 'the store is whole'

# ---- it comes in parts, or another one than began

control "\"faults\": [{\"match\": \"blobs/$blob\", \"times\": 1, \"drop\": 1000000}]"
builds 'the connection breaks' run
is "$(requests '.headers.range != null')" 1 'and the download goes on where it was'
unlike "$T/err" 'again when it is all there' 'and so does what follows it'
control "\"faults\": [{\"match\": \"blobs/$blob\", \"times\": 1, \"drop\": 1000000},
  {\"match\": \"blobs/$blob\", \"times\": 1, \"no_range\": 1}]"
builds 'the download begins anew' run
unlike "$T/err" 'again when it is all there' 'with the same bytes'
for context in run list; do
  # Another one each time, for else it would count as used up.
  control "\"faults\": [{\"match\": \"blobs/$blob\", \"times\": 1, \"flip\": 70000${#context}, \"slow\": 2000000, \"drop\": 1000000},
    {\"match\": \"blobs/$blob\", \"times\": 1, \"no_range\": 1}]"
  builds "wrong bytes first, then all anew ($context)" "$context"
  like "$T/err" 'again when it is all there' 'what was made of them is made again'
  verifies 'the store is whole'
done

# ---- it does not come

for context in run list; do
  control "\"faults\": [{\"match\": \"blobs/$blob\", \"flip\": 700000}]"
    refused 9 'the bytes that came have digest' "a blob with a wrong byte ($context)" build "$context"
  check 'gives neither snapshot nor listing nor record' nothing_made
  is "$(find "$STORE/tmp" -mindepth 1)" '' 'and leaves nothing behind'
  verifies 'the store is whole'
  printf '{"layout": "%s"}\n' "$T/layout" >"$T/control"
  builds 'the next build has the right one' "$context"
done

control "\"faults\": [{\"match\": \"blobs/$blob\", \"slow\": 500000}]"
setsid "$NACRE" build run >/dev/null 2>&1 </dev/null &
victim=$!
wait_for 20 at_work tmp '*/tree/b/first'
check 'killed in the middle' kill -9 "-$victim"
wait "$victim" 2>/dev/null
check 'nothing is published' nothing_made
verifies 'the store is whole'
printf '{"layout": "%s"}\n' "$T/layout" >"$T/control"
builds 'after a kill' run
verifies 'the store is whole'

done_testing
