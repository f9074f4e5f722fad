# shellcheck shell=sh disable=SC2034,SC2119,SC2120,SC2154 # used by, and using, what sources this after common.sh
# The fake registry of fake_registry.py for shell tests: start_fake once, then control for each test.

# start_fake [LISTENERS] [MEMBERS]: $FAKE is its address. MEMBERS are JSON members that stay in the control file ("tls": …).
start_fake() {
  need python3 jq
  fake_members=${2:-}
  : >"$T/requests"
  control
  python3 "$TESTS/lib/fake_registry.py" "$T/control" "$T/requests" "$T/ports" "${1:-1}" >"$T/fake.log" 2>&1 &
  at_end="$at_end $!"
  wait_for 20 test -s "$T/ports" || bail "the fake registry does not start"
  fake_port=$(sed -n 1p "$T/ports")
  FAKE=127.0.0.1:$fake_port
}

# control [JSON-MEMBERS]: what it does from now on; requests are counted anew, and the store is empty again
control() {
  printf '{%s"layout": "%s"%s}\n' "${fake_members:+$fake_members, }" "$T/layout" "${1:+, $1}" >"$T/control.new"
  mv "$T/control.new" "$T/control"
  : >"$T/requests"
  remove_tree "$STORE"
}

# requests JQ-CONDITION: how many requests it is true for
requests() { jq -s "[.[] | select($1)] | length" "$T/requests"; }

# digest_of TAG: of the document the layout has under this tag
digest_of() {
  jq -r --arg tag "$1" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $tag) | .digest' \
    "$T/layout/index.json"
}

# Blobs in the store, each named after the SHA-256 of its bytes
store_is_sound() {
  for tap_blob in "$STORE"/blobs/sha256/*; do
    [ -e "$tap_blob" ] || continue
    [ "$(sha256sum <"$tap_blob" | cut -d' ' -f1)" = "${tap_blob##*/}" ] || return 1
  done
  [ -z "$(ls -A "$STORE/tmp" 2>/dev/null)" ]
}

# blob_is_absent DIGEST
blob_is_absent() { [ ! -e "$STORE/blobs/sha256/${1#sha256:}" ]; }
