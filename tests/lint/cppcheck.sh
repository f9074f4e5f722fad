#!/bin/sh
# cppcheck over src and include; what it is wrong about stands in cppcheck-suppressions.txt with the reason.
set -eu
here=$(CDPATH='' cd -- "$(dirname "$0")" && pwd)
cd "$here/../.."
command -v cppcheck >/dev/null || {
  echo "cppcheck is not installed"
  [ "${NACRE_TESTS_MUST_RUN:-0}" = 1 ] && exit 1
  exit 77
}
exec cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --std=c11 --library=posix,gnu -j 2 \
  --suppressions-list=tests/lint/cppcheck-suppressions.txt --inline-suppr --max-configs=2 \
  -D_GNU_SOURCE -DHAVE_ISAL=1 -DNACRE_VERSION='""' -D__linux__ -D__x86_64__ -I include -I src src
