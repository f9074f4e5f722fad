#!/bin/sh
# What counts for the cache and what does not, one field at a time (T-H3). Each row changes one thing against the same first
# build and says whether a step may run: "miss" some step with a layer runs, "hit" none does.
. "$(dirname "$0")/../lib/common.sh"
PATH=$PATH:/usr/sbin:/sbin # setcap
need busybox python3 setcap getcap setfattr unshare
busybox_layout "$T/base"

mkdir -p first/src/sub
echo one >first/src/one
echo two >first/src/sub/two
ln -s one first/src/link
echo tool >first/tool
echo unrelated >first/unrelated
printf 'ignored\n' >first/.dockerignore
echo secret-value-1f9c2 >secret
cat >first/Dockerfile <<'E'
FROM base AS other
RUN echo given > /given
FROM base
ARG USED=1
ARG IDLE=1
ENV E=1
LABEL L=1
WORKDIR /w
COPY src /src
COPY --from=other /given /given
RUN --mount=type=cache,target=/c,id=c --mount=type=bind,source=tool,target=/tool --mount=type=secret,id=s,target=/s echo $USED > /r
E

# build ARGUMENT…: of ./context; says "hit", "miss" or "fails"
build() {
  nacre build --secret "id=s,src=$T/secret" --build-context "base=oci-layout://$T/base:latest" "$@" context || { echo fails && return; }
  sed -n 's/^\(#[0-9]*\) \[[^]]*\] \(RUN\|COPY\|ADD\|WORKDIR\).*/\1/p' "$T/err" | while read -r number; do
    grep -q "^$number CACHED" "$T/err" || echo miss
  done | grep . | head -n 1 | grep . || echo hit
}

# row hit|miss DESCRIPTION ARGUMENT…: with what was changed in ./context, which is as at first again afterwards
row() {
  row_want=$1 row_what=$2
  shift 2
  is "$(build "$@")" "$row_want" "$row_want: $row_what" || diag_file err
  again
}

again() {
  rm -rf context
  cp -a first context
}

# line hit|miss DESCRIPTION SED-SCRIPT ARGUMENT…: the Dockerfile is another
line() {
  line_want=$1 line_what=$2
  sed -i "$3" context/Dockerfile
  shift 3
  if cmp -s first/Dockerfile context/Dockerfile; then
    not_ok "$line_what: nothing was changed"
  else
    row "$line_want" "$line_what" "$@"
  fi
}

again
is "$(build)" miss "the first build"
row hit "nothing"

# ---- the text
line hit "a comment" '1i # a comment'
line hit "blank lines" 's/^RUN/\n\nRUN/'
line hit "a continued line" 's/^COPY src/COPY \\\n  src/'
line hit "blanks between words" 's/^COPY src/COPY   src/'
line hit "the case of an instruction" 's/^COPY src/copy src/'
line hit "the name of a stage" 's/AS other/AS another/; s/from=other/from=another/'
line miss "the command" 's/> .r$/> \/R/'
line miss "a blank in the command" 's/echo \$USED/echo  $USED/'
line miss "exec form" 's/echo \$USED > .r$/["true"]/'
line miss "a heredoc" 's/echo \$USED > .r$/<<X\ntrue\nX/'
line miss "the destination of COPY" 's,COPY src /src,COPY src /dst,'
line miss "COPY --chown" 's,COPY src,COPY --chown=1:1 src,'
line miss "COPY --chmod" 's,COPY src,COPY --chmod=700 src,'
line miss "COPY --exclude" 's,COPY src,COPY --exclude=sub src,'
line miss "COPY --link" 's,COPY src,COPY --link src,'
line miss "COPY --parents" 's,COPY src,COPY --parents src,'
line miss "a slash that makes the destination of COPY a directory" 's,/given /given$,/given /given/,'
line miss "the order of sources" 's,COPY src /src,COPY src/one src/sub/two /src/,'
line miss "the order of sources, turned" 's,COPY src /src,COPY src/sub/two src/one /src/,'
line miss "ADD instead of COPY" 's,COPY src,ADD src,'

# ---- files
touch -d @1000000000 context/src/one context/src context/tool
row hit "modification times"
chmod 600 context/unrelated
echo more >>context/unrelated
row hit "a file that no instruction names"
echo x >context/ignored
row hit "an ignored file"
echo 'unrelated' >>context/.dockerignore
row hit "an ignore file that drops what is not copied"
echo 'src/sub' >>context/.dockerignore
row miss "an ignore file that drops what is copied"
echo ONE >context/src/one
row miss "the content of a file, its size the same"
chmod 755 context/src/one
row miss "the mode of a file"
mv context/src/one context/src/eins
row miss "the name of a file"
ln -sf sub/two context/src/link
row miss "the target of a link"
mkdir context/src/empty
row miss "an empty directory"
chmod 700 context/src/sub
row miss "the mode of a directory"
rm context/src/sub/two
row miss "a file less"
rm context/src/link
cp context/src/one context/src/link
row miss "a file in place of a link"
chmod 700 context/src
row miss "the mode of the directory that is copied"
chmod 700 context
row hit "the mode of the context"
mkfifo context/src/pipe
row miss "a pipe"
echo TOOL >context/tool
row miss "the content of a bind mount"
cp -a context elsewhere
is "$(build -f elsewhere/Dockerfile)" hit "hit: the path of the Dockerfile"
mv context moved
mkdir -p deep/er
mv moved deep/er/context
(cd deep/er && build) >said
is "$(cat said)" hit "hit: the path of the context"
again
line miss "what another stage gives" 's/echo given/echo taken/'
line miss "who owns what another stage gives" 's,> /given,> /given; chown 1:1 /given,'

