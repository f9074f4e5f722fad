#!/bin/sh
# Pulls from a registry that drops, lies, redirects and asks for logins: THREATS N1-N8, T-G1, T-G2, T-G8, T-H1, T-H5.
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/fake_registry.sh"

need python3 jq base64
python3 "$TESTS/lib/random_layout.py" "$T/layout" 3000000 200000 50000
start_fake 3
one=$(digest_of one)
many=$(digest_of many)
blob() { jq -r ".layers[$1].digest" "$T/layout/blobs/sha256/${one#sha256:}"; }
config=$(jq -r .config.digest "$T/layout/blobs/sha256/${one#sha256:}")
big=$(blob 0)
small=$(blob 1)

# pulls DESCRIPTION REFERENCE: the image arrives, and all that is in the store is what its name says
pulls() {
  nacre pull "$2"
  if [ "$status" = 0 ] && [ "$(cat "$T/out")" = "$one" ] && store_is_sound && ! blob_is_absent "$big"; then
    ok "$1"
  else
    not_ok "$1"
    diag "exit status $status, printed $(cat "$T/out")"
    diag_file "$T/err"
    return 1
  fi
}

# ---- what takes long runs beside the rest, each with its own server and store

slow_server() { # NAME CONTROL
  mkdir "$T/$1"
  printf '{"layout": "%s", %s}\n' "$T/layout" "$2" >"$T/$1/control"
  python3 "$TESTS/lib/fake_registry.py" "$T/$1/control" "$T/$1/requests" "$T/$1/ports" >/dev/null 2>&1 &
  at_end="$at_end $!"
  wait_for 20 test -s "$T/$1/ports"
  (
    NACRE_STORE=$T/$1/store "$NACRE" pull "127.0.0.1:$(cat "$T/$1/ports")/x:one" >"$T/$1/out" 2>"$T/$1/err" </dev/null
    echo $? >"$T/$1/status"
  ) &
}

slow_server stalls "\"faults\": [{\"match\": \"blobs/$big\", \"times\": 1, \"drop\": 1000000, \"stall\": 75}]"
slow_server down '"faults": [{"match": "manifests", "status": 503}]'
slow_server short "\"faults\": [{\"match\": \"blobs/$small\", \"no_length\": 1, \"truncate\": 1000}]"

# ---- nothing wrong

control
pulls 'a tag' "$FAKE/some/image:one"
is "$(requests '.path | test("/blobs/")')" 4 'each blob is fetched once'
control
pulls 'a tag that is an index' "$FAKE/x:many"
control
pulls 'a digest' "$FAKE/x@$one"
control
nacre pull "$FAKE/x:many@$many"
: >"$T/requests"
nacre pull "$FAKE/x@$many"
is "$status $(cat "$T/out")" "0 $one" 'a digest that is here already'
is "$(requests true)" 0 'needs no registry'
nacre pull "$FAKE/x:one"
is "$(requests '.path | test("/blobs/")')" 0 'blobs that are here are not fetched again'

# ---- interruptions

drops=
for at in 300000 600000 900000 1200000 1500000 1800000 2100000 2400000 2700000 2900000; do
  drops="$drops${drops:+, }{\"match\": \"blobs/$big\", \"times\": 1, \"drop\": $at}"
done
control "\"faults\": [$drops]"
pulls 'ten drops of one blob' "$FAKE/x:one"
is "$(requests ".path | test(\"$big\")")" 11 'eleven requests for it'
is "$(jq -r "select(.path | test(\"$big\")) | .headers.range // empty" "$T/requests" | head -n 2 | tr '\n' ' ')" \
  'bytes=300000- bytes=600000- ' 'each goes on where the last one ended'
is "$(requests '.headers["if-range"] != null')" 10 'if the file is the same'
like "$T/err" 'try 2 of 6 in .*keeping 300 kB' 'each retry is a line'

dropped="{\"match\": \"blobs/$big\", \"times\": 1, \"drop\": 1000000}"
control "\"faults\": [$dropped, {\"match\": \"blobs/$big\", \"no_range\": 1}]"
pulls 'the whole comes where a part was asked for' "$FAKE/x:one"

control "\"faults\": [$dropped, {\"match\": \"blobs/$big\", \"bad_range\": 1}]"
pulls 'another part comes than was asked for' "$FAKE/x:one"
is "$(requests ".path | test(\"$big\")")" 3 'it is not used; the whole is fetched again'

control "\"faults\": [$dropped, {\"match\": \"blobs/$big\", \"times\": 1, \"status\": 416}]"
pulls 'a range that can not be had' "$FAKE/x:one"

control '"faults": [{"match": "manifests", "times": 1, "status": 500}, {"match": "manifests", "times": 1, "status": 502},
  {"match": "blobs", "times": 1, "status": 504}, {"match": "blobs", "times": 1, "raw": ""}]'
