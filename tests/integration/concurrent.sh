#!/bin/sh
# Many builds and prunes on one store at once: concurrent.sh [long]
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/fake_registry.sh"
need busybox jq setsid
BUILDS=6 FILES=8 ROUNDS=2
[ "${1:-}" != long ] || BUILDS=16 FILES=32 ROUNDS=10
busybox_layout "$T/layout"
start_fake

# ---- the same build at once: everything is fetched and run once

mkdir context
seq 3000 >context/data
cat >context/Dockerfile <<END
FROM $FAKE/busybox AS tool
LABEL of=tool
RUN --mount=type=cache,id=count,target=/c echo tool >>/c/ran; sleep 1; echo tool >/tool
FROM $FAKE/busybox
LABEL of=app
WORKDIR /app
COPY data .
RUN --mount=type=cache,id=count,target=/c echo one >>/c/ran; sleep 1; head -c 9 /dev/urandom >/one
RUN --mount=type=cache,id=count,target=/c echo two >>/c/ran; cp /one /two
COPY --from=tool /tool /tool
RUN --mount=type=cache,id=count,target=/c echo three >>/c/ran; sleep 0.5; head -c 9 /dev/urandom >/three
END
cat >context/counts <<END
FROM $FAKE/busybox
RUN --mount=type=cache,id=count,target=/c sort /c/ran >/ran
CMD cat /ran
END
i=0
pids=
while [ $i -lt $BUILDS ]; do
  i=$((i + 1))
  "$NACRE" build -t "same$i" context >"$T/same$i" 2>"$T/same$i.err" </dev/null &
  pids="$pids $!"
done
failed=0
i=0
for pid in $pids; do
  i=$((i + 1))
  wait "$pid" && continue
  failed=$((failed + 1))
  diag_file "$T/same$i.err"
done
is "$failed" 0 "$BUILDS equal builds of an empty store succeed"
is "$(for i in $(seq $BUILDS); do head -n 1 "$T/same$i"; done | sort -u | wc -l)" 1 "and give one image"
jq -r 'select(.path | test("/(blobs|manifests)/")) | .path' "$T/requests" | sort | uniq -c | sort -n >"$T/fetched"
nacre images
is "$(grep -c '^same' "$T/out")" "$BUILDS" "and every one has its name"
is "$(awk '$1 > 1' "$T/fetched")" '' "no document and no blob is fetched twice"
check "though they are fetched" [ "$(grep -c /blobs/ "$T/fetched")" -ge 2 ]
builds "what they left to count is read" -t counts -f context/counts context
nacre run counts
printf 'one\nthree\ntool\ntwo\n' >"$T/wanted"
same "$T/wanted" "$T/out" "every RUN ran once"
is "$(find "$STORE/tmp" "$STORE/trash" -mindepth 1 | wc -l)" 0 "nothing is left in tmp and trash"
is "$(find "$STORE/lock" -name '*-*' | wc -l)" 0 "and no lock of a step or blob"
cat >context/twins <<END
FROM $FAKE/busybox AS a
RUN --mount=type=cache,id=twin,target=/c echo x >>/c/ran; sleep 1
FROM $FAKE/busybox AS b
RUN --mount=type=cache,id=twin,target=/c echo x >>/c/ran; sleep 1
FROM $FAKE/busybox
COPY --from=a /etc/passwd /a
COPY --from=b /etc/group /b
RUN --mount=type=cache,id=twin,target=/c [ "\$(cat /c/ran)" = x ]
END
builds "equal steps in two stages run once" -f context/twins context

cat >context/forks <<END
FROM $FAKE/busybox AS a
RUN sleep 0.5; head -c 9 /dev/urandom >/one; echo one ran
RUN head -c 9 /dev/urandom >/two; echo two ran
COPY data /
FROM $FAKE/busybox AS b
RUN sleep 0.5; head -c 9 /dev/urandom >/one; echo one ran
RUN head -c 9 /dev/urandom >/two; echo two ran
COPY data /
RUN head -c 9 /dev/urandom >/own
FROM $FAKE/busybox AS common
RUN head -c 9 /dev/urandom >/below; echo below ran
FROM common AS c
RUN sleep 0.5; head -c 9 /dev/urandom >/three; echo three ran
FROM common AS d
RUN sleep 0.5; head -c 9 /dev/urandom >/three; echo three ran
FROM $FAKE/busybox
COPY --from=a /one /two /data /x/
COPY --from=c /three /below /x/
COPY --from=b /one /two /data /y/
COPY --from=d /three /below /y/
RUN diff -r /x /y
END
for option in '' --no-cache; do
  # shellcheck disable=SC2086
  builds "stages that begin alike have the same files (${option:-by default})" $option -f context/forks context
  is "$(sed -n 's/^#[0-9]* [0-9.]* \([a-z]* ran\)$/\1/p' "$T/err" | sort | tr '\n' ' ')" "below ran one ran three ran two ran " \
    "because each step ran once" || diag_file "$T/err" 60
done
first=$digest
builds "from the cache" -f context/forks context
is "$digest" "$first" "the result of the last one is found"

