#!/bin/sh
# Contexts that are no directory: standard input, git, HTTP, and all of them by name.
. "$(dirname "$0")/../lib/common.sh"
need python3 git jq bzip2 xz zstd tar

GIT_CONFIG_GLOBAL=/dev/null
export GIT_CONFIG_GLOBAL
commit_time=1577934245 newest=1500000000

# ---- what is served: a directory, archives of it, and a repository with it

mkdir -p www/app/sub www/app/empty
printf 'FROM scratch AS files\nCOPY . /all/\nCOPY sub /sub/\n' >www/app/Dockerfile
echo top >www/app/top
echo below >www/app/sub/below
echo not ignored >www/app/hidden
echo hidden >www/app/.dockerignore
ln -s top www/app/link
find www/app -exec touch -h -d @$newest {} +
tar -C www/app --sort=name --owner=4242 --group=4242 -cf www/app.tar .
for how in gzip xz bzip2 zstd; do $how <www/app.tar >www/app.tar.$how; done
touch -d @1400000000 www/app.tar.gzip

repo=$T/repo
in_repo() { git -C "$repo" -c user.name=a -c user.email=a@example.org -c init.defaultBranch=main "$@"; }
commit() {
  in_repo add -A
  GIT_COMMITTER_DATE="@$commit_time +0000" GIT_AUTHOR_DATE="@$commit_time +0000" in_repo commit -q -m "$1"
}
git init -q -b main "$repo"
cp -a www/app/. "$repo"
rm -d "$repo/empty"
commit first
first=$(in_repo rev-parse HEAD)
in_repo tag -a -m "with a message" annotated
in_repo branch both
echo of the tag >"$repo/top"
commit second
in_repo tag both
in_repo reset -q --hard "$first"
mkdir www/git
git clone -q --bare "$repo" www/git/app.git
git -C www/git/app.git update-server-info
publish() {
  in_repo push -q --all "$T/www/git/app.git"
  git -C www/git/app.git update-server-info
}

http_port=$(free_port)
python3 -m http.server -b 127.0.0.1 -d www "$http_port" >http.log 2>&1 &
at_end="$at_end $!"
HTTP=http://127.0.0.1:$http_port
git_port=$(free_port)
git daemon --export-all --base-path="$T/www/git" --listen=127.0.0.1 --port="$git_port" >git.log 2>&1 &
at_end="$at_end $!"
GIT=git://127.0.0.1:$git_port/app.git
wait_for 10 curl -s -o /dev/null "$HTTP/" || bail "the HTTP server does not start"
wait_for 10 git ls-remote "$GIT" || bail "git daemon does not start"

# from_stdin FILE ARGUMENT…: as `nacre`, with this standard input
from_stdin() {
  stdin_file=$1
  shift
  "$NACRE" "$@" <"$stdin_file" >"$T/out" 2>"$T/err"
  status=$?
}

# says STATUS REGEX DESCRIPTION: what the last command did
says() {
  if [ "$status" = "$1" ] && grep -Eq -e "$2" "$T/err"; then
    ok "$3"
  else
    not_ok "$3"
    diag "exit status $status (wanted $1); message must match: $2"
    diag_file "$T/err"
  fi
}

# members N: the entries of layer N of what was built into the layout "image"
members() {
  manifest=$(jq -r '.manifests[0].digest' image/index.json | tr : /)
  layer=$(jq -r ".layers[$1].digest" "image/blobs/$manifest" | tr : /)
  TZ=UTC tar -tvf "image/blobs/$layer" --numeric-owner --full-time
}
built() {
  rm -rf image
  builds "$@" --compression none -o oci:image:it
}

# ---- standard input

SOURCE_DATE_EPOCH=1600000000
export SOURCE_DATE_EPOCH
mv www/app/.dockerignore ignore
builds "a directory, to compare with" www/app
directory=$digest
mv ignore www/app/.dockerignore
tar -C www/app --exclude=./.dockerignore --sort=name --owner=4242 --group=4242 -cf same.tar .
for how in cat gzip xz bzip2 zstd; do
  $how <same.tar >same
  from_stdin same build -
  is "$(head -n 1 out)" "$directory" "standard input, $how: the same image as from a directory [CTX-07]"
