#!/bin/sh
# Images as archives: save and load, judged by skopeo and podman; archives of theirs; damaged ones.
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
need jq python3 skopeo podman xz zstd script
mkdir context
echo one >context/file
printf 'FROM scratch\nCOPY file /one\nCOPY file /two\nCMD ["/one"]\n' >context/Dockerfile
builds "an image" -q --compression zstd -t app context
app=$digest
config=$("$NACRE" inspect app | jq -r '.manifest.config.digest')
check "a second name" "$NACRE" tag app example.org/team/app:1

# names STORE: of a store, with their digests
names() { "$NACRE" --store "$1" images --format json | jq -r '.[] | "\(.name)=\(.digest)"' | sort | tr '\n' ' '; }
# loads DESCRIPTION STORE FILE NAME=DIGEST…: into a new store; what is there then
loads() {
  nacre --store "$2" load -i "$3" || diag_file "$T/err"
  is "$(names "$2")" "$4" "$1"
}
archive() { python3 "$TESTS/lib/archives.py" "$@" || bail "archives.py $*"; }

# ---- saving

check "an OCI archive" "$NACRE" save -o oci.tar app
check "a docker archive" "$NACRE" save --format docker-archive -o docker.tar app
"$NACRE" save app >again.tar
same oci.tar again.tar "the same bytes again, on standard output"
is "$(tar --numeric-owner --full-time -tvf docker.tar | awk '{ print $1, $2, $4, $5 }' | sort -u)" \
  "-rw-r--r-- 0/0 1970-01-01 00:00:00" "no owners, no times"
check "skopeo copies the OCI archive" skopeo copy -q --insecure-policy oci-archive:oci.tar:app dir:judged-oci
check "and the docker archive" skopeo copy -q --insecure-policy docker-archive:docker.tar:app:latest dir:judged-docker
is "sha256:$(sha256sum <judged-oci/manifest.json | cut -d' ' -f1)" "$app" "the manifest is the image's"
is "$(jq -r .config.digest judged-docker/manifest.json)" "$config" "the config is the image's"
cp oci.tar docker.tar "$JUDGE_DIR"
# Its usual locks are in shared memory under one name, which may be another user's.
printf '[engine]\nlock_type = "file"\n' >"$JUDGE_DIR/containers.conf"
# shellcheck disable=SC2016 # for the inner shell
as_container_root sh -c '
  p() { CONTAINERS_CONF=$JUDGE_DIR/containers.conf podman --root "$JUDGE_DIR/podman" --runroot "$JUDGE_DIR/podman-run" --tmpdir "$JUDGE_DIR/podman-tmp" --cgroup-manager cgroupfs \
    --storage-driver vfs --events-backend none "$@"; }
  for kind in oci docker; do
    p load -q -i "$JUDGE_DIR/$kind.tar" && p images --no-trunc --format "{{.Repository}}:{{.Tag}} {{.ID}}" &&
      p save -q --format $kind-archive -o "$JUDGE_DIR/podman-$kind.tar" localhost/app && p rmi -af >/dev/null
  done' >podman.out 2>podman.err || diag_file podman.err
is "$(cat podman.out)" "Loaded image: localhost/app:latest
localhost/app:latest $config
Loaded image: localhost/app:latest
localhost/app:latest $config" "podman loads both"
remove_tree "$JUDGE_DIR/podman"

check "a layout directory" "$NACRE" save --format oci-dir -o layout app example.org/team/app:1
is "$(jq -r '.manifests[].annotations["org.opencontainers.image.ref.name"]' layout/index.json | tr '\n' ' ')" \
  "app example.org/team/app:1 " "with both names"
