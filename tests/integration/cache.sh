#!/bin/sh
# The build cache: what did not change does not run again, what changed does, by content. Each RUN writes a random word, so equal
# digests show that nothing ran.
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
need skopeo jq
busybox_registry

mkdir -p context/sub
echo one >context/one
echo two >context/sub/two
cat >context/Dockerfile <<EOF
FROM $REGISTRY/busybox AS base
RUN cat /proc/sys/kernel/random/uuid > /first
COPY one /one
RUN cat /proc/sys/kernel/random/uuid > /second
FROM base
ARG WORD=default
COPY sub /sub
RUN echo \$WORD > /word; cat /proc/sys/kernel/random/uuid > /third
ENV A=b
LABEL c=d
CMD ["cat", "/first", "/second", "/third"]
EOF

builds "it builds" -t app context || bail "nothing to compare"
first=$digest
nacre run --rm app
cp out words

# unchanged DESCRIPTION ARGUMENT…: builds to the same image
unchanged() {
  unchanged_what=$1
  shift
  nacre build "$@"
  is "$(head -n 1 out)" "$first" "$unchanged_what" || diag_file err
}

# runs WHICH DESCRIPTION ARGUMENT…: builds, and just these words are new
runs() {
  runs_which=$1 runs_what=$2
  shift 2
  nacre build -t other "$@" || diag_file err
  nacre run --rm other
  is "$(paste words out | awk '$1 != $2 { printf "%d", NR }')" "$runs_which" "$runs_what"
}

unchanged "an unchanged build runs nothing" -t app context
touch -d @1000000000 context/one
unchanged "a new modification time alone does not count [CP-23]" context
cp -a context elsewhere
unchanged "the same content in another directory" elsewhere
echo unused >context/unused
unchanged "a file that no instruction takes" context
unchanged "a build argument that is given its default" --build-arg WORD=default context
unchanged "another -f with the same text" -f "$T/elsewhere/Dockerfile" context
printf 'sub/hidden\n' >context/.dockerignore
echo hidden >context/sub/hidden
unchanged "an ignored file" context
rm context/.dockerignore context/sub/hidden
{ echo '# a comment'; cat context/Dockerfile; } >commented
unchanged "a comment" -f commented context

runs 3 "another value of ARG runs what follows it [ARG-09]" --build-arg WORD=other context
echo changed >context/sub/two
runs 3 "a changed file below a copied directory" context
echo two >context/sub/two
chmod 755 context/sub/two
runs 3 "a changed mode" context
chmod 644 context/sub/two
ln -s two context/sub/link
runs 3 "an added link" context
rm context/sub/link
echo changed >context/one
runs 23 "a changed file runs what follows its COPY" context
echo one >context/one
unchanged "back to the first state" context
runs 123 "--no-cache runs everything [OUT-08, RUN-19]" --no-cache context

nacre build -t app context || diag_file err
first=$(head -n 1 out)
nacre run --rm app
cp out words
sed 's/^FROM base/FROM base AS last/' context/Dockerfile >renamed
unchanged "a stage's name" -f renamed context
sed 's/ENV A=b/ENV A=c/' context/Dockerfile >last-env
runs "" "ENV at the end runs nothing" -f last-env context

# The base moves on.
mkdir moved
printf 'FROM %s/busybox\nRUN echo moved > /moved\n' "$REGISTRY" >moved/Dockerfile
nacre build -o "oci:$T/moved-layout:latest" moved || diag_file err
push "$T/moved-layout:latest" busybox:latest
runs 123 "--pull sees that the base changed [OUT-08]" --pull context

# --link stands on nothing.
mkdir linked
echo 1 >linked/below
echo 2 >linked/above
printf 'FROM %s/busybox\nCOPY below /\nRUN cp /below /copy\nCOPY --link above /d/\nRUN cat /d/above\n' "$REGISTRY" >linked/Dockerfile
nacre build linked || diag_file err
echo 3 >linked/below
nacre build linked
is "$(cached_steps)" 1 "COPY --link is cached above steps that run again [CP-18]"

# The images of steps are found in the log of the build before or made anew, which is one and the same.
mkdir steps
echo 1 >steps/file
step_images() {
  printf 'FROM scratch\nLABEL a=%s\nCOPY file /1\nENV b=c\nCOPY file /2\nCMD ["x"]\n' "$1" >steps/Dockerfile
  nacre build steps || diag_file err
  jq -c '[.steps[].image]' "$STORE/log/last.json"
}
blob() { echo "$STORE/blobs/sha256/${1#sha256:}"; }
step_images 1 >made
step_images 1 >found
same made found "a rebuild has the images of all steps"
rm "$STORE"/log/*-*.json
step_images 1 >found
same made found "and without the log of the build before"
manifest=$(blob "$(jq -r '.[3]' made)")
config=$(blob "$(jq -r .config.digest "$manifest")")
cp "$manifest" manifest
cp "$config" config
rm "$manifest"
: >"$config"
step_images 1 >found
same made found "nor does it matter that one is gone"
same manifest "$manifest" "it is made again"
same config "$config" "and its config, of which a power cut left nothing"
step_images 2 >labelled
is "$(jq -c --slurpfile made made '[.[1:][] | select(IN($made[0][]))]' labelled)" "[]" "another label is in each of them"
rm "$STORE"/log/*-*.json
step_images 2 >found
same labelled found "whatever the log had"

# Two at once give one result.
printf 'FROM %s/busybox\nRUN sleep 1; cat /proc/sys/kernel/random/uuid > /word\n' "$REGISTRY" >moved/Dockerfile
"$NACRE" build -q moved >left 2>left.err &
pid=$!
"$NACRE" build -q moved >right 2>right.err
wait $pid
check "both of two equal builds at once succeed" test -s left -a -s right
nacre build -q moved
check "and the next agrees with one of them" grep -qx -f out left right

# What changes while a layer is written, and looks as before, does not get into the layer of what it was.
mkdir changing
state() { echo "$1" >changing/b && touch -d @1000000000 changing/b; }
packing() { find "$STORE/tmp" -type f -size +1M 2>/dev/null | grep -q .; }
head -c 30M /dev/urandom >changing/a
state old
printf 'FROM %s/busybox\nCOPY . /x/\n' "$REGISTRY" >copying
"$NACRE" build -q --compression gzip -f copying changing >left 2>left.err &
pid=$!
until packing || ! kill -0 $pid 2>/dev/null; do sleep 0.01; done
state new
wait $pid
state old
nacre build --compression gzip -t changing -f copying changing || diag_file err
nacre run --rm changing cat /x/b
is "$(cat out)" old "a file with its old time"

archive() { state "$1" && tar cf changing/b.tar -C changing b && touch -d @1000000000 changing/b.tar; }
truncate -s 200M changing/a
tar cz -f changing/a.tgz -C changing a
archive old
printf 'FROM %s/busybox\nADD a.tgz b.tar /x/\n' "$REGISTRY" >adding
sleep 0.1 # its time is not in doubt
"$NACRE" build -q -f adding changing >left 2>left.err &
pid=$!
sleep 0.3
archive new
wait $pid
archive old
nacre build -t changing -f adding changing || diag_file err
nacre run --rm changing cat /x/b
is "$(cat out)" old "an archive with its old time"
done_testing
