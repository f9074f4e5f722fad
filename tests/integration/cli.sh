#!/bin/sh
# The command line: every command and option does what the manual says, results go to stdout and all else to stderr.
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
need skopeo jq curl openssl htpasswd
busybox_registry

# ---- help and usage

nacre version
like out '^nacre [0-9]+\.[0-9]+\.[0-9]+' "version"
nacre --help
is "$status" 0 "--help"
like out '^Usage: nacre' "its usage line"
nacre help
is "$status" 0 "help"
for command in build cache pull images inspect history run version; do
  nacre $command --help
  is "$status" 0 "$command --help"
  like out "nacre .*$command" "its usage line"
  is "$(cat err)" "" "nothing on stderr"
done
nacre help build
like out 'nacre .*build' "help build"
is "$(grep -A 1 -e --no-cache-step out | tail -n 1 | grep -c '^ \{35\}[^ ]')" 1 "that of a wide option stands below it"
nacre
is "$status" 2 "no command"
like out '^Usage: nacre' "shows the usage"
refused 2 'no-such' "an unknown command" no-such
refused 2 'no-such' "an unknown option" build --no-such .
refused 2 'CONTEXT is missing; usage' "no context" build
refused 2 'NAME is missing; usage' "no new name" tag app
refused 2 '"there" is one word too many; usage' "a second context" build . there
refused 2 'given with --input' "an archive that is not named by --input" load app.tar
refused 2 '^nacre: error: --sbom maybe: true or false is wanted' "an unknown --sbom" build --sbom maybe .
refused 2 '"docker-daemon:" is no transport' "a transport that is none" build -o docker-daemon:app:1 .
refused 2 'did you mean docker-archive' "a transport misspelt" build -o docker-achive:app.tar .
check "and no directory of that name" test ! -e docker-achive:app.tar
mkdir podmans && touch podmans/Containerfile
refused 8 'podmans/Dockerfile: .*; there is a Containerfile: name it with -f' "a Containerfile" build podmans
refused 2 '-f|--file' "an option without its value" build -f
refused 2 'store needs a value: DIR' "--store without its value" --store
refused 9 'the Dockerfile \. is not a regular file' "a directory as Dockerfile" build -f . .
refused 2 'sideways' "an unknown --network" build --network sideways .
refused 2 'fancy' "an unknown --progress" build --progress fancy .
refused 2 'lzma' "an unknown --compression" build --compression lzma .
refused 2 'Upper' "a name that is none" build -t Upper .
refused 2 'elsewhere' "an unknown output" build -o type=elsewhere .
refused 2 'build-arg =1: NAME' "a build argument without a name" build --build-arg =1 .
refused 8 'open the build context ./nowhere' "a context that does not exist" build ./nowhere
for command in images history du why verify prune "push image" "cache export dir"; do
  # shellcheck disable=SC2086 # a command and its words
  refused 8 'there is no store ./typo; .nacre build' "$command of a store that does not exist" $command --store ./typo
done
check "nothing was made there" test ! -e typo

# ---- build

mkdir context
echo hello >context/file
cat >context/Dockerfile <<EOF
ARG BASE=$REGISTRY/busybox
FROM \$BASE AS first
ARG WORD=default
RUN echo "\$WORD" > /word
FROM first AS second
COPY file /file
ENV GREETING=hi
WORKDIR /home/app
CMD ["sh", "-c", "cat /word /file; echo \$GREETING; pwd; id -u"]
EOF

builds "build" -t one -t two:tag context || bail "nothing to go on with"
is "$(cat out)" "$(printf '%s\n%s\n%s' "$digest" one two:tag)" "stdout: digest and names"
case $digest in
sha256:????????????????????????????????????????????????????????????????) ok "a digest" ;;
*) not_ok "a digest" ;;
esac
like err '^#[0-9]+ .*RUN echo' "plain progress numbers the steps"
like err '\[first 1/|\[first 2/|\[second' "and names their stages"
image=$digest

builds "-q" -q context
is "$(cat out)" "$image" "-q prints the digest alone"
is "$(cat err)" "" "and nothing on stderr"
builds "--progress quiet" --progress quiet -t one context
is "$(head -n 1 out)" "$image" "--progress quiet still prints the result"
builds "--iidfile" --iidfile "$T/iid" context
is "$(cat iid)" "$image" "--iidfile holds the digest"
builds "a Dockerfile elsewhere" -f context/Dockerfile context
is "$digest" "$image" "-f"
mv context/Dockerfile Elsewhere
builds "-f outside the context" -f Elsewhere context
is "$digest" "$image" "is the same image"
mv Elsewhere context/Dockerfile
builds "--build-arg" --build-arg WORD=given -t given context
nacre run --rm given
is "$(head -n 1 out)" given "--build-arg K=V"
(WORD=exported && export WORD && "$NACRE" build -q -t given --build-arg WORD context >out 2>err)
nacre run --rm given
is "$(head -n 1 out)" exported "--build-arg K takes the value of the environment"
builds "--target" --target first -t first context
nacre inspect first
is "$(jq -r '.. | .Cmd? // empty | join(" ")' out | head -n 1)" sh "--target stops at its stage"
builds "--rm and --force-rm are let pass" --rm --force-rm -t first context
builds "an empty --target and -f are none" --target "" -f "" -t first context
refused '[48]' 'no-such-stage' "--target of no stage" build --target no-such-stage context
builds "--label" --label a=b --label c= -t labelled -o "oci:$T/labelled:x" context
is "$(jq -c .config.Labels "$(config_of "$T/labelled" x)")" '{"a":"b","c":""}' "--label"

