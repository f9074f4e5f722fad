#!/bin/sh
# Images from Dockerfiles such as people have, built by nacre and by buildah, compared entry by entry; see README.md.
#
#   sh tests/real/run.sh [--short] [--results FILE] [CASE…]      default: all cases
#
# --short    a few cheap ones and one with apt: what the test suite runs
# --results  write the table of README.md to a file
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
need buildah jq zstd xz bzip2
REAL=$TESTS/real
BASES='toolchain golang python' # other cases build on what these give
SHORT='dockerignore wildcards archives args-env replacements apt-curl'
since=$(date +%s)
results=

# Runs as root of a user namespace; storage and cache mounts of its own in the scratch directory.
in_buildah() {
  as_container_root nice -n 15 env TMPDIR="$T" \
    buildah --root "$T/buildah" --runroot "$T/buildah-run" --storage-driver overlay "$@"
}

# base NAME LAYOUT TAG: what FROM NAME means from now on, for both. buildah makes a name of the path, and refuses one
# with a directory that begins with a dot.
contexts=
base() {
  contexts="$contexts --build-context $1=oci-layout://$2:$3"
  ln -s "$2" "$T/base-$1"
  if ! base_id=$(in_buildah pull -q "oci:$T/base-$1:$3" 2>"$T/pull.log") || ! in_buildah tag "$base_id" "localhost/$1"; then
    diag_file "$T/pull.log"
    bail "buildah cannot read $1"
  fi
}

# stage CASE: its context in $T/context/CASE. Modes and times do not depend on the checkout.
stage() {
  rm -rf "$T/context/$1"
  mkdir -p "$T/context"
  cp -R "$REAL/$1" "$T/context/$1" && cd "$T/context/$1" || return 1
  chmod -R u=rwX,go=rX .
  if [ -f prepare.sh ]; then
    sh -eu ./prepare.sh >"$T/prepare.log" 2>&1 || {
      diag_file "$T/prepare.log"
      return 1
    }
  fi
  rm -f prepare.sh case.json
  find . -exec touch -h -d @1614834367 {} +
  cd "$T" || return 1
}

# build CASE BUILDER FILE NAME: one image of a case with one builder. Where buildah lacks the language, FILE.buildah
# says the same in its words.
build() {
  build_context=$T/context/$1 build_file=$T/context/$1/$3 build_name=$4
  # shellcheck disable=SC2046
  set -- "$2" $(jq -r '(.args // [])[]' "$REAL/$1/case.json")
  build_with=$1
  shift
  case $build_with in
  nacre)
    # shellcheck disable=SC2086
    "$NACRE" build --progress plain $contexts "$@" -f "$build_file" -t "$build_name" --compression none \
      -o "oci:$T/images/$build_name:$build_name" "$build_context"
    ;;
  buildah)
    [ ! -f "$build_file.buildah" ] || build_file=$build_file.buildah
    in_buildah build --format docker --layers --pull-never --isolation oci --network host "$@" -f "$build_file" \
      -t "$build_name" "$build_context" && in_buildah push -q -D "$build_name" "dir:$T/images/$build_name.buildah"
    ;;
  esac
}

# try CASE: both build it and give the same
try() {
  try_case=$1
  stage "$try_case" || {
    not_ok "$try_case: the context"
    return 1
  }
  # The images of a case, each as FILE:NAME; only the last one is compared.
  for try_image in $(jq -r '(.images // ["Dockerfile"])[]' "$REAL/$try_case/case.json"); do
    try_name=$try_case
    [ "$try_image" = Dockerfile ] || try_name=${try_image#*:}
    for try_builder in nacre buildah; do
      try_begin=$(date +%s)
      build "$try_case" "$try_builder" "${try_image%%:*}" "$try_name" >"$T/$try_builder.log" 2>&1 </dev/null || {
        not_ok "$try_case: $try_builder builds it"
        diag_file "$T/$try_builder.log" 30
        return 1
      }
      diag "$try_name: $try_builder $(($(date +%s) - try_begin)) s"
    done
  done
  python3 "$REAL/compare.py" --since "$since" ${results:+--result "$T/results"} "$REAL/$try_case/case.json" \
    "$T/images/$try_name" "$try_name" "$T/images/$try_name.buildah" >"$T/compare.log" 2>&1
  try_status=$?
  if [ $try_status = 0 ]; then ok "$try_case: $(tail -n 1 "$T/compare.log")"; else not_ok "$try_case"; fi
  [ $try_status = 0 ] || diag_file "$T/compare.log" 100
  case " $BASES " in
  *" $try_case "*) base "$try_case" "$T/images/$try_case" "$try_case" ;;
  *) rm -rf "$T/images/$try_name" "$T/images/$try_name.buildah" "$T/context/$try_case" ;;
  esac
}

wanted=
while [ $# -gt 0 ]; do
  case $1 in
  --short) wanted=$SHORT ;;
  --results)
    results=$2
    shift
    ;;
  *) wanted="$wanted $1" ;;
  esac
  shift
done
[ -n "$wanted" ] || wanted="$BASES $(cd "$REAL" && for dir in */; do
  case " $BASES " in *" ${dir%/} "*) ;; *) echo "${dir%/}" ;; esac
done)"

check "the comparison finds a difference of each kind; README.md has all cases" python3 "$REAL/test_compare.py"
mkdir -p "$T/images"
busybox_layout "$T/busybox"
base busybox "$T/busybox" latest
debian_layout
base debian "$DEBIAN_LAYOUT" latest
# shellcheck disable=SC2086
for name in $wanted; do try "$name"; done
if [ -n "$results" ]; then
  {
    echo '| case | kind | entries | explained differences |'
    echo '| --- | --- | --- | --- |'
    sort "$T/results"
    echo
    echo '| reason | what it is |'
    echo '| --- | --- |'
    jq -r '.reasons | to_entries[] | "| \(.key) | \(.value) |"' "$REAL/differences.json"
  } >"$results"
fi
done_testing