pulls 'server errors and a hang-up' "$FAKE/x:one"

control '"faults": [{"match": "manifests", "times": 1, "status": 429, "headers": {"Retry-After": "3"}}]'
start=$(date +%s)
pulls 'too many requests' "$FAKE/x:one"
check 'waits as long as it was told' test $(($(date +%s) - start)) -ge 3
like "$T/err" '429 too many requests.*as the server asks' 'and says so'

control "\"faults\": [{\"match\": \"blobs/$big\", \"times\": 1, \"no_length\": 1, \"drop\": 100000}]"
pulls 'a cut without an announced length' "$FAKE/x:one"
control '"faults": [{"match": "blobs", "chunked": 1}, {"match": "manifests", "no_length": 1}]'
pulls 'chunked and HTTP/1.0 answers' "$FAKE/x:one"

# ---- wrong bytes: nothing of them is published, and the next pull is whole again

wrong() { # DESCRIPTION MATCH FAULT BLOB
  control "\"faults\": [{\"match\": \"$2\", $3}]"
  refused 9 '(digest|bytes)' "$1" pull "$FAKE/x:many"
  check "$1: nothing published" blob_is_absent "$4"
  check "$1: nothing left over" store_is_sound
  printf '{"layout": "%s"}\n' "$T/layout" >"$T/control"
  pulls "$1: then right" "$FAKE/x:many"
}

last=$(($(stat -c %s "$T/layout/blobs/sha256/${small#sha256:}") - 1))
wrong 'first byte of a layer' "$small" '"flip": 0' "$small"
wrong 'a byte within a layer' "$small" '"flip": 77777' "$small"
wrong 'last byte of a layer' "$small" "\"flip\": $last" "$small"
wrong 'a layer that is short' "$small" '"truncate": 1000' "$small"
wrong 'a layer that is long' "$small" '"extra": 1' "$small"
wrong 'a layer that is long and chunked' "$small" '"extra": 1, "chunked": 1' "$small"
wrong 'a layer that is short and chunked' "$small" '"truncate": 1000, "chunked": 1' "$small"
wrong 'a byte of the config' "$config" '"flip": 10' "$config"
wrong 'a byte of the manifest' "manifests/$one" '"flip": 40' "$one"
control '"faults": [{"match": "manifests", "flip": 40}]'
refused 9 'digest' 'another document than the digest says' pull "$FAKE/x@$one"
refused 9 'digest' 'and also with a tag before it' pull "$FAKE/x:one@$one"

# ---- documents that are not what they say

control '"faults": [{"match": "manifests/one", "headers": {"Content-Type": "application/vnd.oci.image.index.v1+json"}}]'
refused 9 'media type|Content-Type|called' 'a manifest sent as an index' pull "$FAKE/x:one"
control '"faults": [{"match": "manifests/one", "status": 200, "body": "<html>", "headers": {"Content-Type": "text/html"}}]'
refused 9 'JSON|media type' 'a web page sent as a manifest' pull "$FAKE/x:one"
control '"faults": [{"match": "manifests/one", "headers": {"Docker-Content-Digest": "sha256:../../x"}}]'
pulls 'a lying digest header changes nothing' "$FAKE/x:one"
control
refused 8 'no tag nowhere' 'no such tag' pull "$FAKE/x:nowhere"
control "\"faults\": [{\"match\": \"GET /v2/x\", \"headers\": {\"X-Long\": \"$(printf '%070000d' 0)\"}}]"
refused 1 'headers' 'endless headers' pull "$FAKE/x:one"
control '"faults": [{"match": "GET", "raw": "SSH-2.0-OpenSSH_9.2\r\n"}]'
refused 6 'does not speak http' 'something that speaks no HTTP' pull "$FAKE/x:one"

