#!/bin/sh
# The language, where it takes a build to see it: what instructions mean for those after them, for other stages and for the image.
# The names in brackets are those of tests/semantics/ids.txt.
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
need jq
busybox_registry

# setting JQ-PATH: of the config of the image that was built with -o oci:$T/image:x
setting() { jq -c "$1" "$(config_of "$T/image" x)"; }

# ---- where the Dockerfile is

mkdir -p context lower
echo file >context/file
printf 'FROM scratch\nLABEL from=lower\n' >lower/dockerfile
builds "a lower-case dockerfile, where there is no other [LEX-15]" -o "oci:$T/image:x" lower
is "$(setting .config.Labels.from)" '"lower"' "is the one that was built"
if [ ! -e lower/Dockerfile ]; then
  printf 'FROM scratch\nLABEL from=upper\n' >lower/Dockerfile
  builds "beside a Dockerfile" -o "oci:$T/image:x" lower
  is "$(setting .config.Labels.from)" '"upper"' "it is not [LEX-15]"
fi
rm lower/Dockerfile
builds "-f with that name falls back likewise [LEX-15]" -f lower/Dockerfile context
refused 8 'lower/Other' "-f with another name asks for exactly that [LEX-15]" build -f lower/Other lower
printf 'FROM scratch\nCOPY file /\nLABEL from=stdin\n' |
  "$NACRE" build -q -f - -o "oci:$T/image:x" context >out 2>err
is "$? $(setting .config.Labels.from)" '0 "stdin"' "-f - reads standard input, the context stays [LEX-15]"

# ---- directives

proves "a syntax line of another version and of another registry pulls nothing [DIR-03]" <<'E'
# syntax=registry.invalid/docker/dockerfile:1.4-labs
FROM scratch
LABEL a=b
E
proves "BUILDKIT_SYNTAX is a syntax line, too [DIR-06]" --build-arg BUILDKIT_SYNTAX=dockerfile.v0 <<'E'
# syntax=registry.invalid/other:1
FROM scratch
LABEL a=b
E
proves "nor does it pull anything [DIR-06]" --build-arg BUILDKIT_SYNTAX=registry.invalid/other:1 <<'E'
FROM scratch
LABEL a=b
E

# ---- heredocs

proves "RUN of a heredoc gives its body to any SHELL as one argument, unexpanded [HERE-08]" <<'E'
FROM BASE
ENV V=value
SHELL ["/bin/sh", "-c", "printf '%s|' \"$#\" \"$0\" \"$V\" > /seen"]
RUN <<END
one $V
 "two"
END
SHELL ["/bin/sh", "-c"]
RUN test "$(tr '\n' , < /seen)" = '0|one $V, "two",|value|'
E
proves "a body that begins #! is a program of its own [HERE-09]" <<'E'
FROM BASE
RUN <<script
#!/bin/busybox sh
echo "$0 $(stat -c %a "$0")" > /seen
(echo x > "$0") 2>/dev/null || echo read-only >> /seen
script
RUN test "$(tr '\n' , < /seen)" = "/dev/pipes/script 755,read-only," && test ! -e /dev/pipes
E
stops 5 '"/bin/sh -c echo first\\nexit 3\\n" did not complete' "one that fails is shown on one line" <<'E'
FROM BASE
RUN <<X
echo first
exit 3
X
E
proves "text round heredocs: the shell gets the line and all bodies [HERE-10]" <<'E'
FROM BASE
ENV V=value
RUN cat <<A > /a && cat <<'B' > /b
a $V
A
b $V
B
RUN test "$(cat /a /b | tr '\n' ,)" = 'a value,b $V,'
E
proves "descriptor digits are the shell's [HERE-11]" <<'E'
FROM BASE
RUN cat 3<<A <&3 > /a
three
A
RUN test "$(cat /a)" = three
E
proves "a heredoc's name, mode and owner [HERE-06]" <<'E'
FROM BASE
COPY <<one <<two /d/
1
one
2
two
COPY --chown=7:8 --chmod=0700 <<three /three
3
three
RUN test "$(stat -c '%a %u:%g' /d/one /d/two /three | tr '\n' ,)" = "644 0:0,644 0:0,700 7:8,"
E
proves "the body's escape is the backslash even under escape=\`, and quotes are text [HERE-07]" <<'E'
# escape=`
FROM BASE
ENV V=value
COPY <<END /f
\$V `$V "$V" '$V'
END
RUN test "$(cat /f)" = '$V `value "value" '"'value'"
E

# ---- variables