# ---- output

builds "-o" -o "oci:$T/layout:tag" context
judge "$T/layout" tag
builds "-o without a tag" -o "oci:$T/untagged" context
is "$(jq '.manifests | length' "$T/untagged/index.json")" 1 "one image in it"
builds "-o again beside the first" -o "oci:$T/layout:other" --target first context
is "$(jq -r '.manifests[].annotations["org.opencontainers.image.ref.name"]' "$T/layout/index.json" | sort | tr '\n' ' ')" \
  "other tag " "both tags are there"
check "skopeo reads an image from the store itself" skopeo inspect "oci:$STORE:one"
for compression in gzip none zstd zstd:19; do
  builds "--compression $compression" --no-cache --compression $compression -o "oci:$T/compressed:${compression%:*}" context
  type=$(jq -r '.layers[-1].mediaType' "$(manifest_of "$T/compressed" "${compression%:*}")")
  case $compression:$type in
  gzip:*tar+gzip | none:*tar | zstd*:*tar+zstd) ok "its media type" ;;
  *) not_ok "its media type: $type" ;;
  esac
done

# A place that cannot be written is told before the build.
for option in --iidfile=no-such/file --output=oci:no-such/dir "--depfile=no-such/file -t x"; do
  # shellcheck disable=SC2086
  refused 1 'directory of no-such/(file|dir): No such file' "${option%%=*} where there is no directory" build --no-cache $option context
  unlike err '^#1 ' "nothing is built"
done
builds "-o of a new directory with a slash behind it" -o "oci:$T/slash/" context

# ---- named contexts

mkdir other
echo "from another directory" >other/text
cat >named.Dockerfile <<EOF
FROM base
COPY --from=files text /text
EOF
builds "--build-context DIR and docker-image://" --build-context files=other --build-context "base=docker-image://$REGISTRY/busybox" \
  -t named -f named.Dockerfile context
nacre run --rm named cat /text
is "$(cat out)" "from another directory" "both are used"
builds "--build-context oci-layout://" --build-context files=other --build-context "base=oci-layout://$T/layout:tag" -t named \
  -f named.Dockerfile context
nacre run --rm named cat /text /file
is "$(cat out)" "from another directory
hello" "the layout is the base"
layout_digest=$(jq -r '.manifests[0].digest' "$T/layout/index.json")
builds "--build-context oci-layout://…@DIGEST" --build-context files=other \
  --build-context "base=oci-layout://$T/layout@$layout_digest" -f named.Dockerfile context

# ---- network

printf 'FROM %s/busybox\nRUN ls /sys/class/net | tr "\\n" " " > /net\n' "$REGISTRY" >net.Dockerfile
builds "--network none" --network none -t net -f net.Dockerfile context
nacre run --rm net cat /net
is "$(cat out)" "lo " "RUN sees the loopback interface alone"
builds "--network host" --network host -t net -f net.Dockerfile context
nacre run --rm net cat /net
# shellcheck disable=SC2012
is "$(cat out)" "$(ls /sys/class/net | tr '\n' ' ')" "RUN sees the machine's interfaces"

# ---- images, inspect, history

nacre images
like out 'one' "images"
nacre images --format json
check "as JSON" jq -e 'length > 3' "$T/out"
nacre inspect one
is "$(jq -r '.. | .WorkingDir? // empty' out | head -n 1)" /home/app "inspect"
nacre inspect "$image"
is "$status" 0 "inspect by digest"
nacre inspect "$(echo "$image" | cut -c8-20)"
is "$status" 0 "inspect by the beginning of a digest"
refused 8 'no-such-image' "inspect of no image" inspect no-such-image
nacre history one
like out 'COPY file' "history"
nacre history --format json one
check "as JSON" jq -e . "$T/out"
nacre history
like out 'COPY file|RUN' "history of the last build"
refused 8 'no-such-image' "history of no image" history no-such-image
is "$(cat out)" "" "prints no table"

# ---- run

