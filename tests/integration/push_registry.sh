#!/bin/sh
# Pushes to docker-registry, judged by skopeo: plain, with TLS by an authority of our own, with logins.
. "$(dirname "$0")/../lib/common.sh"

need skopeo python3 openssl htpasswd jq podman
python3 "$TESTS/lib/random_layout.py" "$T/layout" 3000000 5000
want=$(jq -r '.manifests[0].digest' "$T/layout/index.json")

# arrives DESCRIPTION NAME[:TAG] [SKOPEO-OPTION…]: what the registry has there is the image, whole
arrives() {
  tap_what=$1 tap_name=$2
  shift 2
  rm -rf "$T/copy"
  check "$tap_what" skopeo copy -q --insecure-policy "$@" "docker://$REGISTRY/$tap_name" "oci:$T/copy:x" &&
    is "$(jq -r '.manifests[0].digest' "$T/copy/index.json")" "$want" "$tap_what: the same image"
}

start_registry
plain=--src-tls-verify=false
push "$T/layout:one" source:1
nacre pull "$REGISTRY/source:1"
is "$status" 0 'an image to push'
nacre push "$REGISTRY/source:1" "$REGISTRY/team/copy:1" "$REGISTRY/team/copy:2"
is "$status $(cat "$T/out")" "0 $want" 'two names at once' || diag_file "$T/err"
arrives 'the first' team/copy:1 $plain
arrives 'the second' team/copy:2 $plain
nacre tag "$REGISTRY/source:1" "$REGISTRY/own:3"
nacre push "$REGISTRY/own:3"
is "$status $(cat "$T/out")" "0 $want" 'its own name' || diag_file "$T/err"
arrives 'is where it goes' own:3 $plain
like "$T/err" 'blob sha256:[0-9a-f]*: 3' 'each blob is a line'
nacre push "$REGISTRY/own:3"
is "$(grep -c 'there already' "$T/err")" 3 'what is there is not sent again'
refused 2 'is an id' 'an id alone' push "$want"
refused 8 'no image' 'no such image' push nothing "$REGISTRY/x:1"
refused 2 'not an image reference' 'a wrong destination' push "$want" 'A b'
refused 2 'names another image' 'a digest of another image' push "$want" "$REGISTRY/x@sha256:$(printf '%064d' 0)"

# ---- from one repository to another of the same registry

nacre push "$REGISTRY/own:3" "$REGISTRY/mounted:1"
is "$(grep -c 'taken from source' "$T/err")" 3 'blobs are taken from where they were pulled'
arrives 'they are there' mounted:1 $plain
nacre push "$REGISTRY/own:3" "localhost:$registry_port/by-name:1" --digestfile "$T/digest"
is "$(grep -c 'taken from' "$T/err") $(cat "$T/digest")" "0 $want" 'another name is another registry'

# ---- an index, and docker's media types

push "$T/layout:many" many:1
skopeo copy -q --all --insecure-policy --src-tls-verify=false "docker://$REGISTRY/many:1" "oci:$T/many:x" 2>"$T/push.log"
skopeo copy -q --insecure-policy --dest-tls-verify=false --format v2s2 "oci:$T/layout:one" "docker://$REGISTRY/docker:1" \
  2>"$T/push.log" || diag_file "$T/push.log"
nacre pull "$REGISTRY/docker:1"
docker=$(cat "$T/out")
nacre push "$REGISTRY/docker:1" "$REGISTRY/docker:2"
is "$status $(cat "$T/out")" "0 $docker" 'an image with docker'\''s media types'
skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/docker:2" >"$T/raw"
is "sha256:$(sha256sum <"$T/raw" | cut -d' ' -f1)" "$docker" 'stays as it is'
is "$(jq -r .mediaType "$T/raw")" application/vnd.docker.distribution.manifest.v2+json 'with its own type'
stop_registry
refused 6 'refused|connect' 'nobody listens there' push "$REGISTRY/own:3"
unlike "$T/err" 'try 2' 'and on loopback that is final'

# ---- TLS

