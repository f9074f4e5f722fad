#!/bin/sh
# What is in the store, what goes and what stays.
. "$(dirname "$0")/../lib/common.sh"
need busybox jq strace

mkdir context
cp "$(command -v busybox)" context/busybox
cat >context/Dockerfile <<'END'
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "dd", "if=/dev/urandom", "of=/big", "bs=1M", "count=4"]
RUN --mount=type=cache,target=/c ["/bin/busybox", "dd", "if=/dev/urandom", "of=/c/x", "bs=1M", "count=2"]
END
printf 'FROM app\nCOPY Dockerfile /\n' >context/child

# bytes KIND: of that kind, as du says
bytes() {
  nacre du --format json
  jq --arg k "$1" '.objects[] | select(.kind == $k) | .size' "$T/out"
}

# near A B: within 1 %
near() { [ $((($1 - $2) * 100)) -le "$2" ] && [ $((($2 - $1) * 100)) -le "$2" ]; }

builds "it builds" -t app context || bail "nothing to look at"
first=$digest
builds "and another on top of it" -t child -f context/child context

nacre du --format json
check "du says what du -sb says" near "$(jq .total "$T/out")" "$(du -sb "$STORE" 2>/dev/null | cut -f1)"
is "$(jq '[.objects[].size] | add + 0' "$T/out")" "$(jq '.total - .other' "$T/out")" "the kinds add up"
is "$(jq -c '[.images[] | .shared > 4000000 and .size > .shared]' "$T/out")" '[true,true]' "what images share is told from their own"
nacre du
check "the table has both images" grep -q '^child ' "$T/out"

nacre prune
is "$status" 0 "prune"
builds "a build after it" -t app context
is "$(cached_steps)" 3 "is all cached"
is "$digest" "$first" "and gives the same image"

before=$(bytes snapshots)
nacre prune --all --dry-run
is "$(bytes snapshots)" "$before" "--dry-run removes nothing"

nacre prune --older-than 1h
builds "a build after --older-than 1h" -t app context
is "$(cached_steps)" 3 "is all cached"
find "$STORE/step" "$STORE/snap" "$STORE/list" -maxdepth 1 -name '[0-9a-f]*' -exec touch -a -d '2 hours ago' {} +
nacre prune --older-than 1h
is "$(bytes 'step records')" 0 "what was not used for an hour goes"
is "$(bytes snapshots)" 0 "trees of subordinate ids too"
check "what was used stays" [ "$(bytes 'cache mounts')" -gt 2000000 ]

nacre prune --all
is "$(bytes 'cache mounts') $(bytes blobs) $(bytes listings)" "0 0 0" "--all removes the cache"
nacre run app /bin/busybox ls /big
is "$status" 0 "a named image stays whole"
is "$(find "$STORE/trash" "$STORE/tmp" -mindepth 1 | wc -l)" 0 "nothing is left in trash and tmp"

builds "it builds with --cache-max" --no-cache --cache-max 1MB context
check "a named image may need more, which is said" grep -q 'after all that can be dropped' "$T/err"
is "$(bytes snapshots)" 0 "and the cache is gone"
builds "it builds with room" --cache-max 1GB context
check "and nothing has to go" [ "$(bytes snapshots)" -gt 4000000 ]
refused 2 "a size like" "a size that is none" prune --keep lots
refused 2 "a time like" "an age that is none" prune --older-than yesterday

# A living build keeps what it uses, whatever is pruned meanwhile.
mount='--mount=type=cache,id=other,uid=1000,target=/o'
printf 'FROM app\nRUN %s ["/bin/busybox", "touch", "/o/kept"]\n' "$mount" >context/other
builds "a cache mount of another id is made" -f context/other context
printf 'FROM app\nRUN %s ["/bin/busybox", "sh", "-c", "/bin/busybox echo started; /bin/busybox sleep 4; /bin/busybox ls -l /big /o/kept"]\nCOPY Dockerfile /\n' \
  "$mount" >context/slow
"$NACRE" build -t slow -f context/slow context >"$T/slow" 2>&1 &
build=$!
wait_for 60 grep -q ' started$' "$T/slow" # before that, the cache mount is nobody's
for _ in 1 2 3 4 5 6 7; do
  nacre prune --all
  sleep 0.5
done
wait $build
is "$?" 0 "a build goes on while others prune" || diag_file "$T/slow"
nacre run slow /bin/busybox ls /big
is "$status" 0 "and its image is whole"
nacre prune --all
is "$(find "$STORE/mount" -mindepth 1 ! -name '*.lock')" '' "cache mounts go with what stands beside them"

# What cannot be read now may be whole: nothing that it may lead to is taken away.
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
manifest=$(basename "$(manifest_of "$STORE" slow)")
ls "$STORE/blobs/sha256" >blobs.before
strace -f -qq -o /dev/null -P "blobs/sha256/$manifest" --inject=openat:error=EIO "$NACRE" prune --all >out 2>err
isnt "$?" 0 "a prune stops at a manifest that cannot be read"
like err "$manifest: Input/output error" "and names it"
ls "$STORE/blobs/sha256" >blobs.after
same blobs.before blobs.after "and takes nothing away"
done_testing
