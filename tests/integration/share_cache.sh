#!/bin/sh
# --cache-to and --cache-from: runners that have nothing, and a registry or a directory between them.
. "$(dirname "$0")/../lib/common.sh"
need busybox jq zstd skopeo docker-registry python3 curl htpasswd

# The registry's access log, to count what runners ask for.
busybox_registry
stop_registry
sed -i 's/accesslog: {disabled: true}/accesslog: {disabled: false}/' "$registry_dir/config.yml"
OTEL_TRACES_EXPORTER=none docker-registry serve "$registry_dir/config.yml" >"$registry_dir/log" 2>&1 &
at_end="$at_end $!"
wait_for 20 curl -s -o /dev/null "http://$REGISTRY/v2/" || bail "the registry does not start"

mkdir context
cat >context/Dockerfile <<END
FROM $REGISTRY/busybox AS build
RUN --mount=type=secret,id=word,required=true cat /run/secrets/word | wc -c > /length
COPY file /src/file
RUN dd if=/dev/urandom of=/large bs=1024 count=3000 2>/dev/null
WORKDIR /work
RUN cp /src/file out
FROM $REGISTRY/busybox
ENV A=b
RUN echo one > /one
RUN echo two > /two; ln -s two /link
COPY --from=build /work/out /out
RUN cat /one /out > /both
CMD ["cat", "/both"]
END
echo hello >context/file
echo very-secret-word >word
CACHE=$REGISTRY/app:cache

# runner NAME: from here on one that has never built
runner() {
  STORE=$T/$1
  NACRE_STORE=$STORE
}

# asked PATTERN: how often the registry was asked for that since `forget`
asked() { tail -n "+$((seen + 1))" "$registry_dir/log" | grep -cE "$1"; }
forget() { seen=$(wc -l <"$registry_dir/log"); }

# cached DESCRIPTION: everything but FROM came from the cache, and the image is the same
cached() {
  is "$(cached_steps) $digest" "11 $wanted" "$1" || diag_file err 60
}

