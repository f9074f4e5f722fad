#!/bin/sh
# Dockerfiles that cannot work: tests/data/broken.txt has each with its whole message, line and column. All is known before anything
# runs: no base image is pulled (there is no network to one), and --check says the same as a build.
. "$(dirname "$0")/../lib/common.sh"

mkdir context cases
echo here >context/file

# A case is "=== NAME [OPTION…]", the Dockerfile, "---", and what is said.
awk '
  /^=== / { name = $2; sub(/^=== [^ ]+ ?/, ""); print > ("cases/" name ".options"); file = "cases/" name ".Dockerfile"; printf "" > file; next }
  /^---$/ { close(file); file = "cases/" name ".want"; next }
  /^$/ && file ~ /want$/ { next }
  file { print > file }
' "$TESTS/data/broken.txt"

# said: "LINE:COLUMN: TEXT" of each error and the exit status
said() {
  sed -n 's/^nacre: error: //p' err | tail -n 1 >last
  sed -n -E 's/^Dockerfile:([0-9]+(:[0-9]+)?)(: .*)?$/\1\3/p' err | while IFS= read -r at; do
    case $at in
    *:\ *) echo "$at" ;;
    *) echo "$at: $(cat last)" ;;
    esac
  done
  case $(cat last) in
  *mistakes\ in\ Dockerfile) ;;
  *) grep -q '^Dockerfile:' err || cat last ;;
  esac
  echo "exit $status"
}

for want in cases/*.want; do
  name=${want#cases/}
  name=${name%.want}
  cp "cases/$name.Dockerfile" context/Dockerfile
  # shellcheck disable=SC2046 # options are words
  nacre build $(cat "cases/$name.options") context
  said >got
  same "$want" got "$name"
  # shellcheck disable=SC2046
  nacre build --check $(cat "cases/$name.options") context
  said >got
  same "$want" got "$name: --check"
done

done_testing