proves "names in one ENV, ARG or LABEL: ENV sees what was before it [EXP-06]" -o "oci:$T/image:x" <<'E'
FROM BASE
ENV a=old
ENV a=new b=$a
LABEL a=$a b=$b
RUN test "$a $b" = "new old"
E
is "$(setting '[.config.Labels.a, .config.Labels.b]')" '["new","old"]' "and LABEL what it set [EXP-06]"
mkdir -p 'context/$D'
echo dollar >'context/$D/$F'
echo expanded >context/F
proves "--exclude, MAINTAINER and SHELL leave variables alone [EXP-08]" -o "oci:$T/image:x" <<'E'
FROM BASE
ENV F=F D=d
MAINTAINER $F
COPY --exclude=**/$F . /got/
RUN test -e /got/F && test ! -e '/got/$D/$F'
E
is "$(setting .author)" '"$F"' "the author is as written [EXP-08, ENV-05]"
like err 'MaintainerDeprecated' "and MAINTAINER is warned of [ENV-05]"
for bad in 'COPY --from=$S /file /' 'RUN --mount=from=$S,target=/m true' 'RUN --network=$S true' 'RUN --security=$S true' \
  'COPY --link=$S file /'; do
  printf 'FROM scratch AS s\nFROM BASE\nARG S=s\n%s\n' "$bad" >text
  stops 3 'variable|unsupported|\$S' "not expanded: $bad [EXP-08]" <text
done
proves "a trigger is expanded when it fires [EXP-09]" <<'E'
FROM BASE AS parent
ENV WHEN=stored
ONBUILD ENV SEEN=$WHEN
ENV WHEN=fired
FROM parent
RUN test "$SEEN" = fired
E
proves "every other value of --mount is expanded [EXP-07]" <<'E'
FROM scratch AS s
COPY file /file
FROM BASE
ARG T=/m S=/file TYPE=bind
RUN --mount=type=$TYPE,from=s,source=$S,target=$T/f test -s /m/f
E
proves "EXPOSE splits what came of its variables [EXP-07]" -o "oci:$T/image:x" <<'E'
FROM scratch
ARG P="80 90-91/udp"
EXPOSE $P 7
STOPSIGNAL ${NONE:-SIGINT}
E
is "$(setting '[(.config.ExposedPorts | keys), .config.StopSignal]')" '[["7/tcp","80/tcp","90/udp","91/udp"],"SIGINT"]' \
  "into ports [EXP-07]"

# ---- stages

proves "a stage called scratch comes before the empty one [FROM-03]" <<'E'
FROM BASE AS scratch
RUN echo here > /here
FROM scratch
RUN test -s /here
E
stops '[1-8]' 'Build' "FROM finds no stage by another letter case [FROM-13]" <<'E'
FROM BASE AS Build
FROM Build
E
proves "--from of COPY and of a mount does [FROM-13]" --target LAST <<'E'
FROM BASE AS Build
RUN echo x > /x
FROM BASE AS last
COPY --from=BUILD /x /x
RUN --mount=from=bUILD,source=/x,target=/y cmp /x /y
E
proves "the later of two stages of one name is the one that is meant [FROM-14]" <<'E'
FROM BASE AS one
RUN echo first > /x
FROM BASE AS one
RUN echo second > /x
FROM one
COPY --from=one /x /y
RUN test "$(cat /x /y | tr '\n' ,)" = second,second,
E
like err 'DuplicateStageName' "with a warning [FROM-14]"
printf 'FROM scratch AS alpha\nLABEL a=b\nFROM scratch\nLABEL c=d\n' >stages
stops 8 'alpha' "--target of no stage suggests one [FROM-12]" --target alhpa <stages
stops 8 '' "--target takes no numbers [FROM-12]" --target 0 <stages
proves "without --target it is the last stage [FROM-12]" -o "oci:$T/image:x" <stages
is "$(setting .config.Labels)" '{"c":"d"}' "of the file [FROM-12]"
stops '[34]' 'circular|before|itself' "a stage that copies from itself [FROM-11]" <<'E'
FROM scratch AS a
COPY --from=a /x /x
E
proves "stages that wait for each other meet: they run side by side [FROM-11, MNT-10]" <<'E'
FROM BASE AS left
RUN --mount=type=cache,id=meet,target=/m touch /m/left; i=0; \
  while [ ! -e /m/right ] && [ $i -lt 200 ]; do sleep 0.1; i=$((i+1)); done; test -e /m/right
FROM BASE AS right
RUN --mount=type=cache,id=meet,target=/m touch /m/right; i=0; \
  while [ ! -e /m/left ] && [ $i -lt 200 ]; do sleep 0.1; i=$((i+1)); done; test -e /m/left
FROM scratch
COPY --from=left /etc/passwd /a
COPY --from=right /etc/passwd /b
E
proves "stages that nobody needs are not built [FROM-11]" <<'E'
FROM BASE AS unused
RUN exit 1
FROM registry.invalid/none AS unused-too
FROM scratch
LABEL a=b
E
proves "scratch has no files, a PATH, / and no history [FROM-05]" -o "oci:$T/image:x" <<'E'
FROM scratch
LABEL a=b
E
is "$(setting '[.config.Env, .config.WorkingDir, (.history | length), .rootfs]')" \
  '[["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"/",1,{"type":"layers","diff_ids":[]}]' \
  "as they should be [FROM-05, IMG-01]"
case $(uname -m) in
aarch64) other=amd64 ;;
*) other=arm64 ;;
esac
printf 'FROM scratch\nCOPY file /\n' >text
proves "an image for another machine" --platform linux/$other -o "oci:$T/foreign:x" <text
printf 'FROM foreign\nCOPY file /again\n' >text
proves "is taken as a base without --platform [FROM-07]" --build-context "foreign=oci-layout://$T/foreign:x" \
  -o "oci:$T/image:x" <text
