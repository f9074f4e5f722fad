#!/bin/sh
# A context of many files, which several threads walk: the same image as one thread makes, and no file read twice.
. "$(dirname "$0")/../lib/common.sh"
need busybox strace
busybox_registry

mkdir -p context/deep/a/b/c
seq 36 | while read -r d; do
  mkdir "context/dir$d" "context/dir$d/sub"
  seq 20 | while read -r f; do
    echo "$d $f" >"context/dir$d/sub/file$f"
    echo "$f" >"context/dir$d/file$f.txt"
  done
done
ln -s ../dir1/file1.txt context/dir2/link
echo bottom >context/deep/a/b/c/file
chmod 755 context/dir3/file3.txt
printf 'dir7\n!dir7/sub\ndir8\n!dir8/nothing\n**/file9*\n!dir10/**/file9\n' >context/.dockerignore
cat >context/Dockerfile <<EOF
FROM $REGISTRY/busybox
COPY . /all
RUN --mount=type=bind,target=/mnt cd /mnt && find . | sort > /bound && cd /all && find . | sort > /copied
EOF
(
  cd context && find . | grep -v '^\./dir7/file' | grep -v '^\./dir8' | grep -vE '/file9($|\.)' |
    { cat && printf '%s\n' ./dir10/sub/file9; }
) | LC_ALL=C sort >expected

builds "it builds" -t app context || bail "nothing to compare"
first=$digest
nacre run --rm app cat /copied
check "what is ignored, and what is not, is told apart everywhere" cmp out expected
nacre run --rm app cat /bound
check "a bind mount shows the same" cmp out expected

nacre build -t app context
is "$(cached_steps)" 2 "a build again has all of it cached"
strace -f -qq -e trace=openat,openat2 -o calls "$NACRE" build -t app context >out 2>err
is "$(grep -E 'file[0-9]+' calls | grep -cv O_PATH)" 0 "and opens no file of the context, nor for the mount" || diag_file calls 5

taskset -c 0 "$NACRE" --store "$T/single" build -t app context >out 2>err
strip() { nacre --store "$1" run --rm "$2" sh -c 'cd /all && find . -type f -exec sha256sum {} + | sort'; }
strip "$T/single" app && cp out of-one
strip "$STORE" app
check "one processor makes the same" cmp out of-one

echo changed >context/dir36/sub/file20
nacre build -t app context
is "$(cached_steps)" 0 "one changed file of 1,400 is seen"
echo 36 20 >context/dir36/sub/file20
builds "it builds" -t app context
is "$digest" "$first" "and the earlier content gives the earlier image"

# Named files are looked at, and nothing beside them.
printf 'FROM %s/busybox\nCOPY dir1/file1.txt /\n' "$REGISTRY" >context/Dockerfile.one
strace -f -qq -e trace=openat,openat2,newfstatat -o calls "$NACRE" build -f context/Dockerfile.one -t one context >out 2>err
check "a named file is looked at" grep -q 'file1\.txt' calls
is "$(grep -c 'file2\.txt' calls)" 0 "its neighbours are not"
nacre build -f context/Dockerfile.one --build-arg X=1 -t one context
is "$(cached_steps)" 1 "and the next build has it cached"

mkdir context/dir20/closed
chmod 0 context/dir20/closed
refused 1 'dir20/closed.*[Pp]ermission denied' "a directory that cannot be read is named" build context
chmod 700 context/dir20/closed
# Many names in one instruction, in no order.
mkdir many
(cd many && seq 8000 | xargs touch)
printf 'FROM scratch\nCOPY %s /x/\n' "$(seq -s ' ' 8000)" >names
check "the time for many names grows as they do" timeout 10 "$NACRE" build -q -f names many
done_testing
