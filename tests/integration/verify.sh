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
nacre prune --keep 1
nacre verify
is "$status" 0 "one without cache too" || diag_file "$T/out"
nacre prune --all
build
nacre verify --format json
is "$(jq -c '[(.problems | length), .not_compared, (.bytes > 1000000)]' "$T/out")" '[0,0,true]' "and after the next build, all of it compared"
inside cp -a "$STORE" good

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
  nacre verify
  [ "$status" = 0 ] || { not_ok "$1: clean after the repair" && diag_file "$T/out" && return; }
  build
  is "$(head -n 1 "$T/out")" "$wanted" "$1: named, repaired, and the next build gives the same image" || diag_file "$T/err"
  nacre verify
  [ "$status" = 0 ] || { not_ok "$1: clean after the build" && diag_file "$T/out"; }
}

manifest=${wanted#sha256:}
config=$(jq -r '.config.digest[7:]' "$STORE/blobs/sha256/$manifest")
layer=$(jq -r '.layers[1].digest[7:]' "$STORE/blobs/sha256/$manifest")
diffid=$(jq -r '.rootfs.diff_ids[1][7:]' "$STORE/blobs/sha256/$config")
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
done_testing