is "$(setting .architecture)" "\"$other\"" "and its architecture is the result's [FROM-07]"

# ---- ARG

proves "ENV hides an ARG of its name, a later ARG hides ENV during the build [ARG-06]" --build-arg A=cli --build-arg D=cli \
  -o "oci:$T/image:x" <<'E'
FROM BASE
ARG A=arg
RUN test "$A" = cli
ENV A=env
RUN test "$A" = env
ENV B=env
ARG B=arg
RUN test "$B" = arg
LABEL b=$B
ARG A
RUN test "$A" = cli
ENV C=env
ARG C
RUN test "$C" = env
E
is "$(setting '[.config.Env[1:], .config.Labels.b]')" '[["A=env","B=env","C=env"],"arg"]' "the image keeps ENV's value [ARG-06]"
proves "a default beats the global and the automatic value [ARG-03]" <<'E'
ARG G=global
FROM BASE
ARG G=stage
ARG TARGETARCH=none
RUN test "$G $TARGETARCH" = "stage none"
E
proves "an ARG reaches the stages on its stage and no other; not the image [ARG-04, ARG-05]" -o "oci:$T/image:x" <<'E'
FROM BASE AS one
ARG A=one
FROM BASE AS two
RUN test "${A-unset}" = unset
FROM one
COPY --from=two /etc/passwd /p
RUN test "$A" = one
E
is "$(setting '.config.Env | length')" 1 "PATH alone is in the image [ARG-05]"
unset ABSENT
proves "--build-arg NAME of what is not in the environment [ARG-14]" --build-arg ABSENT --build-arg NOBODY=x <<'E'
FROM BASE
ARG ABSENT=default
ARG NONE
RUN test "$ABSENT ${NONE-unset} $(env | grep -c NOBO)" = "default unset 0"
E
unlike err 'NOBODY' "nobody misses an ARG for a --build-arg [ARG-08]"
proves "the platform arguments, and TARGETSTAGE [ARG-11]" --platform linux/amd64 --target named <<'E'
FROM --platform=$BUILDPLATFORM BASE AS named
RUN test "${TARGETPLATFORM-unset} ${TARGETSTAGE-unset}" = "unset unset"
ARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT TARGETOSVERSION BUILDPLATFORM BUILDOS BUILDARCH BUILDVARIANT BUILDOSVERSION
ARG TARGETSTAGE
RUN test "$TARGETPLATFORM $TARGETOS $TARGETARCH $TARGETSTAGE $BUILDOS" = "linux/amd64 linux amd64 named linux" && \
  test "$BUILDPLATFORM" = "$BUILDOS/$BUILDARCH${BUILDVARIANT:+/$BUILDVARIANT}" && test -z "$TARGETVARIANT$TARGETOSVERSION$BUILDOSVERSION"
FROM scratch
E
proves "an unnamed target is called default [ARG-11]" <<'E'
FROM BASE
ARG TARGETSTAGE
RUN test "$TARGETSTAGE" = default
E
proves "arguments for scanners do not reach RUN, though declared [ARG-13]" <<'E'
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true
FROM BASE
ARG BUILDKIT_SBOM_SCAN_STAGE=true
ARG BUILDKIT_SBOM_SCAN_CONTEXT
RUN test "${BUILDKIT_SBOM_SCAN_STAGE-unset} ${BUILDKIT_SBOM_SCAN_CONTEXT-unset}" = "unset unset"
E

# ---- ARG and the cache: which of RUN, COPY, RUN runs again

cat >cached.Dockerfile <<E
FROM $REGISTRY/busybox
RUN echo above
ARG A=1
COPY file /file
RUN echo unused
E
# runs_again DESCRIPTION WANTED [OPTION…]: which of RUN, COPY and RUN came from the cache, as letters
runs_again() {
  again_what=$1 again_wanted=$2
  shift 2
  nacre build -f cached.Dockerfile "$@" context || diag_file err
  is "$(sed -n 's/^\(#[0-9]*\) CACHED.*/^\1 \\[/p' err | grep -f - err | sed 's/.*\] \(.\).*/\1/' | grep -v A | tr -d '\n')" \
    "$again_wanted" "$again_what"
}
runs_again "nothing is cached at first" ""
runs_again "all of it later" RCR
runs_again "a changed ARG: RUN below it runs, COPY does not [ARG-09]" RC --build-arg A=2
runs_again "a proxy is in no key [ARG-10, RUN-18]" RCR --build-arg HTTP_PROXY=http://proxy.invalid:1
sed 's/^ARG A=1/ARG A=1\nARG NEVER/' cached.Dockerfile >text && mv text cached.Dockerfile
runs_again "a declaration alone is nothing new [ARG-09]" RCR
sed 's/^ARG NEVER/ARG NEVER HTTP_PROXY/' cached.Dockerfile >text && mv text cached.Dockerfile
runs_again "unless it is declared [ARG-10]" RC --build-arg HTTP_PROXY=http://proxy.invalid:1

done_testing
