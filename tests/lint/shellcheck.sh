#!/bin/sh
# Every script of the project passes shellcheck.
set -eu
cd "$(dirname "$0")/../.."
command -v shellcheck >/dev/null || {
  echo "shellcheck is not installed"
  [ "${NACRE_TESTS_MUST_RUN:-0}" = 1 ] && exit 1
  exit 77
}
# The cases of the conformance suite are data: sourced by conform.py with variables it sets.
find tests -name '*.sh' -not -path 'tests/conformance/cases/*' -print0 | xargs -0 shellcheck -x
shellcheck .ci/run
