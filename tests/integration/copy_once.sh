#!/bin/sh
# A COPY that cannot be in the cache reads each file once: the digest, the layer and the tree come of one pass. The image and
# the key are those of a COPY that takes the digest first.
. "$(dirname "$0")/../lib/common.sh"
need busybox strace jq taskset
busybox_registry
SOURCE_DATE_EPOCH=1700000000
export SOURCE_DATE_EPOCH

mkdir -p context/files
seq 12 | while read -r d; do
  mkdir "context/files/dir$d"
  seq 50 | while read -r f; do echo "$d $f" >"context/files/dir$d/file$f"; done
done
chmod 755 context/files/dir3/file3
ln context/files/dir4/file4 context/files/dir9/other
ln -s ../dir1/file1 context/files/dir2/link
: >context/files/dir5/empty
mkfifo context/files/pipe
mkdir context/late
printf 'in the way\n' >context/late/file1
cat >context/Dockerfile <<END
FROM $REGISTRY/busybox
COPY --chmod=g+w --chown=1:2 files late/file1 /all/dir1/
COPY --exclude=dir1? files /some
COPY --parents files/dir* /kept
COPY --link files/dir2/../dir1 /linked
COPY <<one files /with/
of the Dockerfile
one
END

# Nothing that could be found is in the store: no worker that only hashes.
strace -f -qq -e trace=openat,openat2,prctl -o calls "$NACRE" build -f context/Dockerfile -t first context >out 2>err
first=$(head -n 1 out)
check "it builds" [ -n "$first" ] || diag_file err
printf 'FROM scratch\nCOPY files /files\n' >context/Dockerfile.one
strace -f -qq -e trace=openat,openat2,prctl -o calls "$NACRE" --store "$T/one" build -f context/Dockerfile.one context >out 2>err
grep -E '"(([a-z0-9/]*/)?file[0-9]+|other|empty)"' calls | grep -v O_PATH >opened
is "$(wc -l <opened)" 601 "every file is opened once: 600 and an empty one, a second name not again" ||
  diag_file opened 5
is "$(grep -c nacre-hash calls)" 0 "there is no pass that only hashes"
once=$(head -n 1 out)

# A store with records that are like these but for the content: there the digest comes first.
cp -a context other
echo more >other/files/dir1/more
for f in Dockerfile Dockerfile.one; do
  "$NACRE" --store "$T/two" build -f context/$f other >/dev/null 2>err || diag_file err
done
"$NACRE" --store "$T/two" build context >out 2>err
is "$(head -n 1 out)" "$first" "who takes the digest first gets the same image"
strace -f -qq -e trace=prctl -o calls "$NACRE" --store "$T/two" build -f context/Dockerfile.one context >out 2>err
check "in a pass of its own" grep -q nacre-hash calls
is "$(head -n 1 out)" "$once" "also of all files"
is "$(find "$STORE/step" -name '*.json' -exec basename {} \; | while read -r f; do [ -e "$T/two/step/$f" ] || echo "$f"; done)" '' \
  "and the same keys"
is "$(cd "$STORE/source" && for f in *; do cmp -s "$f" "$T/two/source/$f" || echo "$f"; done)" '' "and the same lists of files"

# ---- the cache

nacre build -t first context
is "$(cached_steps)" 5 "a build again has all of it cached"
strace -f -qq -e trace=openat,openat2 -o calls "$NACRE" build context >out 2>err
is "$(grep -E '/file[0-9]+"|"file[0-9]+"' calls | grep -cv O_PATH)" 0 "and opens no file" || diag_file calls 5
rm -rf other && cp -a context other
strace -f -qq -e trace=prctl -o calls "$NACRE" build -f context/Dockerfile other >out 2>err
is "$(grep -c CACHED err)" 5 "a copy of the context, with new inodes, has it cached too"
is "$(grep -c nacre-copy calls)" 0 "and packs nothing"
"$NACRE" --store "$T/two" build --cache-to "type=local,dest=$T/shared" -f context/Dockerfile.one context >/dev/null 2>err || diag_file err
nacre --store "$T/six" build --cache-from "type=local,src=$T/shared" -f context/Dockerfile.one other
is "$(cached_steps)" 1 "and so has who has no store but a cache of others" || diag_file err
mv context moved && mv other context
nacre build -t first context
is "$(cached_steps)" 5 "also in the place of the first"