done
is "$(cached_steps)" 2 "standard input: every step is cached"
from_stdin www/app.tar build --compression none -o oci:image:it -
like err '"?COPY . /all/' "standard input: it has the Dockerfile"
members 0 >list
like list 'all/hidden$' "an ignore file in an archive means nothing [CTX-05]"
like list ' 0/0 .* all/top$' "owners of an archive become root"
from_stdin www/app.tar build -f sub/below -
says 3 'unknown instruction' "-f names a file of the archive"
from_stdin www/app.tar build -f no/such -
says 8 'no file no/such' "-f names none"
printf 'FROM scratch\nLABEL a=b\n' >Dockerfile
from_stdin Dockerfile build -
is "$status" 0 "standard input: a Dockerfile"
printf 'FROM scratch\nCOPY Dockerfile /\n' >alone
from_stdin alone build -
says 4 'not found' "standard input: a Dockerfile has no files"
from_stdin Dockerfile build -f alone -
says 2 'yet -f alone' "standard input: a Dockerfile, and another one"
from_stdin Dockerfile build -f - -
says 2 'cannot be both' "standard input: for two things"
from_stdin Dockerfile build -f - www/app
is "$status" 0 "a Dockerfile on standard input, a directory as context"
from_stdin Dockerfile build -f - "$HTTP/app.tar"
is "$status" 0 "a Dockerfile on standard input, an archive as context"
mkdir lower && cp alone lower/dockerfile && tar -C lower -cf lower.tar dockerfile
from_stdin lower.tar build -
says 4 '^dockerfile:2' "a Dockerfile in lower case [LEX-15]"

# ---- archives that are odd or broken

from_stdin /dev/null build -
says 4 'empty' "standard input: nothing"
head -c 5000 /dev/urandom | tr '\037\375\102\050' '\001' >garbage
from_stdin garbage build -
says 4 'neither an archive nor a Dockerfile' "standard input: garbage"
head -c 300 www/app.tar.gzip >short
from_stdin short build -
says 9 'unpack standard input.*ends early' "standard input: an archive cut short"
python3 - <<'END'
import io, tarfile
def archive(name, *members):
    with tarfile.open(name, "w") as tar:
        for path, kind, text, mode in (("Dockerfile", tarfile.REGTYPE, "FROM scratch\nCOPY . /\n", 0o644),) + members:
            t = tarfile.TarInfo(path)
            t.type, t.mode, t.uid, t.gid, t.mtime, t.devmajor, t.devminor = kind, mode, 3000000, 77777, 1234567890, 1, 3
            t.linkname, t.size = ("", len(text)) if kind == tarfile.REGTYPE else (text, 0)
            tar.addfile(t, io.BytesIO(text.encode()))
archive("escape.tar", ("a/../../../x", tarfile.REGTYPE, "out", 0o644))
archive("odd.tar", ("d", tarfile.DIRTYPE, "", 0o000), ("d/none", tarfile.REGTYPE, "secret", 0o000),
        ("null", tarfile.CHRTYPE, "", 0o666), ("fifo", tarfile.FIFOTYPE, "", 0o600), ("set", tarfile.REGTYPE, "x", 0o6755),
        ("again", tarfile.REGTYPE, "one", 0o644), ("again", tarfile.REGTYPE, "two", 0o600),
        ("hard", tarfile.LNKTYPE, "d/none", 0o644), ("out", tarfile.SYMTYPE, "/etc/passwd", 0o777))
archive("link.tar", ("top", tarfile.SYMTYPE, "/etc", 0o777), ("top/passwd", tarfile.REGTYPE, "mine", 0o644))
END
from_stdin escape.tar build -
says 9 'a/../../../x' "an archive that leads out of itself (T-A1)"
cp odd.tar www/
built "an archive with modes and nodes nobody may have" "$HTTP/odd.tar"
members 0 >list
like list '^d--------- 0/0 .* d/?$' "a directory without permissions"
like list '^---------- 0/0 +6 .* d/none$' "a file without permissions"
like list '^-rwsr-sr-x 0/0 ' "set-id bits"
like list '^-rw------- 0/0 +3 .* again$' "the last of two members of one name"
like list '^crw-rw-rw- 0/0 +1,3 .* null$' "a device"
like list '^prw------- 0/0 ' "a FIFO"
like list 'out -> /etc/passwd' "a link that leads out stays a link"
from_stdin link.tar build --compression none -o oci:image2:it -
is "$status" 0 "a member below a link of the archive is inside the context"
like list '/?hard link to /?d/none$' "a hard link"