# Each runs first what the other runs last.
cat >context/there <<END
FROM $FAKE/busybox AS a
RUN sleep 1; echo a
FROM $FAKE/busybox AS b
RUN sleep 1.2; echo b
FROM a
COPY --from=b /etc/passwd /b
END
cat >context/back <<END
FROM $FAKE/busybox AS b
RUN sleep 1.2; echo b
FROM $FAKE/busybox AS a
RUN sleep 1; echo a
FROM b
COPY --from=a /etc/passwd /a
END
printf 'FROM %s/busybox\nRUN sleep 1; false\n' "$FAKE" >context/fails
pids=
for f in there back fails fails; do
  timeout 60 "$NACRE" build -f context/$f context >/dev/null 2>&1 </dev/null &
  pids="$pids $!"
done
statuses=
for pid in $pids; do
  wait "$pid"
  statuses="$statuses $?"
done
is "$statuses" " 0 0 5 5" "builds do not wait in a circle, nor for ever for a step that fails"

# The tree of an upper layer is there before the one of a lower, which another build makes, is found.
snaps() { (cd "$STORE/snap" && find . -maxdepth 1 -name '*[0-9a-f]' | sort); }
printf 'FROM %s/busybox\nRUN echo below >/below\n' "$FAKE" >context/below
snaps >"$T/snaps"
builds "a lower layer" -f context/below context
lower=$(snaps | comm -13 "$T/snaps" -)
printf 'COPY --link data /above\nRUN cat /below /above\n' | cat context/below - >context/above
builds "and an upper one" -f context/above context
for tree in "$STORE"/snap/*/tree; do
  [ ! -e "$tree/above" ] || upper=$(basename "${tree%/tree}")
done
for snap in "$lower" "$upper"; do
  mv "$STORE/snap/$snap" "$STORE/snap/$snap.aside"
  mv "$STORE/snap/$snap.json" "$STORE/snap/$snap.json.aside"
done
{
  flock 9
  echo 'RUN cat /above /below' | cat context/above - >context/late
  "$NACRE" build -f context/late context >"$T/late" 2>"$T/late.err" 9>&- </dev/null &
  pid=$!
  sleep 1
  mv "$STORE/snap/$lower.aside" "$STORE/snap/$lower"
  mv "$STORE/snap/$lower.json.aside" "$STORE/snap/$lower.json"
} 9>"$STORE/lock/snap-${lower#./}"
check "a tree that is found late is enough" wait "$pid" || diag_file "$T/late.err"
rm -rf "$STORE/snap/$upper.aside" "$STORE/snap/$upper.json.aside"

# ---- many builds, some killed, while others prune

file_of() { # N
  cat <<END
FROM $FAKE/busybox
LABEL n=$(($1 % 3))
WORKDIR /w
COPY data .
RUN wc -l data >lines
RUN echo $(($1 % 4)) >kind; seq 20000 >numbers
COPY --link data /other
RUN echo $1 >own
END
}

# What a prune took away is made again: only without a clock the same.
SOURCE_DATE_EPOCH=1700000000
export SOURCE_DATE_EPOCH
n=0
while [ $n -lt $FILES ]; do
  n=$((n + 1))
  file_of $n >"context/file$n"
done

# below N: a random number
below() { echo $(($(od -An -N2 -tu2 /dev/urandom) % $1)); }

# one N PERCENT: in a session of its own, which is killed as a whole
one() {
  rm -f "$T/killed$1"
  setsid "$NACRE" build -f "context/file$1" context >"$T/digest$1" 2>"$T/err$1" </dev/null &
  build=$!
  if [ "$(below 100)" -lt "$2" ]; then
    : >"$T/killed$1"
    sleep "$(below 3).$(below 10)"
    kill -9 "-$build"
  fi 2>/dev/null
  wait $build
  echo $? >"$T/status$1"
}

look_at() { # N
  [ ! -e "$T/killed$1" ] || return 0
  survivors=$((survivors + 1))
  [ -e "$T/first$1" ] || cp "$T/digest$1" "$T/first$1"
  [ "$(cat "$T/status$1")" != 0 ] || ! cmp -s "$T/digest$1" "$T/first$1" || return 0
  failed=$((failed + 1))
  diag "file$1 gives $(cat "$T/digest$1"), first it was $(cat "$T/first$1")"
  diag_file "$T/err$1"
}

round() { # PERCENT
  pids=
  for n in $(seq $FILES); do
    one "$n" "$1" 2>/dev/null &
    pids="$pids $!"
  done
  # shellcheck disable=SC2086
  wait $pids
  for n in $(seq $FILES); do look_at "$n"; done
}

while :; do
  "$NACRE" prune --all >"$T/prune.out" 2>"$T/prune.err" </dev/null || cat "$T/prune.err" >>"$T/prune.failed"
  sleep 2
done &
pruner=$!
at_end="$at_end $pruner"
failed=0 survivors=0
for _ in $(seq $ROUNDS); do round 20; done
kill $pruner
wait $pruner 2>/dev/null
is "$failed" 0 "$survivors builds among prunes, beside others that are killed, succeed and agree"
check "no prune fails" [ ! -e "$T/prune.failed" ] || diag_file "$T/prune.failed"
failed=0
round 0
is "$failed" 0 "afterwards the store gives the same images"
nacre prune --all
is "$status" 0 "a last prune"
is "$(cd "$STORE" && find tmp trash snap list step -mindepth 1)" '' "removes all that the killed left"
is "$(find "$STORE/lock" -name '*-*')" '' "and their locks"
done_testing
