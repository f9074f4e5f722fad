#!/bin/sh
# The cache carried from one store to another: steps, base images and cache mounts.
. "$(dirname "$0")/../lib/common.sh"
need busybox jq tar zstd skopeo docker-registry
busybox_registry

mkdir context
cat >context/Dockerfile <<END
FROM $REGISTRY/busybox AS base
RUN --mount=type=cache,target=/c,mode=1777 set -e; mkdir -p /c/d; echo carried > /c/d/word; chown 33:44 /c/d /c/d/word; \\
    chmod 4755 /c/d/word; ln -f /c/d/word /c/d/again; ln -sf d/word /c/link; echo x > /c/.wh.x; \\
    dd if=/dev/zero of=/c/hole bs=1 count=1 seek=4M 2>/dev/null; mkfifo /c/pipe; ls /c > /list
COPY file /file
FROM base
COPY --from=base /list /list2
RUN cat /list /list2 > /both
END
echo hello >context/file
builds "it builds" -t app context || bail "nothing to carry"
wanted=$digest

# other NAME: from here on the store is $T/NAME
other() {
  STORE=$T/$1
  NACRE_STORE=$STORE
}

# objects DIR: names of all there is, with inodes and times
objects() { (cd "$1" && find . -type f -printf '%P %i %T@\n' | sort); }

# count DIR: how much is in it
count() { find "$1" -mindepth 1 | wc -l; }

# ---- a directory

nacre cache export dir
is "$status" 0 "export to a directory" || diag_file err
like dir/nacre-cache '^nacre-cache 1$' "it says what it is"
is "$(count dir/step) $(count dir/mount) $(count dir/base)" "4 1 1" "it has the steps, the cache mount and the base"
objects dir >before
nacre cache export dir
is "$status" 0 "export again"
objects dir >after
same before after "writes nothing"
like out '^0 objects' "and says so"

stop_registry
other second
nacre cache import dir
check "import into an empty store" [ "$status" = 0 ] || bail "$(cat err)"
builds "it builds there" -t app context
is "$(cached_steps)" 4 "all steps are cached" || diag_file err
is "$digest" "$wanted" "and the image is the same"
cat >context/look <<'END'
FROM app
RUN --mount=type=cache,target=/c,mode=1777 cat /c/d/word; stat -c '%u:%g %a %h' /c/d/word; stat -c '%u:%g %a' /c/d; \
    stat -c 'root %u:%g %a' /c; readlink /c/link; stat -c 'hole %s %b' /c/hole; ls -a /c; test -p /c/pipe && echo pipe
END
builds "a RUN sees the cache mount" -f context/look context
for word in carried '33:44 4755 2' '33:44 755' 'root 0:0 1777' 'd/word' 'hole 4194305 [0-9]{1,2}$' '[.]wh[.]x' pipe; do
  like err "$word" "with $word"
done
nacre du --format json
is "$(jq '[.objects[].size] | add + 0' out)" "$(jq '.total - .other' out)" "du adds up"
nacre cache import dir
is "$status" 0 "import again"
like out '^0 objects' "brings nothing new"
nacre prune
builds "a build after prune" context
is "$(cached_steps)" 4 "is all cached"
is "$(find "$STORE/trash" "$STORE/tmp" -mindepth 1 | wc -l)" 0 "nothing is left in trash and tmp"

# ---- a file

for ending in tar tar.gz tar.zst; do
  nacre cache export app "one.$ending"
  is "$status" 0 "export to a file .$ending" || diag_file err