# ---- HTTP

builds "HTTP: an archive" "$HTTP/app.tar.gzip"
builds "HTTP: again" "$HTTP/app.tar.xz"
is "$(cached_steps)" 2 "HTTP: every step is cached"
printf 'FROM scratch\nCOPY . /all/\n' >www/plain
built "HTTP: a Dockerfile" "$HTTP/plain"
members 0 >list
like list 'all/context$' "HTTP: which is the context's one file"
refused 8 'nope: the server answers 404' "HTTP: nothing there" build "$HTTP/nope"
head -c 100 www/app.tar.zstd >www/short
refused 9 'unpack http.*/short: ' "HTTP: an archive cut short" build "$HTTP/short"
builds "HTTP: -f names a file of this machine [CTX-10]" -f "$T/Dockerfile" "$HTTP/app.tar"
builds "HTTP: -f is a URL" -f "$HTTP/plain" www/app/sub

# ---- git

for url in "$GIT" "$GIT#main" "$GIT#$first" "$GIT#annotated" "$GIT#refs/heads/main" "$GIT?branch=main" "$GIT?tag=annotated" \
  "$GIT?commit=$first" "$GIT?ref=refs%2Fheads%2Fmain&checksum=$(echo "$first" | cut -c 1-10)" "$HTTP/git/app.git#main"; do
  builds "git: ${url#*app.git}" "$url"
  [ -n "${commit_image:-}" ] || commit_image=$digest
  is "$digest" "$commit_image" "git: the same image [CTX-07, ADD-07]"
done
built "git: a branch before a tag of one name" "$GIT#both"
is "$digest" "$commit_image" "git: the branch"
builds "git: that tag" "$GIT?tag=both"
isnt "$digest" "$commit_image" "git: another image"
built "git: times of the commit" --no-cache "$GIT"
members 0 >list
like list ' 2020-01-02 03:04:05 all/top$' "git: a file's [SDE-04]"
like list ' 2020-01-02 03:04:05 all/sub/?$' "git: a directory's"
is "$(grep -c '\.git/' list)" 0 "git: without .git [CTX-08]"
built "git: times of the checkout" --no-cache "$GIT?mtime=checkout"
members 0 >list
is "$(grep -c '2020-01-02' list)" 0 "git: no file has the commit's"
built "git: with .git" --build-arg BUILDKIT_CONTEXT_KEEP_GIT_DIR=1 "$GIT"
members 0 >list
like list 'all/.git/HEAD$' "git: it is there [CTX-08]"
printf 'FROM scratch\nADD %s /\n' "$GIT?mtime=commit" >Dockerfile.add
built "ADD of git with times of the commit" -f Dockerfile.add www/app/sub
members 0 >list
like list ' 2020-01-02 03:04:05 top$' "ADD of git: a file has the time of its commit [ADD-07, SDE-04]"
printf 'FROM scratch\nCOPY . /\n' >"$repo/sub/Dockerfile"
ln -s / "$repo/outside"
commit third
publish
builds "git: a subdirectory" "$GIT#main:sub"
builds "git: -f in a subdirectory" -f sub/Dockerfile "$GIT"
builds "git: another commit" "$GIT"
builds "git: unchanged" "$GIT"
is "$(cached_steps)" 2 "git: every step is cached"
refused 4 'no ref "nope"' "git: no such ref" build "$GIT#nope"
refused '[146]' 'fetch 0123456789012345678901234567890123456789' "git: no such commit" build \
  "$GIT#0123456789012345678901234567890123456789"
refused 1 'subdirectory nope of the repository: No such file' "git: no such subdirectory" build "$GIT#:nope"
refused 1 'subdirectory outside/tmp of the repository' "git: a subdirectory behind a link (T-F2)" build "$GIT#:outside/tmp"
refused 4 'leads out' "git: a subdirectory outside (T-F2)" build "$GIT#:../.."
refused 9 'expected checksum' "git: another commit than it must be" build "$GIT?branch=main&checksum=0123"
refused 4 'two values' "git: two refs" build "$GIT?branch=main#other"
refused 4 'unexpected query' "git: an unknown key" build "$GIT?nope=1"
refused 4 'begins with a dash' "git: a ref that looks like an option (T-F1)" build "$GIT#--upload-pack=false"
refused 6 'ask http://127.0.0.1:1/x.git' "git: a password stays out of messages (T-F4)" build "http://me:secret@127.0.0.1:1/x.git"
is "$(grep -c secret err)" 0 "git: it is in none"

