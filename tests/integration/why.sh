#!/bin/sh
# Why a step ran, while it builds and afterwards.
. "$(dirname "$0")/../lib/common.sh"
need busybox python3 jq
busybox_layout "$T/base"

mkdir -p context/src/deep
echo one >context/src/one
echo two >context/src/deep/two
echo tool >context/tool
cat >context/Dockerfile <<'E'
FROM base AS tools
ARG LEVEL=1
RUN echo $LEVEL > /level
FROM base
WORKDIR /work
COPY src /src
RUN --mount=type=bind,source=tool,target=/tool cat /tool > /from-tool
RUN cat /src/one
COPY --from=tools /level /level
E
cp context/Dockerfile first

# says REGEX DESCRIPTION ARGUMENT…: builds, and tells it of a step
says() {
  says_regex=$1 says_what=$2
  shift 2
  nacre build --build-context "base=oci-layout://$T/base:latest" "$@" context || diag_file err
  like err "^#[0-9]+ not cached: $says_regex" "$says_what"
}

# explains STEP REGEX DESCRIPTION
explains() {
  nacre why "$1"
  like out "$2" "$3"
}

refused 8 'there is no store' "no store to explain from" why
mkdir -m 700 "$STORE"
refused 8 'nothing was built' "nothing to explain yet" why
nacre build --build-context "base=oci-layout://$T/base:latest" context
unlike err 'not cached' "the first build is not noise"
explains 'tools 3/3' 'first build' "but can be asked about"
nacre build --build-context "base=oci-layout://$T/base:latest" context
unlike err 'not cached' "an unchanged build says nothing"
nacre why
unlike out 'RUN.*(-|before)$' "and every RUN is"
like out '^.{56} cached$' "in a column, behind what there is room for of the command"
is "$(grep -c '\.\.\. cached$' out)" 1 "which ends in dots where it is longer"
like out 'RUN.* cached$' "cached"

echo ONE >context/src/one
says 'src/one changed$' "a changed file is named"
like err '^#[0-9]+ not cached: the step before it ran' "what follows it is told"
explains 3/6 'src/one: mode 644, 4 bytes, sha256:2c8b.* -> mode 644, 4 bytes, sha256:' "with old and new digest"
explains 4/6 'the step before it ran' "and the one after it"
nacre why --format json 3/6
is "$(jq -r '.[0].why[0] | .what + " " + .name' out)" "file src/one" "as JSON"
chmod 755 context/src/deep/two
says 'src/deep/two: mode 644 -> mode 755$' "a mode"
ln -s one context/src/link
says 'src/link added$' "an added file"
rm context/src/link
nacre build --build-context "base=oci-layout://$T/base:latest" context
unlike err 'not cached' "going back is cached"
rm context/src/deep/two
says 'src/deep/two removed$' "and a removed file is told against that"
echo more >context/src/a
echo more >context/src/b
says 'src/a added \(and 1 more\)$' "the first of several"
explains 3/6 'src/b added' "the others in the details"
echo TOOL >context/tool
says 'tool changed$' "a file of a bind mount"
says 'variable LEVEL: 1 -> 2$' "an argument" --build-arg LEVEL=2
says 'level changed$' "what another stage gave" --build-arg LEVEL=3
says 'the network: host -> none$' "the network" --build-arg LEVEL=3 --network none
sed -i 's,WORKDIR /work,WORKDIR /elsewhere,' context/Dockerfile
says 'the directory: /work -> /elsewhere$' "an instruction"
like err 'not cached: the working directory: /work -> /elsewhere' "and what it means for the next"
sed -i 's,RUN cat /src/one,RUN cat /src/one; true,' context/Dockerfile
says 'the command: /bin/sh -c cat /src/one -> /bin/sh -c cat /src/one; true$' "a command"
echo 'RUN echo last' >>context/Dockerfile
says 'the instruction is new$' "a new one"
says 'the instruction is new$|.*--no-cache$' "--no-cache" --no-cache
like err 'not cached: --no-cache$' "is named"
says '--no-cache-filter$' "--no-cache-filter" --no-cache-filter tools
sleep 2
says '--fresh$' "--fresh" --fresh 1s
rm "$STORE"/step/*
says 'its result is no longer in the store$' "a result that was removed"
rm "$STORE"/source/*
echo three >context/src/one
says 'the sources changed$' "a list that is not there"

cat >moved <<'E'
FROM base
COPY tool /moved
E
nacre build --build-context "base=oci-layout://$T/base:latest" -o "oci:$T/moved-base:latest" -f moved context || diag_file err
nacre build --build-context "base=oci-layout://$T/moved-base:latest" context || diag_file err
like err 'not cached: the base base changed$' "another base image"

nacre why --builds --format json
is "$(jq 'length <= 20 and length > 10' out)" true "the last builds are listed"
last=$(jq -r '.[0].id' out)
before=$(jq -r '.[2].id' out)
nacre why --from "$before" --to "$last"
like out 'WORKDIR.* the base base changed' "two of them are compared"
nacre why --from "$last" --format json
is "$(jq '[.[] | .cached] | all' out)" true "one with itself has no differences"
refused 8 'no log of the build 123456789abc' "one that is not kept" why --from 123456789abc
refused 2 '--from' "--to alone" why --to "$last"
refused 8 'no step "99"' "a step that is not there" why 99
mkdir -p kept/a/b
echo one >kept/a/b/one
echo two >kept/a/b/two
printf 'FROM scratch\nCOPY --parents a/b/one a/b/two /\n' >kept/Dockerfile
nacre build kept
chmod 700 kept/a/b
nacre build kept
like err 'not cached: a/b: mode 755 -> mode 700$' "a directory on the way that --parents keeps"
i=0
while [ $i -lt 25 ]; do
  i=$((i + 1))
  printf 'FROM scratch\nCOPY tool /%s\n' $i >many
  "$NACRE" build -q -f many context >/dev/null || diag "build $i"
done
is "$(find "$STORE/log" -name '*-*.json' | wc -l)" 20 "old logs go"
is "$(find "$STORE/source" -type f | wc -l)" 1 "and the lists they led to"
env SOURCE_DATE_EPOCH=0 "$NACRE" build -q -f many --label epoch=0 context >/dev/null || diag "build at the epoch"
nacre why --builds
unlike out '1970-' "when a build began, whatever time its image has"
nacre verify
is "$status" 0 "verify knows what is there" || diag_file out
done_testing