script -qec "$NACRE save app" /dev/null >terminal.out </dev/null
like terminal.out 'standard output is a terminal' "a terminal is refused"
refused 2 'oci-archive, docker-archive' "an unknown format" save --format tar app
refused 2 'directory' "oci-dir without a directory" save --format oci-dir app
refused 8 'nosuch' "an unknown image" save -o new.tar app nosuch
refused 11 '' "a full disk" save -o /dev/full app
cp -R "$STORE" rotten && chmod -R u+w rotten
layer=$("$NACRE" inspect app | jq -r '.manifest.layers[1].digest')
printf x | dd of="rotten/blobs/sha256/${layer#sha256:}" bs=1 seek=20 conv=notrunc status=none
cp oci.tar kept.tar
refused 9 'damaged' "a damaged store" --store rotten save -o kept.tar app
refused 9 '' "also for docker" --store rotten save --format docker-archive -o new.tar app
same oci.tar kept.tar "the file is what it was"
is "$(find . -maxdepth 1 -name 'new.tar' -o -maxdepth 1 -name '.nacre*')" "" "and nothing else is there"

# ---- loading what was saved

loads "the OCI archive gives the same digest" second oci.tar "app=$app "
nacre load -i oci.tar
is "$(cat "$T/out")" "Loaded image: app" "which is said"
"$NACRE" --store second save -o second.tar app
same oci.tar second.tar "saved again it has the same bytes"
nacre --store third load -i docker.tar
is "$("$NACRE" --store third inspect app | jq -r '.manifest.config.digest')" "$config" "a docker archive keeps the config"
(umask 0777 && exec "$NACRE" --store umask load -q -i docker.tar)
is "$(names umask)" "$(names third)" "under any umask"
loads "a layout directory with both names" fourth layout "app=$app example.org/team/app:1=$app "
"$NACRE" save "$app" | "$NACRE" --store fifth load >id.out
is "$(cat id.out)$(names fifth)" "Loaded image ID: $app" "an id has no name on the other side"
check "but can be given one" "$NACRE" --store fifth tag "$app" found
for packer in "gzip -c" "zstd -qc" "xz -c"; do
  $packer oci.tar | "$NACRE" --store "packed-${packer%% *}" load -q
  is "$(names "packed-${packer%% *}")" "app=$app " "through ${packer%% *} and a pipe"
done
"$NACRE" save app example.org/team/app:1 >two.tar
loads "two names" sixth two.tar "app=$app example.org/team/app:1=$app "
echo two >context/file
builds "another image" -q -t other context
for kind in oci docker; do
  "$NACRE" save --format $kind-archive app other example.org/team/app:1 | "$NACRE" --store "several-$kind" load >several.out
  is "$(sort several.out | tr '\n' ' ')" "Loaded image: app Loaded image: example.org/team/app:1 Loaded image: other " "several images in one $kind archive"
done
"$NACRE" tag other app
nacre load -i oci.tar
like err "app was $digest" "a name that moves is said"

# ---- archives of others

check "skopeo writes an OCI archive" skopeo copy -q --insecure-policy oci:layout:app oci-archive:skopeo-oci.tar:app
loads "it is loaded" skopeo-oci skopeo-oci.tar "app=$app "
check "skopeo writes a docker archive" \
  skopeo copy -q --insecure-policy docker-archive:docker.tar:app:latest docker-archive:skopeo-docker.tar:app:2
nacre --store skopeo-docker load -i skopeo-docker.tar
is "$("$NACRE" --store skopeo-docker inspect app:2 | jq -r '.manifest.config.digest')" "$config" "it is loaded"
for kind in oci docker; do
  nacre --store "podman-$kind" load -i "$JUDGE_DIR/podman-$kind.tar" || diag_file "$T/err"
  is "$("$NACRE" --store "podman-$kind" inspect localhost/app | jq -r '.manifest.config.digest')" "$config" "what podman saved as $kind"