printf 'FROM scratch\nADD github.com/me/it /\n' >Dockerfile.add
refused 4 'not found' "ADD: that is a repository as a context only [ADD-10]" build -f Dockerfile.add www/app/sub
mkdir -p www/app/closed && chmod 0 www/app/closed
printf 'FROM scratch\nCOPY sub /\n' | "$NACRE" build -f - www/app >out 2>err
is "$?" 0 "what no instruction names is not read [CTX-06]"
chmod 755 www/app/closed && rmdir www/app/closed

# ---- by name

mkdir named && echo dropped >named/dropped && echo kept >named/kept && echo dropped >named/.dockerignore
cat >Dockerfile.named <<'END'
FROM base AS stage
COPY base /never
FROM stage
COPY --from=dir . /dir/
COPY --from=tar sub /tar/
COPY --from=repository sub /git/
COPY --from=docker.io/library/stage:latest kept /stage/
END
named() {
  built "$@" --build-context base=docker-image://scratch --build-context "dir=named" --build-context "tar=$HTTP/app.tar.zstd" \
    --build-context "repository=$GIT#annotated" --build-context stage=named -f Dockerfile.named www/app/sub
}
named "named contexts of every kind"
for n in 0 1 2 3 4; do members $n; done >list
is "$(sed -n 's,^-.* ,,p' list | sort | tr '\n' ' ')" ".dockerignore dir/.dockerignore dir/kept git/below kept stage/kept tar/below " \
  "named contexts: what came of them [CTX-09, FROM-03]"
named "named contexts again"
is "$(cached_steps)" 5 "named contexts: every step is cached"
printf 'FROM repository\nLABEL a=b\n' >Dockerfile.from
built "FROM a repository" --build-context "repository=$GIT#annotated" -f Dockerfile.from .
members 0 >list
like list ' 0/0 .* sub/below$' "FROM a repository: its files are the root"
printf 'FROM nowhere AS files\nRUN false\nFROM scratch\nCOPY --from=0 kept /\n' >Dockerfile.from
builds "a context in place of a stage: by number [FROM-03]" --build-context files=named -f Dockerfile.from .
built "a context in place of a stage: as target [FROM-03]" --build-context files=named --target files -f Dockerfile.from .
members 0 >list
like list 'kept$' "a context in place of a stage: its files"
printf 'FROM docker.io/library/alpine\n' >Dockerfile.from
built "an image's name, written otherwise [FROM-03]" --build-context alpine:latest=named -f Dockerfile.from .
case $(uname -m) in
aarch64) this=linux/arm64 other=linux/amd64 ;;
*) this=linux/amd64 other=linux/arm64 ;;
esac
printf 'FROM x\n' >Dockerfile.from
built "one for this platform" --build-context x::$other=www/app/empty --build-context x::$this=named --build-context x=www/app/sub \
  -f Dockerfile.from .
members 0 >list
like list 'kept$' "one for this platform: it is the one [CTX-09]"
refused 2 'bake' "target:" build --build-context x=target:y -f Dockerfile.from .
refused 2 'no kind of context' "an unknown scheme" build --build-context x=ftp://x -f Dockerfile.from .
refused 8 'No such file' "a named directory that is not there" build --build-context x=nope -f Dockerfile.from .
refused 8 'No such file' "a context that is not there" build nope
refused 2 'not a directory' "a context that is a file" build www/app/top
refused 8 'server answers 404' "a named context that is not there" build --build-context "x=$HTTP/nope" -f Dockerfile.from .
like err 'Dockerfile.from:1' "which has a line"

# ---- mounts

if busybox_layout "$T/busybox" 2>/dev/null; then
  cat >Dockerfile.run <<'END'