start_registry tls
refused 6 'certs\.d/127\.0\.0\.1:' 'a certificate by nobody known' push "$want" "$REGISTRY/image:1"
nacre push --tls-verify=false "$want" "$REGISTRY/image:1"
is "$status" 0 'which need not be proved' || diag_file "$T/err"
certs=$HOME/.config/containers/certs.d/$REGISTRY
mkdir -p "$certs"
cp "$registry_dir/ca.crt" "$certs/ca.crt"
nacre push "$want" "$REGISTRY/image:2"
is "$status" 0 'an authority of this registry' || diag_file "$T/err"
rm -r "$certs"
arrives 'with TLS' image:2 --src-cert-dir "$registry_dir"
arrives 'and unproved' image:1 --src-cert-dir "$registry_dir"
refused 2 'true or false' 'no other value' push --tls-verify=no "$want" "$REGISTRY/image:3"
stop_registry

# ---- logins

start_registry auth
refused 7 "nacre login $REGISTRY" 'without a login' push "$want" "$REGISTRY/a/b:1"
login() { printf '%s\n' "$1" | "$NACRE" login -u me --password-stdin "$REGISTRY" >"$T/out" 2>"$T/err"; }
check 'a wrong password is refused' sh -c '! "$@"' sh sh -c 'echo wrong | "$0" login -u me --password-stdin "$1"' "$NACRE" "$REGISTRY"
check 'and not kept' test ! -e "$XDG_RUNTIME_DIR/containers/auth.json"
check 'a right one' login secret
is "$(stat -c %a "$XDG_RUNTIME_DIR/containers/auth.json")" 600 'only its owner reads it'
is "$(jq -r --arg r "$REGISTRY" '.auths[$r].auth' "$XDG_RUNTIME_DIR/containers/auth.json" | base64 -d)" me:secret 'is kept'
nacre push "$want" "$REGISTRY/a/b:1"
is "$status" 0 'with a login' || diag_file "$T/err"
arrives 'is there' a/b:1 $plain --src-creds me:secret
is "$(podman login --get-login "$REGISTRY" 2>"$T/login.log")" me 'podman finds it'

# Other entries and members stay.
file=$T/auth.json
echo '{"auths": {"other": {"auth": "eDp5"}}, "credHelpers": {"elsewhere": "x"}, "kept": [1, {"a": null}]}' >"$file"
check 'into a file with others' sh -c 'echo secret | "$0" login -u me --password-stdin --authfile "$1" "$2"' "$NACRE" "$file" "$REGISTRY"
is "$(jq -c '[.auths.other.auth, .credHelpers, .kept]' "$file")" '["eDp5",{"elsewhere":"x"},[1,{"a":null}]]' 'which stay'
nacre push --authfile "$file" "$want" "$REGISTRY/a/c:1"
is "$status" 0 'and with it'
nacre logout --authfile "$file" "$REGISTRY"
is "$status $(jq -c '[.auths.other.auth, .kept]' "$file")" '0 ["eDp5",[1,{"a":null}]]' 'they stay when it goes'
refused 8 'no login' 'a second time there is none' logout --authfile "$file" "$REGISTRY"
refused 7 'nacre login' 'and none is used' push --authfile "$file" "$want" "$REGISTRY/a/d:1"

# A helper keeps it instead of the file.
mkdir "$T/bin"
cat >"$T/bin/docker-credential-test" <<EOF
#!/bin/sh
case \$1 in
store) cat >"$T/kept" ;;
get) cat >/dev/null; [ -e "$T/kept" ] && cat "$T/kept" || { echo 'credentials not found in native keychain'; exit 1; } ;;
erase) rm "$T/kept" ;;
esac
EOF
chmod +x "$T/bin/docker-credential-test"
PATH=$T/bin:$PATH
printf '{"credHelpers": {"%s": "test"}}' "$REGISTRY" >"$file"
check 'into a helper' sh -c 'echo secret | "$0" login -u me --password-stdin --authfile "$1" "$2"' "$NACRE" "$file" "$REGISTRY"
is "$(jq -c --arg r "$REGISTRY" '[.ServerURL == $r, .Username, .Secret]' "$T/kept")" '[true,"me","secret"]' 'which has it'
unlike "$file" 'auths.*127' 'the file has not'
nacre push --authfile "$file" "$want" "$REGISTRY/a/e:1"
is "$status" 0 'a push with the helper' || diag_file "$T/err"
nacre logout --authfile "$file" "$REGISTRY"
check 'out of the helper' test ! -e "$T/kept"
refused 2 'is not a registry' 'what is no registry' logout 'a b'
refused 2 'no terminal' 'nobody to ask' login "$REGISTRY"
stop_registry

done_testing
