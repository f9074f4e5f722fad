#!/bin/sh
# The image: what instructions leave in config and history, times, contexts and outputs; what there is not is refused by name. The
# names in brackets are those of tests/semantics/ids.txt.
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
need jq
busybox_registry
mkdir -p context/d
echo file >context/file

# image JQ-PATH: of the config of what was built with -o oci:$T/image:x
image() { jq -c "$1" "$(config_of "$T/image" x)"; }
# leaves DESCRIPTION [OPTION…]: the Dockerfile on standard input builds to that image
leaves() { proves "$@" -o "oci:$T/image:x"; }

# ---- settings

leaves "settings" <<'E'
FROM BASE
ENV old the rest = of it
ENV EMPTY=
WORKDIR /a/b/
WORKDIR ../c/.
USER 1000:nosuch
VOLUME /data
EXPOSE 127.0.0.1:80:8080/tcp 90-91/udp
STOPSIGNAL USR1
SHELL ["/bin/sh", "-ec"]
CMD one  two
ENTRYPOINT ["/e"]
HEALTHCHECK --interval=90s --timeout=1m --start-period=2s --start-interval=3s --retries=4 CMD test -f /x
ONBUILD RUN <<END
 raw  text
END
MAINTAINER A <a@b>
E
is "$(image '.config.Env[1:]')" '["old=the rest = of it","EMPTY="]' "ENV in both forms [ENV-02, ENV-03]"
is "$(image '[.config.WorkingDir, .config.User, .config.Volumes]')" '["/a/c","1000:nosuch",{"/data":{}}]' \
  "WORKDIR cleaned, USER as written, VOLUME [CFG-01, CFG-02, CFG-03]"
is "$(image '[(.config.ExposedPorts | keys), .config.StopSignal]')" '[["8080/tcp","90/udp","91/udp"],"USR1"]' \
  "EXPOSE reduced to ports, STOPSIGNAL as written [CFG-04, CFG-05]"
is "$(image '[.config.Shell, .config.Cmd, .config.ArgsEscaped, .config.Entrypoint]')" \
  '[["/bin/sh","-ec"],["/bin/sh","-ec","one  two"],true,["/e"]]' "SHELL in CMD, CMD before ENTRYPOINT kept [CFG-06, CFG-07, CFG-08]"
is "$(image '.config.Healthcheck')" \
  '{"Test":["CMD-SHELL","test -f /x"],"Interval":90000000000,"Timeout":60000000000,"StartPeriod":2000000000,"StartInterval":3000000000,"Retries":4}' \
  "HEALTHCHECK in an OCI image [CFG-09, CFG-10]"
is "$(image '.config.OnBuild, .author')" '["RUN <<END\n raw  text\nEND"]
"A <a@b>"' "ONBUILD raw, MAINTAINER [CFG-11, ENV-05]"
is "$(jq -r '.mediaType, .config.mediaType, .layers[0].mediaType' "$(manifest_of "$T/image" x)" | tr '\n' ' ')" \
  "application/vnd.oci.image.manifest.v1+json application/vnd.oci.image.config.v1+json application/vnd.oci.image.layer.v1.tar+gzip " \
  "the types are OCI's"
leaves "HEALTHCHECK NONE, shell forms" <<'E'
FROM BASE
HEALTHCHECK NONE
ENTRYPOINT run $THIS
E
is "$(image '[.config.Healthcheck, .config.Entrypoint, .config.Cmd]')" '[{"Test":["NONE"]},["/bin/sh","-c","run $THIS"],null]' \
  "are stored so; the base's CMD is gone [CFG-09, CFG-08, ARGF-07]"
leaves "what is below a volume is kept [CFG-03]" <<'E'
FROM BASE
VOLUME /data
RUN mkdir -p /data && echo run > /data/run
COPY file /data/
RUN test -s /data/run && test -s /data/file
E
leaves "of several CMD, ENTRYPOINT and HEALTHCHECK the last one counts [CFG-07, CFG-08]" <<'E'
FROM scratch
CMD ["one"]
CMD ["two"]
ENTRYPOINT ["one"]
ENTRYPOINT ["two"]
E
is "$(image '[.config.Cmd, .config.Entrypoint]')" '[["two"],["two"]]' "in the image [CFG-07, CFG-08]"
like err 'MultipleInstructionsDisallowed' "with a warning [CFG-07]"
stops '[34]' 'signal' "STOPSIGNAL that is none [CFG-05]" <<'E'
FROM scratch
STOPSIGNAL SIGNONE
E
leaves "triggers fire once, in order, right after FROM [CFG-11]" <<'E'
FROM BASE AS parent
ONBUILD RUN echo 1 >> /fired
ONBUILD RUN <<END
echo 2 >> /fired
END
FROM parent AS child
RUN test "$(echo $(cat /fired))" = "1 2"
FROM child
RUN test "$(echo $(cat /fired))" = "1 2"
E
is "$(image .config.OnBuild)" null "and are gone [CFG-11]"