FROM base
RUN --mount=type=bind,target=/m [ "$(cat /m/top)" = top ] && [ -x /m/sub ] && [ "$(readlink /m/link)" = top ]
RUN --mount=type=bind,from=repository,source=sub,target=/m [ "$(cat /m/below)" = below ]
RUN --mount=type=bind,from=odd,target=/m [ "$(cat /m/d/none)" = secret ] && [ -p /m/fifo ]
END
  for n in 1 2; do
    builds "bind mounts of contexts" --build-context "base=oci-layout://$T/busybox" --build-context "repository=$GIT#annotated" \
      --build-context "odd=$HTTP/odd.tar" -f "$T/Dockerfile.run" "$HTTP/app.tar"
  done
  is "$(cached_steps)" 3 "bind mounts of contexts: cached"
fi

# ---- SOURCE_DATE_EPOCH

unset SOURCE_DATE_EPOCH
created() { "$NACRE" inspect "$digest" | jq -r '.. | .created? // empty' | head -n 1; }
epoch_is() {
  epoch_what=$1 epoch_want=$2
  shift 2
  builds "epoch: $epoch_what" "$@"
  is "$(created)" "$epoch_want" "epoch: $epoch_what: created [SDE-01]"
}
epoch_is "a repository's" 2020-01-02T03:04:05Z --build-arg SOURCE_DATE_EPOCH=context "$GIT#annotated"
epoch_is "Last-Modified" 2014-05-13T16:53:20Z --build-arg SOURCE_DATE_EPOCH=context "$HTTP/app.tar.gzip"
SOURCE_DATE_EPOCH=context from_stdin www/app.tar build -
digest=$(head -n 1 out)
is "$(created)" 2017-07-14T02:40:00Z "epoch: the newest file of an archive"
builds "epoch: a directory's" --build-arg SOURCE_DATE_EPOCH=context www/app/../app
case $(created) in 20[3-9]* | 202[6-9]*) ok "epoch: a directory's is that of the build" ;; *) not_ok "epoch: $(created)" ;; esac
printf 'ARG SOURCE_DATE_EPOCH=source\nFROM scratch AS source\nADD %s /\nFROM scratch\nARG SOURCE_DATE_EPOCH\nLABEL e=$SOURCE_DATE_EPOCH\n' \
  "$GIT#annotated" >Dockerfile.epoch
epoch_is "a stage's" 2020-01-02T03:04:05Z -f Dockerfile.epoch named
is "$("$NACRE" inspect "$digest" | jq -r '.. | .Labels? // empty | .e' | head -n 1)" $commit_time "epoch: instructions see the number"
epoch_is "a named context's" 2014-05-13T16:53:20Z --build-arg SOURCE_DATE_EPOCH=x --build-context "x=$HTTP/app.tar.gzip" -f Dockerfile.epoch named
refused 2 'neither a number' "epoch: nothing of that name" build --build-arg SOURCE_DATE_EPOCH=nope www/app
printf 'FROM scratch AS source\nCOPY . /\nFROM scratch\n' >Dockerfile.epoch
refused 4 'nothing but ARG and one remote ADD' "epoch: a stage of another kind" build --build-arg SOURCE_DATE_EPOCH=source -f Dockerfile.epoch named

# ---- checks, and the end

from_stdin www/app.tar build --check -
is "$status" 0 "checks: of an archive"
from_stdin www/app.tar context ls --format json -
is "$(jq -r '.. | .path? // empty' out | grep -c below)" 2 "what is read of an archive"
nacre build --call=targets "$GIT"
like out 'files' "stages: of a repository"
python3 -c '
import socket, sys, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
kept = s.accept()
time.sleep(60)' >port &
at_end="$at_end $!"
wait_for 10 test -s port
timeout --foreground --preserve-status -s INT 1 "$NACRE" build "http://127.0.0.1:$(cat port)/x.tar" 2>err
is "$?" 130 "an interrupt ends a fetch"
is "$(find "$STORE/tmp" -mindepth 1 | wc -l)" 0 "an interrupt leaves nothing in the store"
"$NACRE" build "http://127.0.0.1:$(cat port)/x.tar" 2>err &
killed=$!
wait_for 10 grep -q load err
check "all of a build dies with it" kill_hard $killed
builds "after a build that was killed" www/app
is "$(find "$STORE/tmp" -mindepth 1 | wc -l)" 0 "nothing stays of it"
done_testing
