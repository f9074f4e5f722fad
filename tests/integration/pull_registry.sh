#!/bin/sh
# Pulls from docker-registry: plain, with TLS by an authority of our own, with logins. THREATS T-G6, T-G7.
. "$(dirname "$0")/../lib/common.sh"

need skopeo python3 openssl htpasswd podman
python3 "$TESTS/lib/random_layout.py" "$T/layout" 100000 5000
want=$(jq -r '.manifests[0].digest' "$T/layout/index.json")

pulls() { # DESCRIPTION REFERENCE
  remove_tree "$STORE"
  nacre pull "$2"
  is "$status $(cat "$T/out")" "0 $want" "$1" || diag_file "$T/err"
}

start_registry
push "$T/layout:one" team/image:1.0
pulls 'by tag' "$REGISTRY/team/image:1.0"
pulls 'by digest' "$REGISTRY/team/image@$want"
pulls 'by name of the host' "localhost:$registry_port/team/image:1.0"
refused 8 'no tag 2.0' 'no such tag' pull "$REGISTRY/team/image:2.0"

# ---- registries.conf

mkdir -p "$HOME/.config/containers/registries.conf.d"
cat >"$HOME/.config/containers/registries.conf" <<EOF
[[registry]]
prefix = "far.example/team"
location = "$REGISTRY/team"
[[registry]]
prefix = "mirrored.invalid/x"
[[registry.mirror]]
location = "$REGISTRY/none"
[[registry.mirror]]
location = "$REGISTRY/team"
[[registry]]
location = "blocked.example"
blocked = true
EOF
echo "aliases.short = \"$REGISTRY/team/image\"" >"$HOME/.config/containers/registries.conf.d/10.conf"
pulls 'from where its prefix leads' far.example/team/image:1.0
pulls 'from a mirror that has it' mirrored.invalid/x/image:1.0
like "$T/err" "none.*trying $REGISTRY/team/image" 'after one that has not'
pulls 'by an alias' short:1.0
refused 7 'blocks this registry' 'from one that is blocked' pull blocked.example/x
echo 'x = {}' >"$HOME/.config/containers/registries.conf.d/20.conf"
refused 9 '20.conf, line 1' 'with a line that is not known' pull short:1.0
rm -r "$HOME/.config/containers"
start=$(date +%s)
refused 6 'gave up after 3 tries' 'from a name without address' pull nowhere.invalid/x
check 'which takes no more than seconds' test $(($(date +%s) - start)) -le 20
refused 8 'team/nothing' 'no such repository' pull "$REGISTRY/team/nothing:1.0"
stop_registry

start_registry tls
push "$T/layout:one" image:1
refused 6 'certs\.d/127\.0\.0\.1:' 'a certificate by nobody known' pull "$REGISTRY/image:1"
certs=$HOME/.config/containers/certs.d
mkdir -p "$certs/localhost:$registry_port"
cp "$registry_dir/ca.crt" "$certs/localhost:$registry_port/ca.crt"
refused 6 'certs\.d' 'an authority of another host' pull "$REGISTRY/image:1"
pulls 'an authority of this host' "localhost:$registry_port/image:1"
cp -r "$certs/localhost:$registry_port" "$certs/$REGISTRY"
pulls 'and under its address' "$REGISTRY/image:1"
rm -r "$certs"
SSL_CERT_FILE=$registry_dir/ca.crt
export SSL_CERT_FILE
pulls 'an authority of the system' "$REGISTRY/image:1"
unset SSL_CERT_FILE
stop_registry

start_registry auth
mkdir -p "$HOME/.docker" "$HOME/.config/containers"
login() { printf '{"auths": {"%s": {"auth": "%s"}}}\n' "$1" "$(printf %s "$2" | base64)"; }
skopeo copy -q --insecure-policy --dest-tls-verify=false --dest-creds me:secret "oci:$T/layout:one" \
  "docker://$REGISTRY/a/b:1"
refused 7 "nacre login $REGISTRY" 'without a login' pull "$REGISTRY/a/b:1"
login "$REGISTRY" me:wrong >"$HOME/.docker/config.json"
refused 7 'log in again' 'with a wrong one' pull "$REGISTRY/a/b:1"
login "$REGISTRY" me:secret >"$HOME/.docker/config.json"
pulls 'with the one docker has' "$REGISTRY/a/b:1"
rm "$HOME/.docker/config.json"
login "$REGISTRY/a" me:secret >"$HOME/.config/containers/auth.json"
pulls 'with the one podman has for a part of the registry' "$REGISTRY/a/b:1"
rm "$HOME/.config/containers/auth.json"
REGISTRY_AUTH_FILE=$T/auth.json
export REGISTRY_AUTH_FILE
printf secret | podman login --tls-verify=false -u me --password-stdin "$REGISTRY" >"$T/login.log" 2>&1
pulls 'with one made by podman login' "$REGISTRY/a/b:1"
stop_registry

done_testing