# ---- history

leaves "history" --build-arg B=given <<'E'
FROM BASE
ARG A=1
ARG B C
ARG A=2
ENV K=v L="two words"
LABEL k="a b"
USER app
MAINTAINER me
VOLUME ["/a b", "/c"]
EXPOSE 80 53/udp
STOPSIGNAL 9
SHELL ["/bin/sh", "-c"]
CMD ["a", "b\"c"]
ENTRYPOINT ["e"]
HEALTHCHECK --interval=30s CMD true
WORKDIR /w
WORKDIR /
ONBUILD RUN true
USER root
RUN --network=none true
COPY --link --chown=1 --chmod=600 file <<there /to/
x
there
ADD --exclude=none file /added
E
image '.history[1:] | map([.created_by, .empty_layer // false])' | jq -c '.[]' >history
cat >wanted <<'E'
["ARG A=1",true]
["ARG B=given C",true]
["ARG A=2",true]
["ENV K=v L=two words",true]
["LABEL k=a b",true]
["USER app",true]
["MAINTAINER me",true]
["VOLUME [/a b /c]",true]
["EXPOSE [53/udp 80/tcp]",true]
["STOPSIGNAL 9",true]
["SHELL [/bin/sh -c]",true]
["CMD [\"a\" \"b\\\"c\"]",true]
["ENTRYPOINT [\"e\"]",true]
["HEALTHCHECK {Test:[CMD-SHELL true] Interval:30s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}",true]
["WORKDIR /w",false]
["WORKDIR /",true]
["USER root",true]
["RUN |3 A=2 B=given C= /bin/sh -c true # buildkit",false]
["COPY --chown=1 --chmod=600 file <<there /to/ # buildkit",false]
["ADD file /added # buildkit",false]
E
same wanted history "is that of the reference [IMG-03, IMG-04, IMG-05, IMG-06, IMG-07, IMG-08, IMG-09, CFG-12]"
is "$(image '[.history[1:][].comment] | unique')" '["buildkit.dockerfile.v0"]' "each entry has its comment [IMG-02]"
is "$(image '.history[0]')" "$(jq -c '.history[0]' "$(config_of "$T/busybox" latest)")" "the base's are as they were [IMG-02]"
is "$(image '[.rootfs.type, ([.history[] | select(.empty_layer != true)] | length) == (.rootfs.diff_ids | length)]')" \
  '["layers",true]' "a diffID for each entry with a layer [IMG-01]"
