#!/bin/sh
# One Dockerfile and one context give one image: whatever the number of steps and threads at a time, the umask, the order in which
# files were made, or where they are. SOURCE_DATE_EPOCH takes the clock out.
. "$(dirname "$0")/../lib/common.sh"
need busybox jq
busybox_registry

# context DIRECTORY NAME…: its files, made in this order
context() {
  context_dir=$1
  shift
  mkdir -p "$context_dir/files"
  for name; do
    seq "$name" 3000 >"$context_dir/files/$name"
    mkdir "$context_dir/files/d$name"
    echo "$name" >"$context_dir/files/d$name/x"
  done
  dd if=/dev/zero bs=1M count=24 status=none | tr '\0' x >"$context_dir/large"
  chmod -R u=rwX,go=rX "$context_dir"
  cat >"$context_dir/Dockerfile" <<EOF
FROM $REGISTRY/busybox AS one
COPY files /files
RUN for i in 9 3 7 1; do echo \$i > /made\$i; mkdir /dir\$i; done; ln -s made9 /link; ln /made1 /dir9/hard
FROM $REGISTRY/busybox AS two
RUN seq 100000 > /numbers; sleep 0.2
FROM scratch AS three
COPY large /large
FROM $REGISTRY/busybox
COPY --from=three /large /
COPY --from=two /numbers /
COPY --from=one / /one
RUN cat /numbers | sha256sum > /sum
EOF
}

# image DESCRIPTION STORE CONTEXT OPTION…: built into that store; its digest is in $digest
image() {
  image_what=$1 image_store=$2 image_context=$3
  shift 3
  NACRE_STORE=$T/$image_store builds "$image_what" --build-arg SOURCE_DATE_EPOCH=1700000000 "$@" "$image_context"
}

context a 1 2 3 4 5
mkdir -p elsewhere/deep
context elsewhere/deep/b 4 2 5 3 1
find a elsewhere -exec touch -h -d @1600000000 {} +
for compression in zstd gzip; do
  image "one step at a time, $compression" "s1$compression" a -j 1 --compression $compression
  first=$digest
  image "eight" "s8$compression" a -j 8 --compression $compression
  is "$digest" "$first" "-j 8 gives the same, $compression"
done
before=$(umask)
umask 077
image "another umask, other order of files, another place" s3 elsewhere/deep/b --compression gzip
umask "$before"
is "$digest" "$first" "gives the same"
taskset -c 0 "$NACRE" --store "$T/s4" build --build-arg SOURCE_DATE_EPOCH=1700000000 --compression gzip a >out 2>err
is "$(head -n 1 out)" "$first" "one processor gives the same"
refused 2 'jobs' "no steps at all" build -j 0 a
refused 2 'jobs' "no number" build -j many a
done_testing
