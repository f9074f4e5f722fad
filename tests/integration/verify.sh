#!/bin/sh
# Damage of every kind of object, one at a time: `verify` names it, `--repair` removes it, the next build makes it again.
. "$(dirname "$0")/../lib/common.sh"
need busybox jq python3

mkdir context
cp "$(command -v busybox)" context/busybox
echo one >context/file
cat >context/Dockerfile <<'END'
FROM scratch AS base
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox mkdir -p /a/b /c; cd /a/b; /bin/busybox echo hi > f; /bin/busybox ln -s f l; /bin/busybox ln f /a/h; /bin/busybox chown 5:7 /c; /bin/busybox mkfifo /c/p; /bin/busybox chmod 4711 f; /bin/busybox touch -hd @1600000000 /a/b/* /a/b /a/h /a /c/p /c"]
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox rm -r /a/b; /bin/busybox mkdir -p /a/b/x; /bin/busybox rm /a/h; /bin/busybox touch -d @1600000000 /a/b/x /a/b /a"]
RUN --mount=type=cache,target=/cc ["/bin/busybox", "sh", "-c", "/bin/busybox echo cache > /cc/x; /bin/busybox touch -d @1600000000 /cc"]
WORKDIR /w
COPY file ./
END
export SOURCE_DATE_EPOCH=1700000000

build() { nacre build -q -t app context; }
# Files of subordinate ids are reached from inside a namespace.
inside() { unshare --map-auto --map-root-user "$@"; }
first() { find "$STORE/$1" -mindepth 1 -maxdepth 1 | sed "s|^$STORE/||" | sort | head -n 1; }
problems() { jq -r '.problems[] | .object' "$T/out" | tr '\n' ' '; }

# ---- nothing is wrong

builds "it builds" -q -t app context || bail "nothing to verify"
wanted=$digest
nacre verify
is "$status" 0 "a new store is clean" || diag_file "$T/out"
like "$T/out" 'no problem' "and that is said"
printf 'FROM app\nRUN ["/bin/busybox", "rm", "/w/file"]\n' >context/child
builds "another image" -t child -f context/child context
nacre rmi child
nacre prune
nacre verify
is "$status" 0 "a pruned store is clean" || diag_file "$T/out"
nacre rmi app
broken=
for _ in 1 2 3 4 5 6 7 8; do
  nacre du --format json
  nacre prune --keep "$(($(jq .total "$T/out") * 3 / 4))"
  nacre verify
  [ "$status" = 0 ] || broken="$broken $(cat "$T/out")"
done
is "$broken" "" "and so is one that loses its cache piece by piece"
nacre prune --all
build
nacre verify --format json
is "$(jq -c '[(.problems | length), .not_compared, (.bytes > 1000000)]' "$T/out")" '[0,0,true]' "and after the next build, all of it compared"
inside cp -a "$STORE" good
# A tree counts where it was made; these copies are whole.
sed -i 's/,"tree":"[0-9-]*"//; s/,"sum":"[0-9a-f]*"//' good/snap/*.json

# ---- damage

restore() {
  remove_tree "$STORE"
  inside cp -a "$T/good" "$STORE"
}

harm() {
  python3 - "$1" "$2" <<'END'
import os, sys
how, path = sys.argv[1:]
if how == "delete":
    os.unlink(path)
    sys.exit()
size = os.stat(path).st_size
os.chmod(path, 0o644)
with open(path, "r+b") as f:
    if how == "flip":
        f.seek(0 if size < 4096 else size // 2)
        byte = f.read(1)
        f.seek(-1, 1)
        f.write(bytes([byte[0] ^ 0x41]))
    elif how == "truncate":
        f.truncate(size // 2)
    elif how == "zero":
        f.write(b"\0" * size)
    elif how == "append":
        f.seek(0, 2)
        f.write(b"garbage")
END
}

# damaged NAME HOW REGEX: that file of the store; the objects named are all that matches
damaged() {
  restore
  harm "$2" "$STORE/$1" || bail "cannot $2 $1"
  repairs "$2 $1" "$3"
}

# repairs DESCRIPTION REGEX: verify names something that matches and nothing else; a repair, a build and all is as it was
repairs() {
  nacre verify --format json
  named=$(problems)
  jq -r '.problems[].object' "$T/out" | grep -Evx -e "$2" >other
  if [ "$status" != 9 ] || [ -z "$named" ] || [ -s other ]; then
    not_ok "$1: named"
    diag "status $status, problems: $named"
    diag_file "$T/out"
    return
  fi
  nacre verify --repair
  [ "$status" = 0 ] || { not_ok "$1: repaired" && diag_file "$T/out" && diag_file "$T/err" && return; }
  build
  is "$(head -n 1 "$T/out")" "$wanted" "$1: named, repaired, and the next build gives the same image" || diag_file "$T/err"
  nacre verify
  [ "$status" = 0 ] || { not_ok "$1: clean afterwards" && diag_file "$T/out"; }
}

manifest=${wanted#sha256:}
config=$(jq -r '.config.digest[7:]' "$STORE/blobs/sha256/$manifest")
layer=$(jq -r '.layers[1].digest[7:]' "$STORE/blobs/sha256/$manifest")
diffid=$(jq -r '.rootfs.diff_ids[1][7:]' "$STORE/blobs/sha256/$config")
below=$(jq -r '.rootfs.diff_ids[0][7:]' "$STORE/blobs/sha256/$config")
step=$(first step)
context=$(first context)
for how in flip truncate zero append delete; do
  damaged "blobs/sha256/$layer" $how "blobs/sha256/$layer|image app|(step|layer)/[0-9a-f]*.json"
done
for how in flip truncate delete; do
  damaged "blobs/sha256/$manifest" $how "blobs/sha256/$manifest|image app"
  damaged "blobs/sha256/$config" $how "blobs/sha256/$config|image app"
  damaged index.json $how index.json
done
for how in flip zero append; do
  damaged "layer/$diffid.json" $how "layer/$diffid.json"
  damaged "$step" $how "$step"
  damaged "list/$diffid" $how "list/$diffid"
  damaged "$context" $how "$context"
done

# ---- what is not a file with one content

# spoiled DESCRIPTION REGEX COMMAND…: done to the store, from inside a namespace
spoiled() {
  spoiled_what=$1 spoiled_regex=$2
  shift 2
  restore
  inside "$@" || bail "cannot: $*"
  repairs "$spoiled_what" "$spoiled_regex"
}

# The snapshot that has this path
snapshot_with() { (cd "$STORE" && inside find snap -path "*/tree/$1" -printf '%P\n' | sed 's|/.*||' | head -n 1); }
restore
snap=snap/$(snapshot_with a/b/f)
top=$(snapshot_with a/b/x)
tree=$STORE/$snap/tree
spoiled "a file of a tree with another content" "$snap" sh -c "printf ho >$tree/a/b/f"
spoiled "a file of a tree that was cut off" "$snap" truncate -s 1 "$tree/a/h"
spoiled "a mode" "$snap" chmod 700 "$tree/a/b"
spoiled "a set-user-id bit" "$snap" chmod 755 "$tree/a/b/f"
spoiled "an owner" "$snap" chown 6:7 "$tree/c"
spoiled "a link that leads elsewhere" "$snap" ln -snf h "$tree/a/b/l"
spoiled "a name too few" "$snap" rm "$tree/c/p"
spoiled "a name too many" "$snap" touch "$tree/c/q"
spoiled "an attribute" "$snap" python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.x", b"y")' "$tree/a/b/f"
spoiled "another type" "$snap" sh -c "rm $tree/c/p && mkdir $tree/c/p"
spoiled "a deletion that is lost" "snap/$top" rm "$STORE/snap/$top/tree/a/h"
spoiled "a tree without record" "$snap" rm "$STORE/$snap.json"
spoiled "a record without tree" "$snap.json" rm -r "$STORE/$snap"
spoiled "a record that is no JSON" "$snap" sh -c "echo >$STORE/$snap.json"
spoiled "a record of a boot that is over" "$snap" sh -c "echo '{\"boot\":\"0-0\",\"at\":1}' >$STORE/$snap.json"

