#!/bin/sh
# A layer of which little changed is made of the frames of the one before; it is byte for byte that of a build in an empty store,
# whatever is wrong with the earlier layer.
. "$(dirname "$0")/../lib/common.sh"
need busybox jq python3
busybox_registry

# Some hundred files, two that have frames of their own, names that need pax headers, links.
context() {
  rm -rf c && mkdir -p c/d/deep c/big
  for i in $(seq 300); do seq "$i" $((i + 3000)) >"c/d/f$i"; done
  seq 500000 >c/big/text
  yes abcdefg | head -c 5242880 >c/big/even
  seq 100000 >"c/d/$(printf '%0150d' 7)"
  echo umlaut >c/d/ä
  : >c/d/empty
  ln c/d/f1 c/d/hard
  ln -s f1 c/d/soft
  chmod -R u=rwX,go=rX c
}

# layers STORE ARGUMENT…: the digests of the layers that the build makes; what is said of frames goes to "said"
layers() {
  layers_store=$1
  shift
  NACRE_DEBUG=1 "$NACRE" --store "$layers_store" build -q "$@" c >id 2>said || { cat said >&2; return 1; }
  jq -r '.layers[].digest' "$layers_store/blobs/sha256/$(sed 's/^sha256://' id)"
}
# as_from_scratch NAME ARGUMENT…: the store "s" and an empty one give the same layers; sets $frames to what was reused: "N of M"
as_from_scratch() {
  same_name=$1
  shift
  layers s "$@" >got
  cp said said-here
  frames=$(sed -n 's/.*reused \([0-9]* of [0-9]*\) frames.*/\1/p' said | tail -1)
  rm -rf empty
  layers empty "$@" >want
  is "$(cat got)" "$(cat want)" "$same_name: the layers of an empty store"
}
some() { is "$(echo "$frames" | awk '{ print ($1 > 0 && $1 < $3) }')" 1 "$1: some frames were reused, not all"; }
none() { is "${frames:-none}" none "$1: no frame was reused"; }
# The layer of the last build in "s", the largest there is.
layer_file() { find s/blobs -type f -size +100k -newer mark | head -n 1; }

printf 'FROM scratch\nCOPY . /x\n' >copy
printf 'FROM %s\nCOPY . /x\nRUN touch -d @1 /x/d/f7\n' "$REGISTRY/busybox" >run

for compression in zstd gzip; do
  set -- --compression=$compression -f copy
  rm -rf s && context
  as_from_scratch "$compression, first" "$@"
  none "$compression, first"
  echo more >>c/d/f200
  as_from_scratch "$compression, one file changed" "$@"
  some "$compression, one file changed"
  echo new >c/d/f77b
  as_from_scratch "$compression, one file added" "$@"
  some "$compression, one file added"
  rm c/d/f100
  as_from_scratch "$compression, one file deleted" "$@"
  some "$compression, one file deleted"
  mv c/d/f300 c/d/g300
  as_from_scratch "$compression, one file renamed" "$@"
  some "$compression, one file renamed"
  chmod 600 c/d/f40
  as_from_scratch "$compression, another mode" "$@"
  some "$compression, another mode"
  touch -d @1000000000 c/d/f41 && echo x >>c/d/f42
  as_from_scratch "$compression, another time" "$@"
  some "$compression, another time"
  echo end >>c/big/text
  as_from_scratch "$compression, a large file changed" "$@"
  some "$compression, a large file changed"
  printf 'FROM scratch\nCOPY --chown=7:8 . /y\n' >other
  echo z >>c/d/f9
  as_from_scratch "$compression, another instruction" --compression=$compression -f other

  # A tree is wanted, too: then all files are read.
  rm -rf s
  layers s --compression=$compression -f run >/dev/null
  echo run >>c/d/f8
  as_from_scratch "$compression, a RUN follows" --compression=$compression -f run
  none "$compression, a RUN follows"

  # Nothing of the earlier layer is believed.
  for damage in flip-first flip-middle flip-late cut gone swap; do
    rm -rf s && touch mark && sleep 0.01
    layers s "$@" >/dev/null
    python3 - "$(layer_file)" $damage <<'PYTHON'
import os, sys
path, damage = sys.argv[1:]
os.chmod(path, 0o644)
size = os.path.getsize(path)
if damage == "cut":
    os.truncate(path, size // 2)
elif damage == "gone":
    os.unlink(path)
else:
    at = {"flip-first": 100, "flip-middle": size // 2, "flip-late": size - 3000, "swap": size // 3}[damage]
    with open(path, "r+b") as f:
        f.seek(at)
        old = f.read(64)
        f.seek(at)
        f.write(bytes(reversed(old)) if damage == "swap" else bytes([old[0] ^ 0x10]))
PYTHON
    echo $damage >>c/d/f250
    as_from_scratch "$compression, the earlier layer is damaged ($damage)" "$@"
    [ $damage != flip-middle ] || like said-here 'all files are read' "$compression, the damage was found"
  done
  rm -rf s
  layers s "$@" >/dev/null
  for list in s/list/*; do echo 'd 0755 0 0 0 1 - - x/other' >>"$list"; done
  echo listing >>c/d/f250
  as_from_scratch "$compression, the listing is damaged" "$@"
done

# What was compressed in another way is not mixed in.
set -- -f copy
rm -rf s && context
layers s "$@" --compression=zstd:1 >/dev/null
echo level >>c/d/f250
as_from_scratch "another level" "$@" --compression=zstd:3
none "another level"
echo format >>c/d/f250
as_from_scratch "another format" "$@" --compression=gzip
none "another format"
echo cache >>c/d/f250
as_from_scratch "--no-cache" "$@" --compression=gzip --no-cache
none "--no-cache"

# Files of an image are known by its listing.
printf 'FROM scratch AS one\nCOPY . /x\nFROM scratch\nCOPY --from=one /x /y\n' >from
rm -rf s
layers s -f from >/dev/null
echo from >>c/d/f250
as_from_scratch "COPY --from" -f from
some "COPY --from"

is "$(find s/tmp empty/tmp -mindepth 1 | wc -l)" 0 "nothing is left in tmp"
done_testing