# ---- below a step that runs

cat >context/Dockerfile.run <<END
FROM $REGISTRY/busybox AS a
ARG N
RUN echo \$N >/n
COPY files /files
RUN cd /files && find . -type f | sort | xargs md5sum >/sum
FROM $REGISTRY/busybox AS b
ARG N
RUN echo \$N >/n
COPY files /files
FROM $REGISTRY/busybox
COPY --from=a /sum /files /a/
COPY --from=b /files /b
RUN cd /b && find . -type f | sort | xargs md5sum | cmp - /a/sum && diff -r /a/dir7 /b/dir7
END
builds "the tree of a later RUN comes of the same pass" --build-arg N=1 -f context/Dockerfile.run context
like err 'runs in another stage' "equal steps of two stages are one"
echo changed >context/files/dir7/file7
strace -f -qq -e trace=prctl -o calls "$NACRE" build --build-arg N=2 -f context/Dockerfile.run context >out 2>err
is "$(grep -c nacre-hash calls)" 0 "after a RUN that ran the files are read once"
nacre why --format json 4/5
check "and why the step ran is told by file" jq -e '[.. | .name? // empty] | index("files/dir7/file7")' out || diag_file out
nacre build --no-cache --build-arg N=2 -f context/Dockerfile.run context
is "$status" 0 "--no-cache"
nacre build --build-arg N=2 -f context/Dockerfile.run context
is "$(cached_steps)" 10 "and all of it is found" || diag_file err 40

# ---- one directory under two names

cat >names <<END
FROM scratch AS a
COPY . /
FROM scratch AS b
COPY --from=again . /
FROM scratch
COPY --from=a / /a/
COPY --from=b / /b/
END
echo dir7 >names.dockerignore
echo dir8 >context/files/.dockerignore
builds "a directory is the context and a named one" --store "$T/five" --build-context again=context/files -f names -o both context/files
is "$(cd both && echo ./?/dir[78])" './a/dir8 ./b/dir7' "each without what it ignores"
rm context/files/.dockerignore

cat >context/Dockerfile.same <<END
FROM $REGISTRY/busybox
ARG N
RUN true
COPY files /files
RUN head -c 9 /dev/urandom >/random
END
builds "a build" --build-arg N=1 -f context/Dockerfile.same context
builds "and one whose first RUN runs again and comes to the same layer" --build-arg N=2 -f context/Dockerfile.same context
is "$(cached_steps)" 2 "has the COPY and the RUN above it cached" || diag_file err

# ---- while it is read

chmod 000 context/files/dir5/empty
refused 1 'dir5/empty.*[Pp]ermission denied' "an empty file that may not be read is refused" --store "$T/three" \
  build -f context/Dockerfile.one context
chmod 644 context/files/dir5/empty
truncate -s 600M context/files/a-large
reading() { find /proc/[0-9]*/fd -lname "$T/context/files/a-large" 2>/dev/null | grep -q .; }
"$NACRE" --store "$T/three" build -f context/Dockerfile.one context >out 2>err &
pid=$!
wait_for 20 reading
"$NACRE" --store "$T/three" build -f context/Dockerfile.one context >out2 2>err2 &
second=$!
wait $pid
is "$?" 0 "a build"
wait $second
is "$?" 0 "and another of the same at once"
same out out2 "give one image"
like err2 'running already; waiting' "the second waits for the first"
like err2 CACHED "and takes what it made"
"$NACRE" --store "$T/four" build -f context/Dockerfile.one context >out 2>err &
pid=$!
wait_for 20 reading
echo late >>context/files/dir9/file9
wait $pid
is "$?" 4 "a file that changes before it is read ends the build"
like err 'dir9/file9 of the context changed while it was read' "which names it"
is "$(find "$T/four/step" -name '*.json' 2>/dev/null | wc -l)" 0 "and keeps no record of the step"
done_testing