# ---- variables
row miss "an argument that the command uses" --build-arg USED=2
row miss "an argument that is declared and not used" --build-arg IDLE=2
row hit "its default, given" --build-arg USED=1
row hit "an argument that nothing declares" --build-arg NOBODY=1
line hit "an argument declared after all steps" '$a ARG LATE=1'
row miss "the host name" --build-arg BUILDKIT_SANDBOX_HOSTNAME=other
row hit "proxies" --build-arg HTTP_PROXY=http://127.0.0.1:1 --build-arg no_proxy=x
line miss "ENV" 's/ENV E=1/ENV E=2/'
line miss "ENV, another name" 's/ENV E=1/ENV F=1/'
line miss "USER" 's/^COPY --from/USER 0:0\n&/'
line miss "WORKDIR" 's,WORKDIR /w,WORKDIR /v,'
line miss "SHELL" 's/^COPY --from/SHELL ["\/bin\/sh","-ec"]\n&/'
line hit "LABEL" 's/LABEL L=1/LABEL L=2/'
line hit "a label more" 's/LABEL L=1/LABEL L=1 M=1/'
line hit "CMD, EXPOSE, VOLUME, ONBUILD, HEALTHCHECK and STOPSIGNAL" \
  's/^COPY --from/CMD x\nEXPOSE 1\nVOLUME \/v\nONBUILD RUN x\nHEALTHCHECK CMD x\nSTOPSIGNAL 9\n&/'
row hit "--label" --label a=b
row miss "SOURCE_DATE_EPOCH" --build-arg SOURCE_DATE_EPOCH=1000000000

# ---- mounts
line miss "the target of a mount" 's,target=/c,target=/cc,'
line miss "the id of a cache mount" 's,id=c ,id=d ,'
line miss "sharing" 's,id=c ,id=c\,sharing=locked ,'
line miss "read-only" 's,id=c ,id=c\,ro ,'
line miss "the mode of a cache mount" 's,id=c ,id=c\,mode=0700 ,'
line miss "the source of a bind mount" 's,source=tool,source=unrelated,'
line miss "from of a bind mount" 's,source=tool,from=other\,source=given,'
line miss "a mount less" 's,--mount=type=cache[^ ]* ,,'
line miss "the type of a mount" 's,type=cache\,target=/c\,id=c,type=tmpfs\,target=/c,'
line miss "a tmpfs more" 's,^RUN --mount=type=cache,RUN --mount=type=tmpfs\,target=/t --mount=type=cache,'
line miss "an agent's socket" 's,^RUN --mount=type=cache,RUN --mount=type=ssh --mount=type=cache,'
line miss "the id of a secret" 's,id=s\,,id=z\,,'
line miss "a secret as variable" 's,id=s\,target=/s,id=s\,env=S,'
line miss "a secret that is required" 's,id=s\,,id=s\,required\,,'
echo secret-value-77ab0 >secret
row hit "the value of a secret"

# ---- how RUN runs
row miss "--network" --network none
line hit "RUN --network=none, which is the same as what was just built" 's/^RUN --mount=type=cache/RUN --network=none --mount=type=cache/'
line miss "RUN --security" 's/^RUN --mount=type=cache/RUN --security=insecure --mount=type=cache/' --allow security.insecure
line hit "RUN --security=sandbox, which is the default" 's/^RUN --mount=type=cache/RUN --security=sandbox --mount=type=cache/'
row miss "a name of --add-host" --add-host name:127.0.0.1
row hit "its address" --add-host name:127.0.0.2
row miss "--shm-size" --shm-size 32m
row miss "--ulimit" --ulimit nofile=100:200
row hit "--compression" --compression gzip
row hit "a name" -t named