nacre run --rm one
is "$(cat out)" "default
hello
hi
/home/app
0" "run: CMD, ENV, WORKDIR, root"
nacre run --rm one sh -c 'exit 9'
is "$status" 9 "its exit status"
nacre run --rm one sh -c 'kill -TERM $$'
is "$status" 143 "a signal's"
nacre run --rm -e GREETING=other -e NEW=x one sh -c 'echo $GREETING $NEW'
is "$(cat out)" "other x" "-e"
nacre run --rm -w /tmp one pwd
is "$(cat out)" /tmp "-w"
nacre run --rm -u app one id -un
is "$(cat out)" app "-u NAME"
nacre run --rm -u 1234:50 one sh -c 'id -u; id -g'
is "$(cat out)" "1234
50" "-u UID:GID"
nacre run --rm --entrypoint echo one a b
is "$(cat out)" "a b" "--entrypoint"
nacre run --rm --network none one ls /sys/class/net
is "$(cat out)" lo "--network none"
echo typed | "$NACRE" run --rm one cat >out 2>err
is "$(cat out)" typed "standard input"
script -qec "'$NACRE' run --rm one sh -c 'test -t 0 && test -t 1 && tty'" /dev/null </dev/null >out 2>err
like out '/dev/' "a terminal"
nacre run --rm one sh -c 'touch /kept; echo $$'
nacre run --rm one test -e /kept
is "$status" 1 "--rm leaves nothing in the image"
nacre run --rm one no-such-command
is "$status" 127 "a command that is not there"
refused 8 'no-such-image' "run of no image" run --rm no-such-image
refused 2 'no-such' "run with an unknown option" run --no-such one

# ---- the store

printf 'FROM scratch\nCOPY file /\n' >context/Dockerfile.scratch
builds "a build into another store" --store "$T/elsewhere" -f context/Dockerfile.scratch context
nacre --store "$T/elsewhere" images --format json
is "$(jq length out)" 0 "--store: another store"
check "is made with mode 0700" test "$(stat -c %a "$T/elsewhere")" = 700
env -u NACRE_STORE XDG_DATA_HOME="$T/data" "$NACRE" images >/dev/null 2>&1
check "XDG_DATA_HOME/nacre" test -d "$T/data/nacre"
env -u NACRE_STORE HOME="$T/home" "$NACRE" images >/dev/null 2>&1
check "HOME/.local/share/nacre" test -d "$T/home/.local/share/nacre"
refused 1 'unwritable' "a store that cannot be made" --store /proc/unwritable build -f context/Dockerfile.scratch context

# ---- pull, by digest, over TLS, with a login

remote=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REGISTRY/busybox")
nacre --store "$T/pulls" pull "$REGISTRY/busybox@$remote"
is "$status" 0 "pull by digest" || diag_file err
refused 8 'sha256:0000' "pull of a digest that is not there" --store "$T/pulls" pull \
  "$REGISTRY/busybox@sha256:0000000000000000000000000000000000000000000000000000000000000000"
refused 2 'Upper' "pull of what is no name" pull Upper

start_registry tls
skopeo copy -q --insecure-policy --dest-cert-dir "$registry_dir" "oci:$T/busybox:latest" "docker://$REGISTRY/busybox"
refused 6 'certificate' "a certificate nobody signed" --store "$T/pulls" pull "$REGISTRY/busybox"
SSL_CERT_FILE=$registry_dir/ca.crt "$NACRE" --store "$T/pulls" pull "$REGISTRY/busybox" >out 2>err
is "$?" 0 "over TLS, with the certificate in SSL_CERT_FILE" || diag_file err
stop_registry

start_registry auth
skopeo copy -q --insecure-policy --dest-tls-verify=false --dest-creds me:secret "oci:$T/busybox:latest" "docker://$REGISTRY/busybox"
refused 7 'login' "a registry that wants a login" --store "$T/pulls" pull "$REGISTRY/busybox"
mkdir -p "$T/home/.docker" "$T/podman"
login=$(printf me:secret | base64)
printf '{"auths": {"%s": {"auth": "%s"}}}' "$REGISTRY" "$login" >"$T/home/.docker/config.json"
nacre --store "$T/pulls" pull "$REGISTRY/busybox"
is "$status" 0 "with docker's login" || diag_file err
mv "$T/home/.docker/config.json" "$T/podman/auth.json"
REGISTRY_AUTH_FILE=$T/podman/auth.json "$NACRE" --store "$T/pulls-podman" pull "$REGISTRY/busybox" >out 2>err
is "$?" 0 "with podman's login" || diag_file err
printf '{"auths": {"%s": {"auth": "%s"}}}' "$REGISTRY" "$(printf me:wrong | base64)" >"$T/podman/auth.json"
REGISTRY_AUTH_FILE=$T/podman/auth.json "$NACRE" --store "$T/pulls-wrong" pull "$REGISTRY/busybox" >out 2>err
is "$?" 7 "with a wrong password"
unlike err "wrong|$login" "which the message does not show"
# ---- FROM of a directory

mkdir -p rootfs/bin from-directory
cp "$(command -v busybox)" rootfs/bin/busybox
echo hidden >rootfs/hidden
echo hidden >rootfs/.dockerignore
printf 'FROM base\nRUN ["/bin/busybox", "test", "!", "-e", "/hidden"]\n' >from-directory/Dockerfile
builds "a named directory as the base, without what its ignore file names" --build-context base=rootfs -t dir from-directory
check "its files run" nacre run dir /bin/busybox true

# ---- an output that takes nothing

for arguments in --help version images "inspect dir"; do
  # shellcheck disable=SC2086 # arguments are words
  "$NACRE" $arguments >/dev/full 2>err
  is "$? $(cut -d';' -f1 err)" "11 nacre: error: write standard output: No space left on device" "nacre $arguments on a full disk"
done

done_testing