done
archive old docker.tar old.tar
nacre --store old load -i old.tar
is "$("$NACRE" --store old inspect app | jq -r '.manifest.config.digest')" "$config" "docker's old layout, with links"
archive hybrid oci.tar hybrid.tar team/app:3
loads "docker's new layout, named by manifest.json" hybrid hybrid.tar "team/app:3=$app "
archive full-name oci.tar full-name.tar app:3
loads "an OCI archive with full names, as of buildx" full-name full-name.tar "app:3=$app "
printf 'FROM app\nCOPY file /three\n' >context/Dockerfile
check "a loaded docker archive is built on" "$NACRE" --store old build -q -t derived context

# ---- damaged ones

# spoilt STATUS REGEX KIND FILE [WORD]: of an archive; nothing gets a name, nothing stays in tmp
spoilt() {
  archive "$3" "$4" bad.tar ${5+"$5"}
  refused "$1" "$2" "$3 of $4" --store bad load -i bad.tar
}
spoilt 9 'digest' flip oci.tar
refused 9 'digest' "also where the store has that blob" load -i bad.tar
spoilt 9 'missing' missing oci.tar
spoilt 9 'twice' index-twice oci.tar
spoilt 9 '\.\.' member-dotdot oci.tar
spoilt 9 'cannot be a name' name-dotdot oci.tar
spoilt 9 'bytes, its descriptor says' wrong-size oci.tar
spoilt 9 'diffID' wrong-diffid oci.tar
spoilt 9 'different images' other-images oci.tar
spoilt 9 'no oci-layout' no-layout-file oci.tar
spoilt 9 'diffID|digest' flip docker.tar
spoilt 9 'missing' missing docker.tar
spoilt 9 'twice' manifest-twice docker.tar
spoilt 9 'no archive can hold' layer-dotdot docker.tar
spoilt 9 'missing' layer-link-out docker.tar
spoilt 9 'cannot be a name' tag-dotdot docker.tar
spoilt 9 'diffID' swapped-layers docker.tar
spoilt 9 'device or pipe' device docker.tar
spoilt 9 'neither index.json nor manifest.json' no-manifest docker.tar
head -c 300 docker.tar >bad.tar
refused 9 'ends early; what .nacre save' "a piece of an archive" --store bad load -i bad.tar
: >bad.tar
refused 9 'bad.tar is empty' "an empty archive" --store bad load -i bad.tar
mkdir -p no-layout
refused 9 'no-layout is no OCI layout: it has no index.json' "a directory that is none" --store bad load -i no-layout
is "$(tar -tf docker.tar | wc -l)" 4 "four files"
archive many docker.tar full.tar 9996
nacre --store full load -i full.tar
is "$status $(cat "$T/out")" "0 Loaded image: app" "as many files as there may be"
spoilt 1 'more than 10000 files' many docker.tar 9997
archive long docker.tar long.tar 512
check "a path as long as it may be" "$NACRE" --store full load -i long.tar
spoilt 1 'more than 512 bytes' long docker.tar 513
for file in oci.tar docker.tar; do
  head -c $(($(wc -c <$file) / 2)) $file >bad.tar
  refused 9 'ends early|missing' "half of $file" --store bad load -i bad.tar
done
gzip -c oci.tar | head -c 300 >bad.tar
refused 9 '' "half of it compressed" --store bad load -i bad.tar
: >bad.tar
refused 9 '' "nothing" --store bad load -i bad.tar
refused 8 'no such file' "no file" --store bad load -i nosuch
is "$(names bad)$(find bad/tmp bad/trash -mindepth 1)" "" "no names, nothing aside"
is "$(find . .. -maxdepth 1 -name escaped)" "" "nothing outside"

# Killed in the middle of it.
mkfifo pipe
"$NACRE" --store killed load -i pipe 2>/dev/null &
pid=$!
{
  head -c 3000 oci.tar
  sleep 0.2
  check "killed: all of it dies" kill_hard $pid >&3
} 3>&1 >pipe
is "$(names killed)" "" "killed: no name"
"$NACRE" --store killed images >/dev/null
is "$(find killed/tmp killed/trash -mindepth 1)" "" "and the next start clears up"
loads "the next one works" killed oci.tar "app=$app "
done_testing