done
nacre cache export --all all.tar.zst
is "$status" 0 "export of all" || diag_file err
nacre cache export --all again.tar.zst
same all.tar.zst again.tar.zst "is the same twice"
echo mine >twice.tar.new
"$NACRE" cache export --all twice.tar >/dev/null 2>left.err &
pid=$!
nacre cache export --all twice.tar
wait $pid
is "$? $status" "0 0" "two exports to one file at once both succeed" || diag_file left.err
is "$(cat twice.tar.new)" mine "and no other file is touched"
check "what is there is whole" tar -tf twice.tar
"$NACRE" cache export --all /dev/stdout 2>left.err | cat >piped.tar.zst
same piped.tar.zst all.tar.zst "an export to a pipe is the same bytes"
like left.err 'objects, .* exported' "and nothing else: what was done is said on standard error"
other third
nacre cache import all.tar.zst
is "$status" 0 "import of a file" || diag_file err
builds "it builds there" context
is "$(cached_steps)" 4 "all steps are cached"
is "$digest" "$wanted" "and the image is the same"

nacre cache import all.tar.zst --replace
is "$status" 0 "--replace"
like out 'cache mounts +1' "replaces the cache mount"
other fourth
nacre cache import --no-mounts all.tar.zst
is "$status $(count "$STORE/mount")" "0 0" "--no-mounts leaves them out"
other fifth
nacre cache import one.tar.gz
is "$status" 0 "import of an image's steps"
builds "it builds there" context
is "$digest" "$wanted" "and the image is the same"

# What belongs to the last build alone goes when the directory is brought up to date.
other second
printf 'FROM scratch\nCOPY file /\n' >context/small
builds "something smaller" -f context/small context
nacre cache export dir
is "$(count dir/step) $(count dir/mount) $(count dir/base)" "1 0 0" "a directory does not grow for ever"
nacre cache export --all dir

# ---- damaged and hostile ones

# damaged REGEX DESCRIPTION FILE: one object of a copy is changed: it is refused, and what does not need it is imported
damaged() {
  other "damaged.$(date +%N)"
  refused 9 "$1" "$2" cache import "$3"
  isnt "$(find "$STORE/list" "$STORE/mount" -maxdepth 1 -name '[0-9a-f]*' | wc -l)" 0 "other objects are imported"
}
change() {
  rm -rf bad
  cp -r dir bad
  find "bad/$1" -type f | sort | head -n 1 >name
}
change blobs
printf 'x' | dd of="$(cat name)" conv=notrunc 2>/dev/null
damaged 'blobs/.* is refused' "a blob with another digest" bad
change step
sed -i 's/"op":"/"op":"x/' "$(cat name)"
damaged 'step/.* is refused: its key' "a step record with another key" bad
change step
: >"$(cat name)"
damaged 'step/.* is refused' "an empty step record" bad
change list
truncate -s -1 "$(cat name)"
damaged 'list/.* is refused' "a listing cut short" bad
change mount
truncate -s -9 "$(cat name)"
damaged 'mount/.* is refused' "a cache mount cut short" bad
is "$(find "$STORE/mount" "$STORE/tmp" -mindepth 1 | wc -l)" 0 "nothing of it stays"
change layer
sed 's/"size":[0-9]*/"size":1/' "$(cat name)" >changed && cp changed "$(cat name)"
damaged 'not whole' "a layer record of another size" bad
change blobs
rm "$(cat name)"
damaged 'not whole' "a blob that is missing" bad
change step
ln -sf /etc/passwd "$(cat name)"
damaged 'no such thing' "a link instead of a record" bad
head -c $(($(stat -c %s all.tar.zst) * 9 / 10)) all.tar.zst >short.tar.zst
other short
refused 8 'nowhere: No such file' "nothing is there" cache import nowhere
refused 9 'not whole' "an archive cut short" cache import short.tar.zst

