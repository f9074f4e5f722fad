#!/bin/sh
# From a fresh machine to a running image:  sh tests/demo.sh
#
# Installs what compiling needs, builds nacre in build/, then, as a plain user and without any registry, builds an image FROM
# scratch around this machine's static busybox, runs it, and shows the image as it lies on disk.
set -eu
here=$(CDPATH='' cd -- "$(dirname "$0")" && pwd)
top=${here%/tests}
as_user() { sh "$here/lib/as_user.sh" "$@"; }

sh "$here/lib/install.sh" build

printf '\n--- build/nacre\n'
[ -f "$top/build/build.ninja" ] || meson setup "$top/build" "$top" | tail -n 15
ninja -C "$top/build" nacre | tail -n 1

# The user gets copies: it may have no access to the checkout.
cd /
work=$(as_user mktemp -d /var/tmp/nacre-demo.XXXXXX)
trap 'as_user unshare --map-auto --map-root-user rm -rf "$work"' EXIT
tar -ch -C "$top/build" nacre -C "$here/demo" Dockerfile image.sh -C "$(dirname "$(command -v busybox)")" busybox |
  as_user tar -x --no-same-permissions -C "$work"
as_user sh "$work/image.sh"
