# shellcheck shell=sh disable=SC2034 # common.sh uses what looks unused here
# Images judged by other programs; sourced after common.sh.

# Judges unpack whole images: in memory where there is plenty, since some file systems are slow at making many files.
JUDGE_DIR=$T
if [ "$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)" -gt 6000000 ] 2>/dev/null; then
  JUDGE_DIR=/dev/shm/${T##*/}
  mkdir -m 700 "$JUDGE_DIR" || exit 1
  at_end_remove=$JUDGE_DIR
fi
export JUDGE_DIR

# manifest_of LAYOUT TAG: path of its manifest
manifest_of() {
  judge_digest=$(jq -r --arg tag "$2" \
    '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $tag) | .digest' "$1/index.json")
  echo "$1/blobs/sha256/${judge_digest#sha256:}"
}

# config_of LAYOUT TAG: path of its config
config_of() {
  judge_digest=$(jq -r .config.digest "$(manifest_of "$1" "$2")")
  echo "$1/blobs/sha256/${judge_digest#sha256:}"
}

# layers_of LAYOUT TAG: digests of its layers, bottom first
layers_of() { jq -r '.layers[].digest' "$(manifest_of "$1" "$2")"; }

# judge LAYOUT TAG: skopeo reads the image, copies it with every digest checked, and umoci unpacks it without root
judge() {
  check "skopeo inspect $2" skopeo inspect "oci:$1:$2"
  check "skopeo copies $2" skopeo copy -q --insecure-policy "oci:$1:$2" "dir:$JUDGE_DIR/dir"
  rm -rf "$JUDGE_DIR/dir"
  python3 "$TESTS/lib/plain_layout.py" "$1" "$2" "$JUDGE_DIR/plain" || {
    not_ok "the layers of $2 decompress"
    return 1
  }
  check "umoci unpacks $2 without root" umoci unpack --rootless --image "$JUDGE_DIR/plain:latest" "$JUDGE_DIR/bundle"
  remove_tree "$JUDGE_DIR/bundle"
  remove_tree "$JUDGE_DIR/plain"
}

# as_container_root COMMAND…: as root of a user namespace with all sub-ids, where owners are the image's own. Other programs
# that run containers find what they need there: cgroup2 alone, a /run and a /var/cache to write to.
as_container_root() {
  unshare --map-auto --map-root-user --mount --cgroup sh -c '
    stat -f -c %T /sys/fs/cgroup | grep -q cgroup2fs || mount -t cgroup2 none /sys/fs/cgroup || exit 120
    mount -t tmpfs none /run && mount -t tmpfs none /var/cache || exit 120
    exec "$@"' sh "$@"
}

# crun_image LAYOUT TAG COMMAND…: its output
crun_image() {
  judge_layout=$1 judge_tag=$2
  shift 2
  python3 "$TESTS/lib/plain_layout.py" "$judge_layout" "$judge_tag" "$JUDGE_DIR/crun-plain" || return 1
  TESTS=$TESTS as_container_root sh -c '
    cd "$JUDGE_DIR" || exit 1
    umoci unpack --image crun-plain:latest crun-bundle 1>&2 || exit 1
    python3 "$TESTS/lib/bundle_args.py" crun-bundle/config.json "$@" || exit 1
    crun --root "$JUDGE_DIR/crun-state" --cgroup-manager disabled run --bundle crun-bundle judged' sh "$@"
  judge_status=$?
  remove_tree "$JUDGE_DIR/crun-bundle"
  remove_tree "$JUDGE_DIR/crun-plain"
  return $judge_status
}

# podman_image LAYOUT TAG COMMAND…: its output, without network
podman_image() {
  judge_layout=$1 judge_tag=$2
  shift 2
  JUDGE_IMAGE=$judge_layout:$judge_tag as_container_root sh -c '
    p() { podman --root "$JUDGE_DIR/podman" --runroot "$JUDGE_DIR/podman-run" --tmpdir "$JUDGE_DIR/podman-tmp" --cgroup-manager cgroupfs \
      --storage-driver vfs --events-backend none "$@"; }
    id=$(p pull -q "oci:$JUDGE_IMAGE") || exit 1
    p run --rm --network none --cgroups disabled --ulimit nofile=256:256 --ulimit nproc=4096:4096 "$id" "$@"' sh "$@"
  judge_status=$?
  remove_tree "$JUDGE_DIR/podman"
  return $judge_status
}