# document TAG: the manifest of the cache
document() { curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$REGISTRY/v2/app/manifests/$1"; }

# records TAG
records() {
  curl -s "http://$REGISTRY/v2/app/blobs/$(document "$1" | jq -r '.layers[0].digest')" | zstd -dc
}

# ---- a registry

runner first
builds "a build that writes a cache [OUT-05]" --secret id=word,src=word --cache-from "$CACHE" \
  --cache-to "type=registry,ref=$CACHE,mode=max" -t app context || bail "nothing to share"
wanted=$digest
like err 'cache .*app:cache is not there yet' "it says that there is none yet"
like err 'cache .*app:cache is written' "and that it is written now"
is "$(document cache | jq -r .artifactType)" application/vnd.nacre.cache.v1+json "it is an artifact"
is "$(records cache | jq '.steps | length')" 10 "with the steps that have keys"
is "$(document cache | jq '[.layers[].digest] | length == (unique | length)')" true "which names each blob once"
records cache >records.json
unlike records.json 'very-secret|hello|echo|/work|busybox' "and tells nothing of commands, files or secrets"
pushed=$(find "$registry_dir/data" -name data -path '*blobs*' | wc -l)

for n in 2 3 4 5 6 7 8; do
  runner "runner$n"
  forget
  builds "runner $n builds" --cache-from "$CACHE" --secret id=word,src=word --cache-to "type=registry,ref=$CACHE,mode=max" \
    -t app context
  cached "runner $n runs nothing"
done
is "$(asked '"(PUT|POST|PATCH) ')" 0 "who finds everything writes nothing"
is "$(find "$registry_dir/data" -name data -path '*blobs*' | wc -l)" "$pushed" "the registry has each blob once"
nacre verify
is "$status" 0 "the store of the last one is sound" || diag_file out
builds "it builds again, without the cache" --secret id=word,src=word --target build context
like err 'RUN dd' "what nobody fetched is made again"

# ---- what is fetched

runner lazy
large=$(records cache | jq -r '[.steps[].layer // empty] | max_by(.size) | .digest')
records_blob=$(document cache | jq -r '.layers[0].digest')
forget
builds "a build of one more runner" --cache-from "type=registry,ref=$CACHE" -t app --secret id=word,src=word context
cached "runs nothing"
is "$(asked "GET /v2/app/blobs/$large")" 0 "the layer that nothing of the result needs is not fetched"
is "$(asked 'GET /v2/app/manifests/cache')" 1 "the cache is looked at once"
is "$(asked "GET /v2/app/blobs/$records_blob")" 1 "and its records are read once"
is "$(asked 'GET /v2/app/blobs/')" 11 "besides the six listings of what is copied from, and the four layers of the result"
is "$(asked 'GET /v2/busybox/blobs/')" 2 "of the base image its config, and its layer once"
echo changed >context/file
builds "what changed" --cache-from "$CACHE" -t app --secret id=word,src=word context
is "$(cached_steps)" 4 "runs, and what stands on it" || diag_file err 60
is "$(asked "GET /v2/app/blobs/$large")" 0 "below what runs nothing is fetched that is not needed"
echo hello >context/file

# ---- min, and merging

runner minimal
builds "a cache of the result only" --secret id=word,src=word --cache-to "type=registry,ref=$REGISTRY/app:min" context
is "$(records min | jq '.steps | length')" 5 "has the steps of the result's stage"
cat >context/other <<END
FROM $REGISTRY/busybox
RUN echo other > /other
END
builds "another build into the same cache" -f context/other --cache-to "$REGISTRY/app:min" context
is "$(records min | jq '.steps | length')" 6 "adds to it"

# writers N CACHE: so many builds at once, each with two steps of its own
writers() {
  writer_ids=
  for n in $(seq "$1"); do
    mkdir -p "context-$n"
    printf 'FROM %s/busybox\nRUN echo %s1 > /1\nRUN echo %s2 > /2\n' "$REGISTRY" "$n" "$n" >"context-$n/Dockerfile"
    "$NACRE" --store "$T/writer-$n" build --cache-to "$2" "context-$n" >"out-$n" 2>"err-$n" &
    writer_ids="$writer_ids $!"
  done
  for n in $writer_ids; do wait "$n" || return 1; done
}
check "two writers at once" writers 2 "$REGISTRY/app:two"
is "$(records two | jq '.steps | length')" 4 "lose nothing of each other" || diag_file err-1

# ---- a directory

runner local
builds "a cache in a directory" --secret id=word,src=word --cache-to "type=local,dest=dir,mode=max" -t app context
wanted_here=$digest
check "four writers at once" writers 4 type=local,dest=four
four=$(jq -r '.manifests[0].digest' four/index.json | cut -d: -f2)
four=$(jq -r '.layers[0].digest' "four/blobs/sha256/$four" | cut -d: -f2)
is "$(zstd -dc <"four/blobs/sha256/$four" | jq '.steps | length')" 8 "lose nothing of each other"
is "$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' dir/index.json)" latest "which is a layout"
runner local2
builds "from a directory" --secret id=word,src=word --cache-from "type=local,src=dir" -t app context
is "$(cached_steps) $digest" "11 $wanted_here" "nothing runs" || diag_file err 60
nacre verify
is "$status" 0 "the store is sound"
builds "passed on" --secret id=word,src=word --cache-from type=local,src=dir \
  --cache-to "type=registry,ref=$REGISTRY/app:passed,mode=max" -t app context
runner local3
builds "and taken" --secret id=word,src=word --cache-from "$REGISTRY/app:passed" -t app context
is "$(cached_steps) $digest" "11 $wanted_here" "layers that were never here too" || diag_file err 60

# ---- in the image

runner inline
builds "a cache in the image" -f context/other --cache-to type=inline -o oci:image:latest context
wanted_inline=$digest
push image:latest app:inline
runner inline2
builds "from an image" -f context/other --cache-from "$REGISTRY/app:inline" --cache-to type=inline context
is "$(cached_steps) $digest" "1 $wanted_inline" "nothing runs, and the image is the same" || diag_file err
runner inline3
builds "an image without a cache in it" -f context/other --cache-from "$REGISTRY/busybox" context
like err 'WARNING: the cache .*busybox.* is not used: there is no cache of nacre in it' "is said to have none"
builds "a cache is not written over an image" -f context/other --cache-to "$REGISTRY/app:inline" context
like err 'WARNING: the cache .*app:inline is not written: there is something else of that name' "with a warning"
refused 9 'something else of that name' "which is an error where that is wanted" build -f context/other \
  --cache-to "type=registry,ref=$REGISTRY/app:inline,ignore-error=false" context

# ---- broken caches

# spoiled NAME: dir as a cache of its own, which a command then changes
blob() { echo "broken/blobs/sha256/${1#sha256:}"; }
copy_cache() {
  remove_tree broken
  cp -R dir broken
  chmod -R u+w broken
  broken_manifest=$(jq -r '.manifests[0].digest' broken/index.json)
  broken_records=$(jq -r '.layers[0].digest' "$(blob "$broken_manifest")")
}

# put FILE: into broken's blobs; prints its digest
put() {
  put_digest=$(sha256sum <"$1" | cut -d' ' -f1)
  cp "$1" "broken/blobs/sha256/$put_digest"
  echo "sha256:$put_digest"
}

# new_records FILE: these are the records of broken
new_records() {
  jq -c --arg d "$(put "$1")" --argjson s "$(stat -c %s "$1")" '.layers[0].digest = $d | .layers[0].size = $s' \
    "$(blob "$broken_manifest")" >new-manifest
  jq -c --arg d "$(put new-manifest)" --argjson s "$(stat -c %s new-manifest)" \
    '.manifests[0].digest = $d | .manifests[0].size = $s' broken/index.json >new-index
  cp new-index broken/index.json
}

# change_records JQ: another text of the records
change_records() {
  zstd -dcq "$(blob "$broken_records")" | jq -c "$1" | zstd -q >new-records
  new_records new-records
}

# survives WHAT WARNING: a build with the broken cache goes well, says so once, and its store and image are sound
survives() {
  runner "broken$((broken_n = ${broken_n:-0} + 1))"
  builds "$1" --secret id=word,src=word --cache-from type=local,src=broken -t app context
  is "$(grep -c 'WARNING: ' err)" 1 "… says so once" || diag_file err 60
  like err "WARNING: .*$2" "… and why"
  nacre verify
  is "$status" 0 "… and the store is sound" || diag_file out
  builds "… without it" --secret id=word,src=word -t app context
  is "$(grep -c DONE err)" 2 "… all is cached" || diag_file err 60
  remove_tree "$STORE"
}

copy_cache
truncate -s 100 "$(blob "$broken_records")"
survives "a cache whose records are cut short" 'is not used'
copy_cache
zstd -dcq "$(blob "$broken_records")" | head -c 300 | zstd -q >new-records
new_records new-records
survives "a cache whose records are half a document" 'is not used'
copy_cache
change_records '.version = 2'
survives "a cache of another version" 'not of version 1'
copy_cache
change_records '.steps[0].layer.mediaType = "../../etc"'
survives "a cache with a layer that is none" 'is not used'
copy_cache
head -c 20000000 /dev/zero | zstd -q >new-records
new_records new-records
survives "a cache of too many bytes" 'is not used: .*larger than'
copy_cache
change_records '(.steps[] | select(.layer) | .layer.digest) |= "sha256:" + ("0" * 64)'
survives "a cache whose layers are not there" 'begins again without it'
copy_cache
change_records '([.steps[] | select(.layer) | .layer] | min_by(.size)) as $small |
  (.steps[] | select(.layer) | .layer) |= (. + {digest: $small.digest, size: $small.size, mediaType: $small.mediaType})'
survives "a cache with other layers than it says" 'diffID'
copy_cache
printf 'nacre-listing 1\n' | zstd -q >new-listing
change_records ".listings[] |= (.digest = \"$(put new-listing)\" | .size = $(stat -c %s new-listing))"
runner listing
builds "a cache with false listings" --secret id=word,src=word --cache-from type=local,src=broken -t app context
nacre verify
is "$status" 0 "… leaves a sound store" || diag_file out
copy_cache
echo '{' >broken/index.json
survives "a directory with a broken index" 'is not used'

# A step that runs reads the layers; what came on standard input comes only once.
copy_cache
change_records '(.steps[] | select(.layer) | .layer.digest) |= "sha256:" + ("0" * 64)'
runner stdin
mkdir input
sed 's/^CMD.*/RUN cat \/both/' context/Dockerfile >input/Dockerfile
cp context/file input/file
tar c -C input . >context.tar
"$NACRE" build --secret id=word,src=word --cache-from type=local,src=broken - <context.tar >out 2>err
is $? 0 "a broken cache, a context on standard input, and a step that runs" || diag_file err
is "$(grep -c 'begins again without it' err)" 1 "… begins again"

# ---- a place somebody has prepared

mkdir -p prepared outside/sha256
ln -s ../outside prepared/blobs
runner prepared-store
builds "a directory with a link for its blobs" -f context/other --cache-to type=local,dest=prepared context
like err 'WARNING: the cache prepared:latest is not written.*blobs' "gets no cache"
is "$(find outside -type f)" '' "and nothing is written where the link leads"

# ---- a login

plain=$REGISTRY
start_registry auth
mkdir -p "$HOME/.docker"
printf '{"auths": {"%s": {"auth": "%s"}}}' "$REGISTRY" "$(printf me:secret | base64)" >"$HOME/.docker/config.json"
chmod 600 "$HOME/.docker/config.json"
runner login
builds "a cache behind a login" -f context/other --cache-from "$REGISTRY/app" --cache-to "$REGISTRY/app" context
unlike err WARNING "is written"
runner login2
builds "and read" -f context/other --cache-from "$REGISTRY/app" context
is "$(cached_steps)" 1 "by who has one" || diag_file err
grep -rslE "bWU6c2VjcmV0|me:secret" "$STORE" "$T/login" "$registry_dir/data" >found
is "$(cat found)" "" "the login is in no store and no cache"
rm "$HOME/.docker/config.json"
runner login3
builds "without one" -f context/other --cache-from "$REGISTRY/app" --cache-to "$REGISTRY/app" context
is "$(grep -c 'WARNING: the cache' err)" 2 "there is a warning for each" || diag_file err
REGISTRY=$plain

# ---- words

refused 2 'type=gha is not supported; there are registry, local and inline' "type=gha" build --cache-to type=gha context
refused 2 'type=s3 is not supported' "type=s3" build --cache-from type=s3,bucket=b context
refused 2 'mode=all' "an unknown mode" build --cache-to "type=registry,ref=$CACHE,mode=all" context

done_testing
