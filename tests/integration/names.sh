#!/bin/sh
# Names of images: tag and rmi.
. "$(dirname "$0")/../lib/common.sh"
need jq
mkdir context
echo one >context/file
printf 'FROM scratch\nCOPY file /\n' >context/Dockerfile
builds "an image" -q -t app context
id=${digest#sha256:}
echo two >context/file
builds "another" -q -t other context

# names: of the store, with their digests
names() { "$NACRE" images --format json | jq -r '.[] | "\(.name)=\(.digest)"' | sort | tr '\n' ' '; }
app=sha256:$id other=$digest

check "a name is tagged" "$NACRE" tag app app:1 Registry.example/team/app
is "$(names)" "app:1=$app app=$app other=$other registry.example/team/app=$app " "with all names"
check "a digest is tagged" "$NACRE" tag "$app" by-digest
check "the beginning of a digest is tagged" "$NACRE" tag "$(echo "$id" | cut -c 1-12)" by-prefix:latest
is "$(names)" "app:1=$app app=$app by-digest=$app by-prefix=$app other=$other registry.example/team/app=$app " "each with its name"
check "a name moves" "$NACRE" tag other by-prefix
is "$(names)" "app:1=$app app=$app by-digest=$app by-prefix=$other other=$other registry.example/team/app=$app " "to the other image"
before=$(names)
refused 2 'Upper' "a name that cannot be one" tag app good Upper/case
refused 2 'digest' "a name with a digest" tag app "good@$app"
refused 2 'missing' "no name" tag app
refused 8 'no image "nosuch"' "an image that is not there" tag nosuch good
is "$(names)" "$before" "nothing was named"
for command in 'run --rm' inspect history rmi; do
  # shellcheck disable=SC2086
  refused 8 'no image "othre" in the store .*; did you mean other\?' "$command of a misspelt name" $command othre
done
refused 8 'did you mean registry.example/team/app\?' "a misspelt name with a registry" inspect registry.example/taem/app:latest
refused 8 'did you mean app' "a name whose tag is not there" inspect app:3
refused 8 'did you mean other\?' "a name that cannot be one" inspect Other
refused 8 'nacre images. lists what is there' "a name like none" inspect entirely-different

check "a name is removed" "$NACRE" rmi by-digest
nacre rmi app:1
is "$(cat "$T/out")" "Untagged: app:1" "which is said"
refused 2 'app, registry.example/team/app' "an id with two names" rmi "$id"
nacre rmi nosuch other alsonosuch "$id"
is "$status $(grep -c nosuch "$T/err") $(cat "$T/out")" "8 2 Untagged: other" "the first failure counts, all are tried"
is "$(names)" "app=$app by-prefix=$other registry.example/team/app=$app " "the rest is as it was"
nacre rmi -f "$id"
is "$(sort "$T/out" | tr '\n' ' ')" "Untagged: app Untagged: registry.example/team/app " "--force removes all names of an id"
check "contents stay" "$NACRE" inspect "$id"
refused 8 'no name' "an id without names" rmi "$id"
check "it gets one again" "$NACRE" tag "$id" app
is "$(names)" "app=$app by-prefix=$other " "and is there"
done_testing
