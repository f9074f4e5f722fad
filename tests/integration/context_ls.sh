#!/bin/sh
# `nacre context ls`: what it lists is what arrives in the image, and what is dropped has its rule; `build --depfile` with make
# and ninja.
. "$(dirname "$0")/../lib/common.sh"
need jq tar zstd make ninja

# arrived DIR: the files of an image layout, without directories, sorted
arrived() {
  manifest=$(jq -r '.manifests[0].digest' "$1/index.json")
  jq -r '.layers[].digest' "$1/blobs/sha256/${manifest#sha256:}" | while read -r layer; do
    zstd -qdc "$1/blobs/sha256/${layer#sha256:}" | tar -tf - | grep -v '/$'
  done | sort -u
}

# exact DESCRIPTION [OPTION…]: of a Dockerfile that copies everything to a place of the same name
exact() {
  what=$1
  shift
  nacre context ls --format json "$@" context
  is "$status" 0 "$what: listed"
  jq -r '.instructions[].read[].path' out | sort -u >names.listed
  rm -rf image
  builds "$what: built" -o oci:image "$@" context
  arrived image >names.arrived
  isnt "$(wc -l <names.listed)" 0 "$what: some files"
  same names.listed names.arrived "$what: the listed files are those that arrive"
}

mkdir -p context/src/deep/er context/docs context/empty context/vendor/a/b assets
cd context || exit 1
for f in a.c b.c b.o .hidden "with blank" deep/c.c deep/c.o deep/er/d.c deep/er/keep.o; do printf '%s' "$f" >"src/$f"; done
ln -s a.c src/link
ln -s src source
ln -s /nowhere src/dangling
ln src/a.c src/hard.c
printf x >docs/x.md
printf y >docs/y.txt
printf 0123456789 >vendor/a/b/ten
printf 12345 >vendor/five
printf u >unread
mkfifo src/pipe
cd ..
printf 1 >assets/one
printf secret >assets/two.key
echo '*.key' >assets/.dockerignore

# ---- exactly what arrives

printf 'FROM scratch\nCOPY . /\n' >context/Dockerfile
exact "everything"
printf 'FROM scratch\nCOPY . /\n' >Dockerfile
printf '**/*.o\nvendor\ndocs/*\n!docs/x.md\n!**/keep.o\nDockerfile\n' >Dockerfile.dockerignore
exact "with the Dockerfile's own ignore file" -f Dockerfile
rm Dockerfile.dockerignore
printf 'vendor\n!vendor/a\nsrc\n!src/deep/er\n' >context/.dockerignore
exact "directories of which something comes back"
rm context/.dockerignore
cat >Dockerfile <<'END'
FROM scratch
COPY --exclude=**/*.o --exclude=deep/er src /src/
COPY docs/*.md docs/x.md /docs/
ADD vendor/f?ve /vendor/
END
exact "--exclude and wildcards" -f Dockerfile
printf 'FROM scratch\nCOPY --parents src/**/*.c vendor/a /\n' >Dockerfile
exact "--parents" -f Dockerfile
cat >Dockerfile <<'END'
FROM scratch AS unused
COPY unread /
FROM scratch AS base
ARG DIR=docs
ENV SUB=$DIR
COPY $SUB /$SUB
FROM base AS app
ARG DIR=none
COPY $SUB/five $DIR/
COPY --from=base /$SUB /$SUB
COPY --from=ASSETS . /
FROM nowhere
END
exact "stages, variables, a named context with an ignore file" -f Dockerfile --build-arg DIR=vendor --build-context assets=assets \
  --target app
printf 'FROM assets\nCOPY docs docs\n' >Dockerfile
exact "FROM a directory" -f Dockerfile --build-context assets=assets

# ---- what is not read

printf '# first\n\n /vendor/ \nsrc\n!src/deep\n**/*.o\n' >context/.dockerignore
printf 'FROM scratch\nCOPY src/deep /\nRUN --mount=type=bind,source=docs,target=/d true\n' >context/Dockerfile
nacre context ls --format json context
is "$status" 0 "a RUN is not run"
is "$(jq -c '.contexts[0].dropped[] | select(.directory) | [.path, .files, .size, .rule.file, .rule.line, .rule.pattern]' out)" \
  '["vendor",2,15,"context/.dockerignore",3,"/vendor/"]' "a dropped directory stands once, with its rule and size"
is "$(jq -r '.contexts[0].dropped[] | select(.path | startswith("src/deep")) | "\(.path) \(.rule.line)"' out | tr '\n' ' ')" \
  "src/deep/c.o 6 src/deep/er/keep.o 6 " "files below a directory that came back"
is "$(jq -c '[.instructions[] | [.line, .context, .files, .size]], .total' out | tr -d '\n')" \
  '[[2,null,2,19],[3,null,2,2]]{"files":4,"size":21}' "totals"
nacre context ls context
like out '^Dockerfile:2  COPY src/deep /$' "the table: an instruction"
like out '^ +11 B  src/deep/er/d.c$' "a file it reads"
like out '^ +15 B  vendor/ \(2 files\)  context/.dockerignore:3: /vendor/$' "what is dropped"
like out '^Not read by any instruction: 4 files, ' "what nobody reads"

