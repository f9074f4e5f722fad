#!/bin/sh
# COPY and ADD: what is taken, where it lands, with which owners and modes, what is fetched, and what makes it be copied again. The
# names in brackets are those of tests/semantics/ids.txt.
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
need jq git python3
busybox_registry
mkdir -p context/d/sub context/d/empty
echo file >context/f.txt
echo more >context/g.txt
echo in >context/d/in
echo deep >context/d/sub/deep
ln -s in context/d/link
ln -s f.txt context/alias

# ---- sources and destinations

proves "a source stays below its root, its trailing slash means nothing [CP-02]" <<'E'
FROM BASE AS s
RUN mkdir /a && echo a > /a/f
FROM BASE
COPY /f.txt ../../../g.txt d/../../f.txt f.txt/ /out/
COPY --from=s ../../a/f /a/../../a/f /from/
RUN test "$(echo $(ls /out /from))" = "/from: f /out: f.txt g.txt"
E
proves "\"\" and . are WORKDIR, a relative destination is below it [CP-03]" <<'E'
FROM BASE
WORKDIR /w
COPY ["f.txt", ""]
COPY g.txt .
COPY f.txt rel/
COPY f.txt new
COPY f.txt /abs/.
RUN test -s f.txt && test -s g.txt && test -s rel/f.txt && test -f new && test -s /abs/f.txt
E
proves "several sources without a slash are not refused: the last one is the file [CP-04]" <<'E'
FROM BASE
COPY f.txt g.txt /out
RUN test "$(cat /out)" = more
E
proves "a wildcard matches names that begin with a dot, and does not cross a slash [CP-05]" <<'E'
FROM BASE
COPY * /star/
COPY d/** /two/
RUN test -s /star/f.txt && test -s /two/in && test -s /star/in && test -s /two/deep
E
stops '[348]' 'absent' "a plain name that matches nothing [CP-06]" <<'E'
FROM scratch
COPY absent f.txt /out/
E
proves "a source link is followed, named or matched; those below a directory stay links [CP-07, CP-08]" <<'E'
FROM BASE
COPY alias /named
COPY ali* /matched/
COPY d /dir
RUN test ! -L /named && test "$(cat /named)" = file && test ! -L /matched/alias && test "$(readlink /dir/link)" = in && test ! -e /dir/d
E
proves "links of the destination lead through the image, never out; --link does not see them [CP-09, CP-18]" <<'E'
FROM BASE
RUN mkdir /real && ln -s /real /sym && ln -s ../../../../../real /up
COPY f.txt /sym/
COPY g.txt /up/g
COPY --link g.txt /sym2/
RUN test -L /sym && test -s /real/f.txt && test -s /real/g
E
proves "directories on the way: root's, or --chown's, with an octal --chmod [CP-10, CP-16]" <<'E'
FROM BASE
COPY f.txt /plain/way/f
COPY --chown=5:6 --chmod=0750 f.txt /both/way/f
COPY --chown=5 --chmod=u=rw,g=r,o= f.txt /symbolic/way/f
COPY d /copied
RUN test "$(echo $(stat -c '%a %u:%g' /plain /plain/way /both /both/way /both/way/f))" = \
  "755 0:0 755 0:0 750 5:6 750 5:6 750 5:6" && \
  test "$(echo $(stat -c '%a %u:%g' /symbolic/way /symbolic/way/f))" = "755 5:5 640 5:5"
E
chmod 700 context/d context/d/sub
touch -d @1200000000 context/d/in
proves "the destination's own metadata stays, that of directories below comes from the source [CP-12]" <<'E'
FROM BASE
RUN mkdir -p -m 711 /out/sub && chmod 711 /out && chown 9:9 /out /out/sub
COPY d /out
RUN test "$(echo $(stat -c '%a %u:%g' /out /out/sub))" = "711 9:9 700 0:0"
E
proves "a file goes into a directory under its own name, and in the place of a file [CP-11]" <<'E'
FROM BASE
RUN mkdir /d && echo old > /file
COPY f.txt /d
COPY f.txt /file
RUN test "$(cat /d/f.txt /file | tr '\n' ,)" = file,file,
E
for bad in 'f.txt /d/sub' 'd /file' 'f.txt /file/below'; do
  printf 'FROM BASE\nRUN mkdir -p /d/sub/f.txt && echo x > /file\nCOPY %s\n' "$bad" >text
  stops '[34]' 'f.txt|/file' "COPY $bad, where /file is a file and /d/sub/f.txt a directory [CP-11]" <text
done
chmod 755 context/d context/d/sub
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("context/d/socket")'
mkfifo context/d/fifo
chmod 6755 context/f.txt
ln context/g.txt context/d/hard
ln context/g.txt context/d/hard2
proves "modes, times, hard links and pipes are preserved, a socket becomes a file [CP-13]" <<'E'
FROM BASE
COPY f.txt d /out/
RUN test "$(stat -c %a /out/f.txt)" = 6755 && test "$(stat -c %Y /out/in)" = 1200000000 && test -p /out/fifo && test -f /out/socket && \
  test "$(stat -c %i /out/hard)" = "$(stat -c %i /out/hard2)"
E
rm context/d/socket context/d/fifo context/d/hard context/d/hard2
chmod 644 context/f.txt
python3 - device.tar <<'E'
import sys, tarfile
with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as t:
    m = tarfile.TarInfo("dev/node")
    m.type, m.mode, m.uid, m.gid, m.devmajor, m.devminor = tarfile.CHRTYPE, 0o640, 3, 4, 1, 5
    t.addfile(m)
E
python3 "$TESTS/lib/image.py" tar device.tar device
proves "a device of an image stays one [CP-13]" --build-context "device=oci-layout://$T/device:latest" --compression none \
  -o "oci:$T/image:x" <<'E'
FROM scratch
COPY --from=device /dev/node /node
E
is "$(tar --numeric-owner -tvf "$T/image/blobs/sha256/$(layers_of "$T/image" x | cut -d: -f2)" | awk '{ print $1, $2, $3 }')" \
  "crw-r----- 3/4 1,5" "with its numbers, mode and owner [CP-13]"
proves "owners: root's from the context, their own from a stage, also under USER [CP-14, CFG-02]" <<'E'
FROM BASE AS s
RUN echo x > /x && chown 7:8 /x
FROM BASE
USER app
COPY f.txt /f
COPY --from=s /x /x
RUN test "$(echo $(stat -c '%u:%g' /f /x))" = "0:0 7:8"
E
proves "--chown: a number is its own group, a name has its group's, an unknown one is root [CP-15]" <<'E'
FROM BASE
COPY --chown=12 f.txt /a
COPY --chown=app f.txt /b
COPY --chown=app:staff f.txt /c
COPY --chown=nosuch f.txt /d
RUN test "$(echo $(stat -c '%u:%g' /a /b /c /d))" = "12:12 1000:1000 1000:50 0:0"
E
proves "without a passwd file names are root, too [CP-15]" --compression none -o "oci:$T/image:x" <<'E'
FROM scratch
COPY f.txt /first
COPY --chown=app:7 f.txt /f
E
is "$(tar --numeric-owner -tvf "$T/image/blobs/sha256/$(layers_of "$T/image" x | tail -n1 | cut -d: -f2)" |
  awk '{ print $2 }')" 0/7 \
  "as the layer shows [CP-15]"
proves "--chmod leaves links alone, takes variables, gives bits above 0777 [CP-17]" <<'E'
FROM BASE
ARG M=4711
COPY --chmod=$M d /out
COPY --chmod=u=rwX,go=rX,g=u d /sym
RUN test "$(echo $(stat -c %a /out/in /out/sub /out/sub/deep))" = "4711 4711 4711" && test -L /out/link && \
  test "$(stat -c %a /out/link)" = 777 && test "$(echo $(stat -c %a /sym/in /sym/sub))" = "664 775"
E
proves "--parents keeps the path, from /./ on; ** goes deep; a wildcard may match nothing [CP-19]" <<'E'
FROM BASE
COPY --parents d/sub/deep /keep/
COPY --parents d/./sub/deep /pivot/
COPY --parents **/deep /stars/
COPY --parents none* /none/
RUN test -s /keep/d/sub/deep && test -s /pivot/sub/deep && test -s /stars/d/sub/deep
E
stops '[348]' 'absent' "but not a plain name [CP-19]" <<'E'
FROM scratch
COPY --parents d/absent /out/
E
stops 3 'unknown flag: --parents' "ADD has no --parents [CP-19]" <<'E'
FROM scratch
ADD --parents d /out/
E
proves "--exclude is relative to what is copied, takes ** and !, is ADD's too [CP-20]" <<'E'
FROM BASE
COPY --exclude=d/in d /a
COPY --exclude=in d /b
COPY --exclude=**/* --exclude=!sub/deep d /c
ADD --exclude=sub d /d
RUN test -s /a/in && test ! -e /b/in && test "$(cd /c && echo $(find . -type f))" = ./sub/deep && test ! -e /d/sub && test -s /d/in
E
stops '[34]' 'COPY.*(URL|http|ADD)|http.*COPY' "COPY of a URL [CP-21]" <<'E'
FROM scratch
COPY http://127.0.0.1:1/file /
E
stops '[34]' 'COPY|git' "COPY of a repository [CP-21]" <<'E'
FROM scratch
COPY git@127.0.0.1:a/b.git /
E
proves "--from: a name in any case, a number, an image [CP-22]" <<'E'
FROM scratch AS Stage
COPY f.txt /s
FROM BASE
COPY --from=STAGE /s /name
COPY --from=0 /s /number
COPY --from=BASE /etc/passwd /image
RUN cmp /name /number && test -s /image
E
stops '[3468]' 'later' "a stage that comes later [CP-22]" <<'E'
FROM scratch AS first
COPY --from=later /s /name
FROM scratch AS later
COPY f.txt /s
FROM first
E
printf '*.txt\n' >context/.dockerignore
stops '[348]' 'f.txt' "what is ignored is not there [CP-24]" <<'E'
FROM scratch
COPY f.txt /
E
nacre build --check context
like out 'CopyIgnoredFile' "and the check says why [CP-24]"
rm context/.dockerignore
proves "a heredoc beside a file [CP-25]" <<'E'
FROM BASE
COPY f.txt <<there /out/
written
there
RUN test "$(cat /out/f.txt /out/there | tr '\n' ,)" = file,written,
E

# ---- the key of a copy

copied() { "$NACRE" build "$@" context >out 2>err && sed -n 's/^\(#[0-9]*\) CACHED.*/^\1 \\[/p' err | grep -f - err | grep -c COPY; }
printf 'FROM BASE AS s\nARG N\nRUN echo $N > /n\nFROM BASE\nARG N\nRUN echo $N > /n\nCOPY d /d\nCOPY --link d /linked\n' | dockerfile
copied --build-arg N=1 >/dev/null || diag_file err
is "$(copied --build-arg N=1)" 2 "an unchanged copy is not made again [CP-23]"
touch -d @1300000000 context/d/in
is "$(copied --build-arg N=1)" 2 "nor for a new time [CP-23]"
is "$(copied --build-arg N=2)" 1 "what changes below makes a copy anew, but not one with --link [CP-18, CP-23]"
for n in 1 2; do
  nacre build --build-arg N=$n -o "oci:$T/linked:$n" context || diag_file err
done
isnt "$(layers_of "$T/linked" 1 | sed -n 2p)" "$(layers_of "$T/linked" 2 | sed -n 2p)" "another layer below"
is "$(layers_of "$T/linked" 1 | tail -n 1)" "$(layers_of "$T/linked" 2 | tail -n 1)" "leaves that of COPY --link as it was [CP-18]"
for change in 'chmod 600 context/d/in' 'echo x >context/d/in' 'mv context/d/in context/d/out' 'ln -sf sub context/d/link' \
  'mkdir context/d/new'; do
  $NACRE build --build-arg N=1 context >out 2>err
  cp -a context saved
  sh -c "$change"
  is "$(copied --build-arg N=1)" 0 "$change [CP-23]"
  rm -rf context
  mv saved context
done

# ---- archives

mkdir -p tree/top/sub
echo member >tree/top/member
chmod 640 tree/top/member
for form in : gzip bzip2 xz zstd; do
  tar -C tree -c --owner=21 --group=22 top | if [ $form = : ]; then cat; else $form; fi >"context/$form.bin" 2>/dev/null || {
    skip "an archive of $form" "no $form"
    cp context/:.bin "context/$form.bin"
  }
done
mv context/:.bin context/plain.bin
python3 -c 'import zipfile; z = zipfile.ZipFile("context/a.tar", "w"); z.writestr("top/member", "x")'
proves "archives are known by content: tar, gzip, bzip2, xz, zstd; never zip [ADD-01]" <<'E'
FROM BASE
ADD plain.bin /plain/
ADD gzip.bin /gzip/
ADD bzip2.bin /bzip2/
ADD xz.bin /xz/
ADD zstd.bin /zstd/
ADD a.tar /zip/
COPY gzip.bin /copied/
RUN for form in plain gzip bzip2 xz zstd; do test "$(cat /$form/top/member)" = member || exit 1; done; \
  test -f /zip/a.tar && test -f /copied/gzip.bin
E
proves "--unpack=false copies a local archive [ADD-02]" <<'E'
FROM BASE
ADD --unpack=false gzip.bin /out/
RUN test -f /out/gzip.bin && test ! -e /out/top
E
proves "an archive keeps its owners, or takes --chown; --chmod does not reach it; its directory is 0755 [ADD-03]" <<'E'
FROM BASE
RUN mkdir -p /merged/top && echo kept > /merged/top/kept && echo old > /merged/top/member
ADD plain.bin /merged
ADD --chmod=0777 plain.bin /new/dir
ADD --chown=1:2 plain.bin /owned/
RUN test "$(cat /merged/top/kept /merged/top/member | tr '\n' ,)" = kept,member, && test -d /merged/top/sub && \
  test "$(echo $(stat -c '%a %u:%g' /new/dir/top/member /owned/top/member))" = "640 21:22 640 1:2" && test "$(stat -c %a /merged)" = 755
E

# ---- URLs

mkdir -p www/private
echo secret-token >www/.token
echo remote >www/file
echo root >www/private/file
touch -d @1100000000 www/file
python3 "$TESTS/lib/web_server.py" "$T/www" "$T/web.log" "$T/port" >web.err 2>&1 &
at_end="$at_end $!"
wait_for 20 test -s port || bail "no web server"
WEB=127.0.0.1:$(cat port)
# web: the address of the server for WEB
web() { sed "s|WEB|$WEB|g"; }
cp context/gzip.bin www/
web >text <<'E'
FROM BASE
ADD http://WEB/file /out/
ADD http://WEB/file /named
ADD --chmod=0751 --chown=3:4 http://WEB/file /moded
ADD http://WEB/gzip.bin /remote/
ADD --unpack http://WEB/gzip.bin /unpacked/
RUN test "$(echo $(stat -c '%a %u:%g %Y' /out/file /named /moded))" = \
  "600 0:0 1100000000 600 0:0 1100000000 751 3:4 1100000000" && test -f /remote/gzip.bin && test -s /unpacked/top/member
E
proves "a URL: mode 0600, time of Last-Modified, its last name, packed [ADD-02, ADD-04]" <text
printf 'FROM BASE\nADD http://WEB/ /d/\nRUN test -s /d/__unnamed__\n' | web >text
proves "a URL that ends in no name [ADD-04]" <text
printf 'FROM BASE\nADD http://WEB/file /f\nRUN cat /f > /seen\n' | web >text
proves "a URL, to be asked again" <text
: >web.log
proves "what has the same ETag" <text
is "$(cut -d' ' -f1,3 web.log | sort -u | tr '\n' ,)" '304 /file,' "is asked for and not fetched again [ADD-04]"
is "$(cached_steps)" 2 "and nothing runs [ADD-04]"
echo changed >www/file
printf 'FROM BASE\nADD http://WEB/file /f\nRUN test "$(cat /f)" = changed\n' | web >text
proves "and what has another is [ADD-04]" <text
sum=$(sha256sum www/file | cut -d' ' -f1)
printf 'FROM scratch\nADD --checksum=sha256:%s http://WEB/file /f\n' "$sum" | web >text
proves "--checksum that fits [ADD-06]" <text
printf 'FROM scratch\nADD --checksum=sha256:%s http://WEB/gzip.bin /f\n' "$sum" | web >text
stops '[49]' 'checksum|digest' "and one that does not [ADD-06]" <text
printf 'FROM scratch\nADD --checksum=sha256:%s http://WEB/file http://WEB/file /d/\n' "$sum" | web >text
stops '[34]' 'checksum' "of several sources [ADD-06]" <text
printf 'FROM scratch\nADD http://WEB/private/file /f\n' | web >text
stops '[467]' '401|unauthorized|credential|log' "a URL that wants credentials [ADD-05]" <text
echo secret-token >token
echo 'Bearer secret-token' >header
proves "HTTP_AUTH_TOKEN_<host> gives them [ADD-05]" --secret "id=HTTP_AUTH_TOKEN_$WEB,src=token" --no-cache <text
proves "so does HTTP_AUTH_HEADER_<host> [ADD-05]" --secret "id=HTTP_AUTH_HEADER_$WEB,src=header" --no-cache <text
stops '[467]' '' "a host's are no other's [ADD-05]" --secret "id=HTTP_AUTH_TOKEN_other.example,src=token" --no-cache <text

# ---- repositories

export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t
export GIT_AUTHOR_DATE=@1234500000 GIT_COMMITTER_DATE=@1234500000
# publish DIR NAME: as a bare repository of the server
publish() {
  git clone -q --bare "$1" "www/$2" && git -C "www/$2" config uploadpack.allowAnySHA1InWant true && git -C "www/$2" update-server-info
}
git init -q -b main part && echo part >part/file && git -C part add -A && git -C part commit -q -m part
git init -q -b main work
mkdir work/sub
echo one >work/file
echo below >work/sub/below
git -C work add -A && git -C work commit -q -m one && git -C work tag v1
publish part part.git
git -C work -c protocol.file.allow=always submodule --quiet add "http://$WEB/part.git" module >git.log 2>&1
echo two >work/file
git -C work add -A && git -C work commit -q -m two
git -C work checkout -q -b side && echo side >work/file && git -C work commit -qam side && git -C work checkout -q main
first=$(git -C work rev-parse v1) last=$(git -C work rev-parse main)
publish work repo.git
publish work private/repo.git
web >text <<'E'
FROM BASE
ADD http://WEB/repo.git /head
ADD http://WEB/repo.git#v1 /tag
ADD http://WEB/repo.git#side:sub /subdir
RUN test "$(cat /head/file /tag/file | tr '\n' ,)" = two,one, && test "$(ls /subdir)" = below && test ! -e /head/.git && \
  test "$(cat /head/module/file)" = part
E
proves "a repository: its head, a reference, a directory; submodules [ADD-07]" <text
for query in "branch=side side" "tag=v1 one" "ref=side side" "ref=v1&checksum=$first one" \
  "branch=main&commit=$last two" "submodules=false two"; do
  printf 'FROM BASE\nADD http://WEB/repo.git?%s /got\nRUN test "$(cat /got/file)" = %s\n' "${query% *}" "${query##* }" | web >text
  proves "a query: ${query% *} [ADD-07]" <text
done
printf 'FROM BASE\nADD http://WEB/repo.git#v1 http://WEB/repo.git#side:sub /got/\nRUN test "$(ls /got | tr "\\n" ,)" = below,file,sub,\n' |
  web >text
proves "two repositories in one instruction [ADD-07]" <text
printf 'FROM BASE\nADD http://WEB/repo.git?subdir=sub /got\nRUN test "$(ls /got)" = below\n' | web >text
proves "a query: subdir=sub [ADD-07]" <text
printf 'FROM BASE\nADD http://WEB/repo.git?submodules=false /got\nRUN test ! -e /got/module/file\n' | web >text
proves "without submodules [ADD-07]" <text
printf 'FROM BASE\nADD http://WEB/repo.git?mtime=commit /got\nRUN test "$(stat -c %%Y /got/file)" = 1234500000\n' | web >text
proves "times of the commit [SDE-04, ADD-07]" <text
printf 'FROM scratch\nADD http://WEB/repo.git?colour=red /got\n' | web >text
stops '[34]' 'colour' "an unknown key [ADD-07]" <text
printf 'FROM BASE\nADD --checksum=%s http://WEB/repo.git#v1 /got\nRUN test "$(cat /got/file)" = one\n' "$(echo "$first" | cut -c1-12)" |
  web >text
proves "the beginning of a commit id as checksum [ADD-06]" <text
printf 'FROM scratch\nADD --checksum=%s http://WEB/repo.git#v1 /got\n' "$last" | web >text
stops '[349]' 'checksum|commit' "another commit's [ADD-06]" <text
printf 'FROM BASE\nADD --keep-git-dir http://WEB/repo.git#v1 /got\nRUN test -f /got/.git/HEAD\n' | web >text
proves "--keep-git-dir [ADD-08]" <text
publish work moved.git
sed 's/repo.git/moved.git/' text >moved
proves "the same commit elsewhere, which .git/config says [ADD-08]" <moved
is "$(cached_steps)" 0 "so it is another step"
printf 'FROM BASE\nADD http://WEB/repo.git#v1 /got\n' | web >text
proves "without .git" <text
sed 's/repo.git/moved.git/' text >moved
proves "where it came from" <moved
is "$(cached_steps)" 1 "is of no account"
printf 'FROM BASE\nADD http://WEB/repo.git?keep-git-dir=true /got\nRUN test -f /got/.git/HEAD\n' | web >text
proves "the query keep-git-dir [ADD-08]" <text
printf 'FROM scratch\nADD --keep-git-dir=false http://WEB/repo.git?keep-git-dir=true /got\n' | web >text
stops '[34]' 'keep-git-dir' "both, and they differ [ADD-08]" <text
printf 'FROM BASE\nADD http://WEB/private/repo.git#v1 /got\nRUN test "$(cat /got/file)" = one\n' | web >text
stops '[467]' '' "a repository that wants credentials [ADD-09]" <text
printf 'Basic secret-token' >header
proves "GIT_AUTH_TOKEN gives them [ADD-09]" --secret id=GIT_AUTH_TOKEN,src=token --no-cache <text
proves "so does one for this host [ADD-09]" --secret "id=GIT_AUTH_TOKEN.$WEB,src=token" --no-cache <text
proves "or a header [ADD-09]" --secret id=GIT_AUTH_HEADER,src=header --no-cache <text
stops '[348]' 'github.com/o/r' "github.com/o/r is a file that is not there [ADD-10]" <<'E'
FROM scratch
ADD github.com/o/r /got
E

done_testing