is "$(image '.created == .history[-1].created')" true "the image is as old as its last step [IMG-10]"
i=0
for layer in $(layers_of "$T/image" x); do
  [ "$i" = 0 ] && first_layer=$layer
  case $(jq -r ".layers[$i].mediaType" "$(manifest_of "$T/image" x)") in
  *gzip) opened="gzip -dc" ;;
  *) opened="zstd -dcq" ;;
  esac
  is "sha256:$($opened "$T/image/blobs/sha256/${layer#sha256:}" | sha256sum | cut -d' ' -f1)" "$(image ".rootfs.diff_ids[$i]" | tr -d '"')" \
    "diffID $i is the digest of the tar [IMG-01]"
  i=$((i + 1))
done
is "$first_layer" "$(layers_of "$T/busybox" latest)" "the base's layer is as it was [IMG-12]"
is "$(image '[.os, .architecture]')" "$(jq -c '[.os, .architecture]' "$(config_of "$T/busybox" latest)")" "the platform is the base's [IMG-13]"

# Bases whose history tells of more or fewer layers than there are.
for wrong in '.history = []' '.history += [.history[0]]' 'del(.history[].created)'; do
  cp -R "$T/busybox" odd
  jq -c "$wrong" "$(config_of odd latest)" >config.json
  size=$(wc -c <config.json) sum=$(sha256sum config.json | cut -d' ' -f1)
  cp config.json "odd/blobs/sha256/$sum"
  jq -c ".config.digest = \"sha256:$sum\" | .config.size = $size" "$(manifest_of odd latest)" >manifest.json
  size=$(wc -c <manifest.json) sum=$(sha256sum manifest.json | cut -d' ' -f1)
  cp manifest.json "odd/blobs/sha256/$sum"
  jq -c ".manifests[0].digest = \"sha256:$sum\" | .manifests[0].size = $size" odd/index.json >index.json && mv index.json odd/index.json
  leaves "a base with $wrong" --build-context "odd=oci-layout://$T/odd:latest" <<'E'
FROM odd
COPY file /
E
  is "$(image '([.history[] | select(.empty_layer != true)] | length) == (.rootfs.diff_ids | length)')" true \
    "history and layers fit [IMG-11]"
  is "$(image '[.history[] | select(.created == null)] | length')" 0 "every entry has a time [IMG-10]"
  rm -rf odd
done

# ---- times

leaves "SOURCE_DATE_EPOCH" --no-cache --compression none --build-arg SOURCE_DATE_EPOCH=1234567890 <<'E'
FROM BASE
WORKDIR /w
RUN touch /now && touch -d @1000000000 /then
COPY file /copied
LABEL a=b
E
is "$(image '[.created, (.history[1:] | map(.created) | unique)]')" '["2009-02-13T23:31:30Z",["2009-02-13T23:31:30Z"]]' \
  "is the time of image and new entries [SDE-02, IMG-10]"
is "$(image '.history[0].created')" '"2020-09-13T12:26:40Z"' "not of the base's [SDE-02]"
layer_times() {
  for layer in $(layers_of "$T/image" x | tail -n +2); do tar --full-time -tvf "$T/image/blobs/sha256/${layer#sha256:}"; done |
    awk '{ print $NF, $4 }' | sort | grep -E '^(w/?|now|then|copied) '
}
touch -d '2020-01-02 UTC' context/file
TZ=UTC layer_times >out
like out '^w/? 2009-02-13' "the directory of WORKDIR is that old [SDE-02]"
like out '^then 2001-09-09' "older times stay [SDE-02, SDE-03]"
like out '^now 2009-02-13' "what the clock gave in RUN becomes the epoch [SDE-03]"
unlike out '^copied 2009-02-13' "copied files keep theirs [SDE-03]"
SOURCE_DATE_EPOCH=1234567890 "$NACRE" build -q -o "oci:$T/image:x" context >out 2>err
is "$(image .created)" '"2009-02-13T23:31:30Z"' "the environment's is taken, too [SDE-01]"

# ---- contexts

mkdir -m 0 context/closed
leaves "directories that no instruction names are not read [CTX-06]" <<'E'
FROM scratch
COPY file /
E
stops '[14]' 'closed' "COPY . reads all [CTX-06]" <<'E'
FROM scratch
COPY . /
E
rmdir context/closed
mkdir -p elsewhere named
printf 'FROM scratch\nCOPY . /\nCOPY --from=named . /named/\n' >elsewhere/Dockerfile
echo hidden >elsewhere/Dockerfile.dockerignore
echo shown >named/.dockerignore
touch context/hidden context/shown named/hidden named/shown
builds "a Dockerfile outside the context" -f elsewhere/Dockerfile --build-context named=named --compression none -o "oci:$T/image:x" context
for layer in $(layers_of "$T/image" x); do tar -tf "$T/image/blobs/sha256/${layer#sha256:}"; done | grep -E 'hidden|shown' | sort >out
is "$(paste -sd" " out)" "named/hidden shown" "its ignore file counts, and each named context's own [CTX-01, CTX-05, CTX-10]"

# ---- options

printf 'FROM BASE AS one\nARG A\nRUN echo $A > /a\nFROM one AS two\nRUN echo two\n' | dockerfile
builds "-t twice, --target, --label, --iidfile, -q [OUT-08, OUT-09]" -q -t first -t second:tag --target one --label a=b --iidfile iid context
is "$(cat out iid | sort -u)" "$digest" "standard output and the file hold the digest [OUT-09]"
is "$(cat err)" "" "and nothing else is said [OUT-09]"
nacre images --format json
like out 'second:tag' "both names are there [OUT-08]"
builds "--no-cache [OUT-08]" --no-cache context
is "$(grep -c CACHED err)" 0 "runs all steps [OUT-08]"
for compression in none gzip zstd; do
  nacre build --no-cache --compression $compression -o "oci:$T/image:x" context
  type=$(jq -r '.layers[-1].mediaType' "$(manifest_of "$T/image" x)")
  is "${type##*tar}" "$(echo "+$compression" | sed 's/+none//')" "--compression $compression [OUT-03]"
done
refused 2 'estargz' "estargz is refused [OUT-03]" build --compression estargz context

# What there is not stops the program before anything is built.
# absent ID OPTION…
absent() {
  absent_id=$1
  shift
  absent_word=$(echo "$1" | sed 's/^-*//; s/=.*//')
  refused 2 "$absent_word" "$* is refused [$absent_id]" build "$@" context
  is "$(cat out)" "" "and nothing is built [$absent_id]"
}
absent OUT-10 --policy p
absent OUT-10 --allow device
absent SDE-05 --compatibility-version 20
absent SDE-06 --source-policy-file p
done_testing