# What a build copies out of a tree is compared as it goes by. The last byte of busybox is nothing that it runs.
restore
rotten=$STORE/snap/$(snapshot_with bin/busybox)/tree/bin/busybox
printf 'FROM app AS source\nFROM source\nRUN ["/bin/busybox", "true"]\nCOPY --from=source /bin/busybox /copy\n' >context/copying
inside python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(-1, 2); b = f.read(1); f.seek(-1, 2); f.write(bytes([b[0] ^ 1]))' "$rotten"
refused 9 'copy: its source in an image of the store is damaged' "a file of a tree that rots is not copied" build --no-cache -f context/copying context
nacre verify --repair
builds "after a repair it is copied" --no-cache -f context/copying context

spoiled "a broken note about a sync" "sync/0-0" sh -c "echo { >$STORE/sync/0-0"
spoiled "a broken log" "log/last.json" sh -c "echo { >$STORE/log/last.json"
spoiled "a digit of a time" "$step" sed -i 's/"ran":1/"ran":2/' "$STORE/$step"
spoiled "a letter of a media type" "layer/$diffid.json" sed -i 's/vnd.oci/vnd.oca/' "$STORE/layer/$diffid.json"
spoiled "a name in a log" "log/last.json" sed -i 's/"milliseconds":/"Milliseconds":/' "$STORE/log/last.json"
spoiled "a cache mount that is a file" "mount/x" touch "$STORE/mount/x"
spoiled "files that do not belong there" "(step|blobs/sha256|snap|list)/[.a-z]*" \
  sh -c "cd $STORE && touch step/a blobs/sha256/b list/.c && mkdir snap/d"