# ---- redirects

listener() { sed -n "$(($1 + 1))p" "$T/ports"; }
elsewhere=$(listener 1)
third=$(listener 2)
auth='"auth": {"kind": "token", "user": "me", "password": "secret"}'
mkdir -p "$HOME/.docker"
login() { printf '{"auths": {"%s": {"auth": "%s"}}}\n' "$1" "$(printf %s "$2" | base64)" >"$HOME/.docker/config.json"; }
login "$FAKE" me:secret

control "$auth, \"faults\": [{\"match\": \"blobs/.* $fake_port\", \"redirect\": \"http://127.0.0.1:{1}{path}?sig=s3cr3t\"}]"
pulls 'blobs from a storage server' "$FAKE/x:one"
is "$(requests ".port == $elsewhere")" 4 'which serves all of them'
is "$(requests ".port == $elsewhere and .headers.authorization != null")" 0 'and sees no credentials'

control "$auth, \"faults\": [
  {\"match\": \"blobs/.* $fake_port\", \"times\": 1, \"redirect\": \"http://127.0.0.1:{1}{path}\"},
  {\"match\": \"blobs/.* $elsewhere\", \"redirect\": \"http://127.0.0.1:{0}{path}\"}]"
refused 7 '401' 'away and back again' pull "$FAKE/x:one"
is "$(requests '(.path | test("/blobs/")) and .status == 401 and .headers.authorization != null')" 0 \
  'the credentials do not come back'

control "$auth, \"faults\": [{\"match\": \"blobs\", \"times\": 1, \"redirect\": \"http://localhost:{0}{path}\"}]"
refused 7 '401' 'the same server by another name' pull "$FAKE/x:one"
is "$(requests '(.host | test("localhost")) and .headers.authorization != null')" 0 'is another origin'

control '"faults": [{"match": "blobs", "redirect": "{path}"}]'
refused 6 'more than 10 redirects' 'a loop' pull "$FAKE/x:one"
is "$(requests '.path | test("/blobs/")')" 11 'ends after ten hops'
control '"faults": [{"match": "blobs", "redirect": "http://registry.invalid/x"}]'
refused 6 'not encrypted; refused' 'a redirect to plain http elsewhere' pull "$FAKE/x:one"
for to in ftp://127.0.0.1/x http://me:secret@127.0.0.1/x file:///etc/passwd; do
  control "\"faults\": [{\"match\": \"blobs\", \"redirect\": \"$to\"}]"
  nacre pull "$FAKE/x:one"
  isnt "$status" 0 "a redirect to $to is refused"
  unlike "$T/err" 'me:secret' 'and its password is not shown'
done
control "\"faults\": [{\"match\": \"blobs/.* $fake_port\", \"redirect\": \"http://127.0.0.1:{1}{path}?X-Signature=s3cr3t\"},
  {\"match\": \"blobs/.* $elsewhere\", \"status\": 403}]"
refused 7 '403' 'a storage server that refuses' pull "$FAKE/x:one"
unlike "$T/err" 's3cr3t' 'the signature of the URL is not shown'

# ---- logins

control '"auth": {"kind": "token"}'
pulls 'anonymous tokens' "$FAKE/some/image:one"
is "$(requests '.path | test("^/token")')" 1 'one token for all'
is "$(jq -r 'select(.path | test("^/token")) | .path' "$T/requests")" \
  '/token?service=fake&scope=repository%3Asome%2Fimage%3Apull' 'for pulling this repository'
control "$auth"
pulls 'a token for a user' "$FAKE/x:one"
is "$(requests '(.path | test("^/token") | not) and (.headers.authorization // "" | test("Basic"))')" 0 \
  'only the token server sees the password'
control '"auth": {"kind": "token", "user": "me", "password": "secret", "uses": 2}'
pulls 'a token that ends within the pull' "$FAKE/x:one"
control '"auth": {"kind": "basic", "user": "me", "password": "secret"}'
pulls 'user and password' "$FAKE/x:one"
login "$FAKE" me:wrong
refused 7 'nacre login 127' 'a wrong password' pull "$FAKE/x:one"
unlike "$T/err" 'wrong' 'which is not shown'
control "$auth"
refused 7 'nacre login 127' 'a wrong password for a token' pull "$FAKE/x:one"
login "127.0.0.1" me:secret
control "$auth"
refused 7 'nacre login 127' 'a login for another port' pull "$FAKE/x:one"
is "$(requests '.headers.authorization // "" | test("Basic")')" 0 'is not used'

login "$FAKE" me:secret
for realm in 'http://localhost:{1}/token' 'http://127.0.0.2:{1}/token' https://registry.invalid/token \
  http://169.254.169.254/latest 'http://127.0.0.1@localhost:{1}/token' http://127.0.0.1.registry.invalid/; do
  control "\"auth\": {\"kind\": \"token\", \"user\": \"me\", \"password\": \"secret\", \"realm\": \"$realm\"}"
  nacre pull "$FAKE/x:one"
  isnt "$status" 0 "the realm $realm is refused"
  is "$(requests ".port != $fake_port or (.headers.authorization != null)")" 0 'and nothing is sent there'
done
control '"auth": {"kind": "token", "realm": "https://evil.invalid/token"}'
refused 7 "127.0.0.1:$fake_port.*evil.invalid" 'the message names both' pull "$FAKE/x:one"
control '"auth": {"kind": "token", "user": "me", "password": "secret", "challenge": "Bearer realm=\"a\",realm=\"b\""}'
refused 9 'WWW-Authenticate' 'a challenge that says two things' pull "$FAKE/x:one"
control "\"auth\": {\"kind\": \"basic\", \"user\": \"me\", \"password\": \"secret\", \"challenge\": \"Negotiate\"}"
refused 7 'not known here' 'a challenge of another kind' pull "$FAKE/x:one"
control "$auth, \"faults\": [{\"match\": \"GET /token\", \"redirect\": \"http://127.0.0.1:{2}/token\"}]"
refused 6 'not followed' 'a token server that redirects' pull "$FAKE/x:one"
is "$(requests ".port == $third")" 0 'is not followed'

# ---- two at a time, and killed

control "\"faults\": [{\"match\": \"blobs/$big\", \"slow\": 1000000}]"
"$NACRE" pull "$FAKE/x:one" >"$T/first.out" 2>"$T/first.err" </dev/null &
first=$!
wait_for 10 grep -q "$big" "$T/requests"
pulls 'two pulls of one image' "$FAKE/x:one"
like "$T/err" 'another process is fetching it' 'the second waits for the first'
wait "$first"
is "$? $(cat "$T/first.out")" "0 $one" 'both arrive'
is "$(requests ".path | test(\"$big\")")" 1 'the blob is fetched once'
check 'no lock stays behind' test -z "$(find "$STORE/lock" -name 'blob-*')"

control "\"faults\": [{\"match\": \"blobs/$big\", \"slow\": 500000}]"
setsid "$NACRE" pull "$FAKE/x:one" >/dev/null 2>&1 </dev/null &
victim=$!
wait_for 10 grep -q "$big" "$T/requests"
sleep 1
check 'killed while it fetches' kill -9 "-$victim"
wait "$victim" 2>/dev/null
check 'nothing half is published' blob_is_absent "$big"
printf '{"layout": "%s"}\n' "$T/layout" >"$T/control"
pulls 'after a kill' "$FAKE/x:one"

# ---- what took long

wait_for 60 test -f "$T/down/status"
is "$(cat "$T/down/status")" 6 'a server that stays down'
is "$(jq -s '[.[] | select(.path | test("manifests"))] | length' "$T/down/requests")" 6 'is asked six times'
like "$T/down/err" 'gave up after 6 tries' 'and the message says so'
is "$(jq -s '[.[] | select(.path | test("manifests")) | .time] | .[5] - .[0] >= 15' "$T/down/requests")" true \
  'with growing pauses'
wait_for 60 test -f "$T/short/status"
is "$(cat "$T/short/status")" 9 'a body that always ends early is no image'
wait_for 120 test -f "$T/stalls/status"
is "$(cat "$T/stalls/status") $(cat "$T/stalls/out")" "0 $one" 'a server that stalls is asked again'
range=$(jq -r "select(.path | test(\"$big\")) | .headers.range // empty" "$T/stalls/requests" | tail -n 1)
is "$range" bytes=1000000- \
  'from where it stalled'

done_testing