mkdir -p hostile/step
printf 'nacre-cache 1\n' >hostile/nacre-cache
echo '{}' >hostile/step/x.json
tar -cf hostile.tar -C hostile nacre-cache step --transform 's,step/x.json,../../../escape,' -P
other strange
refused 9 'escape' "a member outside" cache import hostile.tar
is "$(ls -d "$T"/*escape* "$STORE"/*escape* /var/tmp/escape 2>/dev/null)" "" "is not made"
tar -cf hostile.tar -C hostile nacre-cache step
refused 9 'step/x.json is refused' "a name that is none" cache import hostile.tar
is "$(find "$STORE/step" -type f | wc -l)" 0 "reaches no store"
tar -cf none.tar context
refused 9 'nacre-cache' "an archive that is no export" cache import none.tar
refused 9 'no exported cache' "a directory that is none" cache export --all context
cp context/Dockerfile precious
refused 9 'precious is there and no exported cache' "a file that is none" cache export --all precious
same precious context/Dockerfile "is not replaced"
: >empty
nacre cache export --all empty
is "$status" 0 "an empty one is"
nacre cache export --all empty
is "$status" 0 "and so is an earlier export"
refused 2 'last' "another build than the last" cache export --build first x
refused 2 'export or import' "neither export nor import" cache
refused 8 'no image' "an image that is not there" cache export no-such x
refused 8 'nothing was built' "export before any build" cache export x
check "which makes nothing" [ ! -e x ]

# ---- the store itself, copied while nobody uses it

other second
other_copy=$T/copied
mkdir "$other_copy"
tar -cf - -C "$T/second" --ignore-failed-read . 2>/dev/null | tar -xf - -C "$other_copy" 2>/dev/null
other copied
builds "a copied store builds" context
is "$(cached_steps)" 4 "and all is cached"
is "$digest" "$wanted" "and the image is the same"
printf 'FROM app\nRUN ls -ln /home; stat -c "%%u:%%g %%a" /home/app /tmp /etc\n' >context/owners
builds "what is new runs on it" -f context/owners context
sed -n 's/^#2 [0-9.]* //p' err >copied-owners
other second
builds "as in the first place" -f context/owners context
sed -n 's/^#2 [0-9.]* //p' err >owners
like owners '^[1-9][0-9]*:[1-9]' "where somebody owns a directory"
same owners copied-owners "and sees the owners that the copy has lost"

# ---- an import that is killed

other killed
mkfifo slow
{
  head -c 100000 all.tar.zst
  exec sleep 20
} >slow &
feeder=$!
"$NACRE" cache import slow 2>/dev/null &
import=$!
wait_for 10 sh -c "ls $STORE/tmp/* || ls $STORE/blobs/sha256/*"
check "all of an import dies with it" kill_hard $import
kill $feeder
nacre du
is "$status" 0 "the store of an import that was killed"
is "$(count "$STORE/tmp") $(count "$STORE/trash") $(count "$STORE/step")" "0 0 0" "holds nothing half-made"
nacre cache import all.tar.zst
builds "and takes the rest" context
is "$(cached_steps)" 4 "as if nothing had been"
nacre verify
is "$status" 0 "which verify finds in order" || diag_file err

# ---- an export while a build changes a shared cache mount

cat >context/busy <<'END'
FROM app
RUN --mount=type=cache,target=/c,id=busy end=$(($(date +%s) + 4)); i=0; while [ $(date +%s) -lt $end ]; do \
    i=$(((i + 1) % 20)); head -c 100000 /dev/zero >/c/f$i; rm -f /c/f$(((i + 7) % 20)); done
END
nacre build -t app context
"$NACRE" build -q -f context/busy context >/dev/null 2>left.err &
pid=$!
mounts=$(count "$STORE/mount")
wait_for 10 sh -c "test \$(find $STORE/mount -mindepth 1 | wc -l) -gt $mounts"
failed=0
for _ in 1 2 3 4 5 6 7 8; do
  nacre cache export --all busy.tar
  [ "$status" = 0 ] || failed=$((failed + 1))
done
is "$failed" 0 "no export fails" || diag_file err
wait $pid
nacre cache export --all busy.tar
is "$(tar -tf busy.tar | grep -c '^mount/')" 2 "with the build it is over"
done_testing