# ---- names, and what would fail

printf 'FROM 127.0.0.1:1/nowhere\nCOPY src missing /\nCOPY docs /\n' >context/Dockerfile
printf x >"context/docs/$(printf 'e\033[31mvil')"
nacre context ls context
is "$status" 4 "sources that are not there"
like out 'would fail: .*/missing.*: not found' "which one"
like out 'docs/e\\x1b\[31mvil$' "control bytes do not reach the terminal"
like out 'ONBUILD triggers of 127.0.0.1:1/nowhere' "images that are not in the store"
nacre context ls --format json context
is "$(jq -c '[.unknownImages[0], .instructions[0].files, (.instructions[0].error | length > 0)]' out)" \
  '["127.0.0.1:1/nowhere",0,true]' "the same as JSON"
printf '**/*.md\ndocs\n' >context/.dockerignore
printf 'FROM scratch\nCOPY docs/x.md /\n' >context/Dockerfile
refused 4 '"/docs/x.md": not found; context/.dockerignore:2: docs keeps it out of the context' "the ignore file is named" build context
printf 'FROM scratch\nCOPY missing /\n' >context/Dockerfile
refused 4 '"/missing": not found$' "where it is why" build context
rm context/.dockerignore
refused 2 'unknown word' "only ls" context sort context
refused 2 'missing' "without a context" context ls

printf 'FROM scratch\nCOPY docs /\n' >context/Dockerfile
tar -C context -cf context.tar Dockerfile docs/x.md
"$NACRE" context ls --format json - <context.tar >out
is "$(jq -c '[.instructions[0].read[0].path, .contexts[0].path, .contexts[0].unread.files]' out)" '["docs/x.md","-",1]' \
  "an archive as context"
"$NACRE" build --check - <context.tar >out
like out 'no warnings' "checked"

# ---- build --depfile

rm -rf context
mkdir -p context/src/sub context/other
echo a >context/src/a.c
echo b >context/src/sub/b.c
echo m >context/src/m.md
echo n >context/unread
odd='context/src/sub/$(x) #1: b\ [2]'
echo o >"$odd"
echo '*.md' >context/.dockerignore
printf 'FROM scratch\nCOPY src/sub /sub/\nCOPY src/*.c /\nCOPY --from=more . /\n' >context/Dockerfile
ln -s nowhere context/src/sub/dangling
find context assets -exec touch -h -d '1 hour ago' {} +
printf 'a.iid:\n\t"$(NACRE)" build -q --iidfile $@ --depfile a.d --build-context more=assets context\n-include a.d\n' >Makefile
cat >build.ninja <<'END'
rule image
  command = "$$NACRE" build -q --iidfile $out --depfile $out.d --build-context more=assets context
  depfile = $out.d
build b.iid: image
END

# remade EXPECTED DESCRIPTION: whether make and ninja build again; twice, since afterwards they must be content
remade() {
  make a.iid >make.log 2>&1 || diag_file make.log
  ninja >ninja.log 2>&1 || diag_file ninja.log
  got="make $(grep -c '" build ' make.log), ninja $(grep -c '^\[1/1\]' ninja.log)"
  is "$got" "make $1, ninja $1" "$2"
}
remade 1 "nothing is there yet"
remade 0 "nothing changed"
touch context/unread context/other context/src/m.md
remade 0 "files that are not read"
echo changed >context/src/a.c
remade 1 "a copied file"
remade 0 "once"
echo c >context/src/c.c
remade 1 "a new file that a wildcard takes"
echo d >context/src/sub/d.c
remade 1 "a new file in a copied directory"
touch "$odd"
remade 1 "a name that needs quoting"
rm context/src/sub/b.c
remade 1 "a file that is gone"
echo 3 >assets/three
remade 1 "a named context"
touch context/Dockerfile
remade 1 "the Dockerfile"
touch context/.dockerignore
remade 1 "the ignore file"
remade 0 "and nothing more"
cp a.d cached.d
nacre build -q --iidfile a.iid --depfile a.d --no-cache --build-context more=assets context
same a.d cached.d "cached steps have the same files"

printf x >"context/src/sub/$(printf 'new\nline')"
nacre build -q -t app:1 --depfile c.d context --target none
is "$([ -e c.d ] && echo there)" "" "a failed build writes none"
nacre build -q -t app:1 --depfile c.d --build-context more=assets context
like err '1 path was left out' "a name that cannot be written"
like c.d '^app\\:1: ' "the target is the name of the image"
nacre build -q -o oci:layout:x --depfile c.d --build-context more=assets context
like c.d '^layout: ' "or the output directory"

busybox_layout "$T/busybox"
printf 'FROM busybox\nRUN --mount=type=bind,source=src/a.c,target=/a cp /a /b\n' >context/Dockerfile
for cached in 0 1; do
  builds "a bind mount" -t app:1 --depfile c.d --build-context "busybox=oci-layout://$T/busybox:latest" context
  is "$(cached_steps)" $cached "cached: $cached"
  is "$(grep -c ':$' c.d) $(grep -c '^context/src/a.c:$' c.d)" "3 1" "its file, the Dockerfile and the ignore file"
done
refused 2 'needs a name' "nothing that could be the target" build --depfile c.d context

done_testing