# ---- the caller
(umask 077 && build) >said
is "$(cat said)" hit "hit: the umask"
(export TZ=Asia/Tokyo LC_ALL=C LANG=de_DE && build) >said
is "$(cat said)" hit "hit: time zone and language"
(export HOME="$T" USER=nobody UNUSED=1 && build) >said
is "$(cat said)" hit "hit: the environment"
mv "$STORE" "$T/store-moved"
nacre --store "$T/store-moved" build --secret "id=s,src=$T/secret" --build-context "base=oci-layout://$T/base:latest" context
is "$(grep -c CACHED err)" "$(grep -cE '^#[0-9]+ \[.*\] (ARG|ENV|LABEL|RUN|COPY|WORKDIR)' err)" "hit: the store in another place"
mv "$T/store-moved" "$STORE"
cat >changed <<'E'
FROM base
COPY tool /changed
E
nacre build --build-context "base=oci-layout://$T/base:latest" -o "oci:$T/changed-base:latest" -f changed context || diag_file err
row miss "another base image of that name" --build-context "base=oci-layout://$T/changed-base:latest"

# ---- what a file system says of files
setfattr -n user.note -v text context/src/one
row hit "an attribute of a user, which is not copied"
unshare -r setcap cap_net_raw+p context/tool
is "$(unshare -r getcap context/tool)" "context/tool cap_net_raw=p" "a capability is set"
row hit "the capability of a file that may not be executed"
chmod 755 first/src/one
again
build >/dev/null
unshare -r setcap cap_net_raw+p context/src/one
row miss "the capability of an executable"
unshare -r setcap cap_net_raw+p context/src/one
row hit "the same capability"
unshare -r setcap cap_net_raw+ep context/src/one
row miss "another capability"
unshare -r setcap cap_net_raw+ep context/src/one
printf 'FROM scratch\nCOPY src/one /\n' >context/Dockerfile
builds "it is copied" --compression none -o "oci:$T/capable:latest" context
is "$(for blob in capable/blobs/sha256/*; do
  [ "$(head -c 1 "$blob")" = "{" ] || python3 -c 'import sys, tarfile
for m in tarfile.open(sys.argv[1]): print(m.name, m.pax_headers["SCHILY.xattr.security.capability"].encode("utf-8", "surrogateescape").hex())' "$blob"
done)" "one 0100000200200000000000000000000000000000" "without the id of who gave it" || diag_file err
again
unshare -r --map-auto chown 5:6 context/src/one
isnt "$(stat -c %u context/src/one)" "$(id -u)" "files of another owner"
row hit "the owner of a file"
rm context/src/link
ln context/src/one context/src/link
build >/dev/null
rm context/src/link
cp -p context/src/one context/src/link
row hit "a copy in place of a second name"

# ---- who calls
cat >as_root <<E
#!/bin/sh
exec unshare -r "$NACRE" "\$@"
E
chmod 755 as_root
(NACRE=$T/as_root && build) >said
is "$(cat said)" hit "hit: another uid, in a namespace of its own"

# ---- platforms: of the stage, and as a variable
cat >first/Dockerfile <<'E'
FROM --platform=$BUILDPLATFORM base
RUN echo given
COPY src /src
E
again
build --platform linux/amd64 >/dev/null
row hit "another target than the stage's own platform" --platform linux/s390x
line miss "TARGETARCH" '/^FROM/a ARG TARGETARCH'
line miss "TARGETARCH, another" '/^FROM/a ARG TARGETARCH' --platform linux/s390x
line hit "TARGETARCH, as before" '/^FROM/a ARG TARGETARCH' --platform linux/s390x
line miss "TARGETPLATFORM" '/^FROM/a ARG TARGETPLATFORM'
line miss "TARGETPLATFORM, another" '/^FROM/a ARG TARGETPLATFORM' --platform linux/s390x
line hit "TARGETPLATFORM declared after all steps" '$a ARG TARGETPLATFORM' --platform linux/s390x
printf 'FROM scratch\nCOPY src /src\n' >first/Dockerfile
again
build >/dev/null
row hit "the platform of an image of files alone" --platform linux/s390x

# ---- directories that --parents keeps
printf 'FROM base\nCOPY --parents src/sub/two /d/\n' >first/Dockerfile
again
build >/dev/null
row hit "nothing, with --parents"
chmod 700 context/src/sub
row miss "the mode of a directory on the way to a file"
chmod 700 context/src
row miss "the mode of the first directory on the way"
echo more >context/src/one
row hit "a file beside it"
printf 'FROM base\nCOPY --parents src/./sub/two /d/\n' >first/Dockerfile
again
build >/dev/null
chmod 700 context/src/sub
row miss "the mode of a directory behind the pivot"
chmod 700 context/src
row hit "the mode of the pivot, which is not copied"
printf 'FROM base\nCOPY --parents src/*/t* /d/\n' >first/Dockerfile
again
build >/dev/null
chmod 711 context/src/sub
row miss "the mode of a directory that a wildcard meets on the way"

# ---- secrets
for value in secret-value-1f9c2 secret-value-77ab0; do
  for form in "$value" "$(echo $value | sha256sum | cut -c1-64)" "$(printf %s $value | sha256sum | cut -c1-64)" \
    "$(printf %s $value | base64)"; do
    check "nothing in the store has $form" sh -c '! grep -rqaF -e "$1" "$2"' sh "$form" "$STORE"
  done
done
done_testing
