#!/bin/sh
# Pushes to docker-registry, judged by skopeo: plain, with TLS by an authority of our own, with logins.
. "$(dirname "$0")/../lib/common.sh"

need skopeo python3 openssl htpasswd jq
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
like "$T/err" 'layer sha256:[0-9a-f]*: 3' 'each blob is a line'
nacre push "$REGISTRY/own:3"
is "$(grep -c 'there already' "$T/err")" 3 'what is there is not sent again'
refused 2 'is an id' 'an id alone' push "$want"
refused 8 'no image' 'no such image' push nothing "$REGISTRY/x:1"
refused 2 'not an image reference' 'a wrong destination' push "$want" 'A b'
refused 2 'names another image' 'a digest of another image' push "$want" "$REGISTRY/x@sha256:$(printf '%064d' 0)"
stop_registry

done_testing
