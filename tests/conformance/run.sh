#!/bin/sh
# The conformance cases as TAP, compared with expected-failures.txt:
#
#   sh tests/conformance/run.sh [--print] [OPTION OF conform.py…]
#
# --print prints expected-failures.txt as it should be now; the reasons of new lines are to be edited.
# With options (--filter '^copy/' -v) conform.py's own output is shown instead.
# shellcheck source=tests/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"
need python3 git zstd skopeo

print=no
if [ "${1:-}" = --print ]; then
  print=yes
  shift
fi
here=$TESTS/conformance
export PYTHONDONTWRITEBYTECODE=1

# Some cases copy their own Dockerfile, whose text, and digest, hold this address.
REGISTRY_PORT=5000
# Where a Dockerfile is part of an image, the golden holds the addresses it was recorded with.
registry=5000 http=5080
if ! wait_for 300 port_is_free $registry || ! wait_for 300 port_is_free $http; then
  diag "port $registry or $http is taken: cases that copy their Dockerfile will fail"
  registry=$(free_port) http=0
fi
start_registry plain "$registry"
python3 "$here/fixtures.py" --busybox "$(command -v busybox)" --registry "$REGISTRY" >"$T/fixtures.log" 2>&1 || {
  diag_file "$T/fixtures.log"
  bail "the fixture images cannot be made"
}
tags=network
if command -v mmdebstrap >/dev/null; then
  debian_layout
  push "$DEBIAN_LAYOUT:latest" debian:latest
  tags=network,debian
fi

conform() {
  python3 "$here/conform.py" --builder nacre --bin "$NACRE" --registry "$REGISTRY" --http "127.0.0.1:$http" --workdir "$T/work" \
    --jobs "$(nproc)" --timeout 300 --tags "$tags" "$@" "$here/cases"
}

if [ $# -gt 0 ]; then
  conform "$@"
  exit
fi

conform --report "$T/report.json" >"$T/conform.log" 2>&1
[ -s "$T/report.json" ] || {
  diag_file "$T/conform.log"
  bail "conform.py did not finish"
}
if [ $print = yes ]; then
  python3 "$here/judge.py" "$T/report.json" "$here/expected-failures.txt" --print
  exit
fi
python3 "$here/judge.py" "$T/report.json" "$here/expected-failures.txt" --core 70
status=$?
tail -n 40 "$T/conform.log" | sed -n '/^group/,$p' | sed 's/^/# /'
exit $status