spoiled "a record of another key" "step/0{64}.json" cp "$STORE/$step" "$STORE/step/$(printf %064d 0).json"
spoiled "a listing of another layer" "list/$diffid" cp "$STORE/list/$below" "$STORE/list/$diffid"
spoiled "a layer record of another layer" "layer/$diffid.json" cp "$STORE/layer/$below.json" "$STORE/layer/$diffid.json"
spoiled "another version of the layout" "oci-layout" sh -c "echo '{\"imageLayoutVersion\":\"2.0.0\"}' >$STORE/oci-layout"

# ---- a record with a wrong bit, for a build

restore
builds "it is all cached" -t app context
before=$(cached_steps)
sed -i 's/"created":"2/"created":"3/' "$STORE"/step/*.json
builds "records with a wrong bit do not count" -t app context
isnt "$before" 0 "before they did"
is "$(cached_steps) $digest" "0 $wanted" "and the steps are made again" || diag_file "$T/err"
builds "once more" -t app context
is "$(cached_steps)" "$before" "afterwards they are found"
nacre verify
is "$status" 0 "in a store that is clean"

# ---- others use the store

restore
printf 'FROM app\nRUN ["/bin/busybox", "sleep", "3"]\n' >context/slow
"$NACRE" build -q -f context/slow context >"$T/slow" 2>&1 &
build=$!
wait_for 3 sh -c "[ -n \"\$(ls $STORE/tmp)\" ]"
sleep 0.5
nacre verify
is "$status" 0 "a store in which a build runs is clean" || diag_file "$T/out"
harm append "$STORE/blobs/sha256/$manifest"
nacre verify --repair
is "$status" 9 "what a living build uses is not repaired" || diag_file "$T/out"
like "$T/out" "$manifest.*another process uses it" "and that is said"
check "it is still there" test -e "$STORE/blobs/sha256/$manifest"
wait $build
nacre verify --repair
is "$status" 0 "it is repaired when the build has ended" || diag_file "$T/out"

# ---- where a store may be

for version in 'nacre-store 0' 'nacre-store 2'; do
  mkdir -p elsewhere
  echo "$version" >elsewhere/version
  refused 9 "of version \"$version\", this program reads" "a store of version $version" --store elsewhere verify
  refused 9 "of version \"$version\", this program reads" "nor is it built in" --store elsewhere build context
done
is "$(ls elsewhere)" version "and nothing was written there"
if [ "$(stat -f -c %T /dev/shm)" = tmpfs ]; then
  shm=$(mktemp -d /dev/shm/nacre-test.XXXXXX)
  at_end_remove=$shm
  printf 'FROM scratch\nCOPY file /\n' >context/copy
  builds "a build in memory" --store "$shm/store" -f context/copy context
  like "$T/err" 'in memory: images and cache are lost when the machine restarts' "is warned of"
  builds "another one there" --store "$shm/store" -f context/copy context
  unlike "$T/err" 'in memory' "is not"
  nacre --store "$shm/store" verify
  like "$T/out" 'in memory' "verify says it in any case"
fi
check "on overlayfs that is said" inside --mount sh -c '
  mkdir low up work over && mount -t overlay -o userxattr,lowerdir=low,upperdir=up,workdir=work none over && chmod 755 over &&
  "$NACRE" --store over/store build -q -f context/copy context && "$NACRE" --store over/store verify | grep "on overlayfs, which cannot hold another overlay"'
done_testing
