#!/bin/sh
# All tests, from a fresh machine:  sh tests/run.sh [SUITE…]
#
# Installs what is missing, configures with -Dwerror=true, builds, and runs as a plain user: unit, fuzz (replay), lint, integration
# and conformance tests, then the unit and fuzz tests again in a build with clang, ASan and UBSan. The last line is
# "N passed, M failed"; exit status 1 when something failed.
#
# Suites: unit fuzz lint integration conformance sanitizers. Default: all.
set -eu
here=$(CDPATH='' cd -- "$(dirname "$0")" && pwd)
top=${here%/tests}
suites=${*:-unit fuzz lint integration conformance sanitizers}

sh "$here/lib/install.sh"

as_user() { sh "$here/lib/as_user.sh" "$@"; }
cd /
work=$top
if [ "$(as_user id -u)" != "$(id -u)" ] || [ ! -w "$top" ]; then
  # Whoever runs the tests cannot write here: they get a copy of the checkout.
  work=$(as_user mktemp -d /var/tmp/nacre-run.XXXXXX)
  trap 'as_user rm -rf "$work"' EXIT
  (cd "$top" && tar -c --exclude=./build --exclude='./build-*' --exclude=./.git .) | as_user tar -x -C "$work"
fi
as_user sh "$work/tests/lib/suites.sh" "$suites"
