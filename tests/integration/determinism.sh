#!/bin/sh
# One Dockerfile and one context give one image, wherever, whenever and by whomever it is built: whatever the number of steps and
# threads, of processors, the user and the subordinate ids, the umask, the order of directories, home, working directory, language,
# time zone and name of the machine, and what was built or removed before. SOURCE_DATE_EPOCH takes the clock out.
. "$(dirname "$0")/../lib/common.sh"
need busybox jq cc newuidmap setpriv unshare taskset
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
  cat >"$context_dir/Dockerfile" <<END
FROM $REGISTRY/busybox AS one
COPY files /files
RUN for i in 9 3 7 1; do echo \$i > /made\$i; mkdir /dir\$i; done; ln -s made9 /link; ln /made1 /dir9/hard
RUN chown 1000:1001 /made3; chown 12345:20000 /made7; rm /files/2
FROM $REGISTRY/busybox AS two
RUN seq 100000 > /numbers; sleep 0.2
FROM scratch AS three
COPY large /large
FROM $REGISTRY/busybox
COPY --from=three /large /
COPY --from=two /numbers /
COPY --from=one / /one
COPY --chown=1000:12345 files /deep/er/
RUN cat /numbers | sha256sum > /sum; for i in 9 3 7 1; do echo \$i > /last\$i; mkdir -p /d\$i/e; ln /sum /d\$i/hard; done; rm /deep/er/2
RUN chown -R 1000:1001 /d3; chown 12345:20000 /last7 /one/made1
END
}

# image DESCRIPTION STORE CONTEXT OPTION…: built into that store; its digest is in $digest
image() {
  image_what=$1 image_store=$2 image_context=$3
  shift 3
  NACRE_STORE=$T/$image_store builds "$image_what" --build-arg SOURCE_DATE_EPOCH=1700000000 "$@" "$image_context"
}

# again DESCRIPTION COMMAND…: context a with gzip gives $first in a store of its own, when the command starts the program
stores=0
again() {
  again_what=$1
  shift
  stores=$((stores + 1))
  "$@" "$NACRE" --store "$T/again$stores" build --build-arg SOURCE_DATE_EPOCH=1700000000 --compression gzip "$T/a" \
    >"$T/out" 2>"$T/err" </dev/null
  is "$(head -n 1 "$T/out")" "$first" "$again_what gives the same" || diag_file "$T/err"
}

context a 1 2 3 4 5
mkdir -p elsewhere/deep
context elsewhere/deep/b 4 2 5 3 1
find a elsewhere -exec touch -h -d @1600000000 {} +

# ---- steps and threads, for each compressor and level

for compression in zstd zstd:1 zstd:9 gzip; do
  image "one step at a time, $compression" "one-$compression" a -j 1 --compression $compression
  first=$digest
  image "eight" "eight-$compression" a -j 8 --compression $compression
  is "$digest" "$first" "-j 8 gives the same, $compression"
done
again "one processor" taskset -c 0

# ---- places, umasks and surroundings

before=$(umask)
umask 077
image "another umask, other order of files, another place" place elsewhere/deep/b --compression gzip
umask 000
is "$digest" "$first" "gives the same"
again "no umask"
umask "$before"
mkdir "$T/other home" "$T/other directory"
again "another home, directory, time zone and language" env -C "$T/other directory" HOME="$T/other home" TZ=Pacific/Chatham \
  LANG=tr_TR.UTF-8 LC_ALL=C TMPDIR="$T/other directory" COLUMNS=40 TERM=xterm USER=nobody

# ---- the order of directories

cc -shared -fPIC -O1 -o shuffle.so "$TESTS/shim/shuffle.c" || bail "the shim does not compile"
: >shuffled
again "directories in another order each time" env LD_PRELOAD="$T/shuffle.so" SHUFFLE_LOG="$T/shuffled"
check "the shim has shuffled what was read" test "$(wc -c <shuffled)" -ge 5

# ---- users

# Of other users there are as many as this one has subordinate ids: root of a namespace makes them, with the files that
# newuidmap(1) looks into, and a newuidmap that belongs to that root.
mkdir -m 755 etc
chmod 755 "$T"
cp "$(command -v newuidmap)" "$(command -v newgidmap)" etc/
printf 'root:x:0:0::/:/bin/sh\none:x:2000:2100::/:/bin/sh\ntwo:x:3000:3100::/:/bin/sh\n' >etc/passwd
printf 'one:4000:21000\ntwo:30000:500\ntwo:25000:1600\ntwo:40000:20000\n' >etc/subuid
printf 'one:5000:20500\ntwo:44000:19000\ntwo:35000:3000\n' >etc/subgid
cat >as_other.sh <<'END'
set -e
user=$1 etc=$2
export NACRE_STORE="$3"
shift 3
hostname elsewhere
for file in passwd subuid subgid; do mount --bind "$etc/$file" /etc/$file; done
for helper in newuidmap newgidmap; do
  chmod 4755 "$etc/$helper"
  mount --bind "$etc/$helper" "$(command -v $helper)"
done
install -d -m 700 -o "$user" "${NACRE_STORE%/*}" "${NACRE_STORE%/*}/home"
export HOME="${NACRE_STORE%/*}/home"
unset XDG_RUNTIME_DIR
exec setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups "$@"
END

# as_other USER COMMAND…: on a machine with another name
as_other() {
  other=$1
  shift
  unshare --user --map-auto --map-root-user --mount --uts sh "$T/as_other.sh" "$other" "$T/etc" "$T/of-$other/store" "$@"
}

cp "$NACRE" nacre-of-others
chmod 755 nacre-of-others
for user in one two; do
  as_other $user ./nacre-of-others build --build-arg SOURCE_DATE_EPOCH=1700000000 --compression gzip "$T/a" >out 2>err </dev/null
  is "$(head -n 1 out)" "$first" "user $user, with other subordinate ids and another host name, gives the same" || diag_file err
done

# ---- what went before

NACRE_STORE=$T/eight-gzip nacre prune --all
check "everything is pruned" test $status = 0
image "built again" eight-gzip a --compression gzip
is "$digest" "$first" "a build after prune gives the same"
image "built without cache" eight-gzip a --compression gzip --no-cache
is "$digest" "$first" "a build without cache gives the same"

# ---- the clock

# diff_ids STORE: of the layers of a
diff_ids() { NACRE_STORE=$T/$1 "$NACRE" inspect clock | jq -c '.. | .diff_ids? // empty' | head -n 1; }
cat >copies.Dockerfile <<END
FROM $REGISTRY/busybox
COPY files /files
COPY --chown=1:2 large /large
END
for store in clock1 clock2; do
  NACRE_STORE=$T/$store builds "the clock as it is, $store" -t clock -f copies.Dockerfile a
  eval "$store=\$digest"
  sleep 1.1
done
# shellcheck disable=SC2154
isnt "$clock2" "$clock1" "without SOURCE_DATE_EPOCH an image has the time of its build"
is "$(diff_ids clock2)" "$(diff_ids clock1)" "and the layers of COPY are the same all the same"
is "$(diff_ids clock1 | jq length)" 3 "of which there are as many as there should be"

refused 2 'jobs' "no steps at all" build -j 0 a
refused 2 'jobs' "no number" build -j many a
done_testing
