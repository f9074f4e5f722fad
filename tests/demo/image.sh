#!/bin/sh
# The part of tests/demo.sh that runs as a plain user, in a directory with nacre, busybox and Dockerfile.
set -eu
cd "$(dirname "$0")"
NACRE_STORE=$PWD/store
export NACRE_STORE
say() { printf '\n--- %s\n' "$*"; }

say "as $(id -un): nacre build -t demo -o oci:image:demo ."
mkdir context
mv Dockerfile busybox context
./nacre build -t demo -o oci:image:demo context

say "nacre run --rm demo"
./nacre run --rm demo

say "image/, an OCI image layout"
find image | LC_ALL=C sort | while read -r path; do
  indent=$(printf '%s' "$path" | sed 's/[^/]*\//  /g; s/[^ ].*//')
  if [ -d "$path" ]; then
    echo "$indent${path##*/}/"
  else
    echo "$indent${path##*/}  $(wc -c <"$path") bytes"
  fi
done
