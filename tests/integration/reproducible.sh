#!/bin/sh
# --reproducible: builds at different times, of checkouts made at different times, in stores of their own, give one digest.
. "$(dirname "$0")/../lib/common.sh"
need git jq busybox tar
busybox_layout "$T/base"
base=base=oci-layout://$T/base:latest

mkdir first
cat >first/Dockerfile <<'E'
FROM base
WORKDIR /made/here
COPY . /source
COPY --link Dockerfile /linked/
RUN echo built > /made/file; mkdir -p /made/dir; touch -d '2001-02-03 00:00:00' /made/old; touch -d '2037-01-01 00:00:00' /made/future
ARG SOURCE_DATE_EPOCH
RUN echo "$SOURCE_DATE_EPOCH" > /epoch; cp -p /source/data /copied
E
echo data >first/data
(
  cd first || exit 1
  git init -q .
  git add .
  GIT_COMMITTER_DATE='2020-01-02T03:04:05Z' git -c user.name=n -c user.email=e commit -q -m m
)
printf '.git\n' >first/.dockerignore
cp -R first second
touch -d '2024-05-06' first/data second/.dockerignore
epoch=1577934245

once() { NACRE_STORE=$T/store.$1 nacre build --reproducible --build-context "$base" -o "oci:$T/layout.$1:x" "$1"; }
check "a build" once first
is_first=$(head -n 1 out)
sleep 2
check "another one, later, elsewhere" once second
is "$(head -n 1 out)" "$is_first" "the same digest"
NACRE_STORE=$T/store.first
export NACRE_STORE
nacre inspect "$is_first"
is "$(jq -r '[.config.created, .config.history[-1].created] | unique | join(" ")' out)" "2020-01-02T03:04:05Z" "the time is the commit's"
nacre run "$is_first" cat /epoch
is "$(cat out)" $epoch "which ARG SOURCE_DATE_EPOCH tells"
jq -r '.layers[].digest' "layout.first/blobs/sha256/${is_first#sha256:}" | tail -n 5 | while read -r layer; do
  zstd -qdc "layout.first/blobs/sha256/${layer#sha256:}" | TZ=UTC tar --full-time -tvf -
done >listing
is "$(awk '{ print $4 " " $5 }' listing | sort -u | tail -n 1)" "2020-01-02 03:04:05" "nothing in a layer is later"
like listing '2001-02-03.*made/old' "what is older stays"

nacre build --build-context "$base" first
isnt "$(head -n 1 out)" "$is_first" "without the option times are those of files and clock"
nacre build --reproducible --build-arg SOURCE_DATE_EPOCH=1000000000 --build-context "$base" first
nacre inspect "$(head -n 1 out)"
is "$(jq -r .config.created out)" 2001-09-09T01:46:40Z "SOURCE_DATE_EPOCH comes first"
rm -rf first/.git
nacre build --reproducible --build-context "$base" first
nacre inspect "$(head -n 1 out)"
is "$(jq -r .config.created out)" 1970-01-01T00:00:00Z "without a commit it is the beginning of 1970"

# ---- after a build without the option, whose frames it could take

mkdir large
head -c 300000 /dev/urandom >large/data
printf 'FROM scratch\nCOPY data /\n' >large/Dockerfile
SOURCE_DATE_EPOCH=1000000000
export SOURCE_DATE_EPOCH
builds "as it is" large
builds "with the option" --reproducible large
later=$digest
builds "and in a store that has none of it" --store "$T/store.none" --reproducible large
is "$later" "$digest" "the layer before gives no times to it"
done_testing
