#!/bin/sh
# A fuzzing campaign: each target in turn for so many seconds of CPU time, under ASan and UBSan, with what it found before.
#   tests/fuzz/campaign.sh [-s SECONDS] [-d DIR] [TARGET…]       (default: 3600 s, ./build-fuzz-work, the language's five)
# DIR/TARGET is the corpus, kept between runs; DIR/log has a line per run: target, seconds of CPU, executions, coverage.
# What crashed is in DIR/crash-TARGET-*; `campaign.sh -m` puts the smallest inputs with the same coverage into tests/data/fuzz.
set -eu
top=$(CDPATH='' cd -- "$(dirname "$0")/../.." && pwd)
seconds=3600 work=$top/build-fuzz-work merge=no
while getopts s:d:m option; do
  case $option in
  s) seconds=$OPTARG ;;
  d) work=$OPTARG ;;
  m) merge=yes ;;
  *) exit 64 ;;
  esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- dockerfile expand ignore values match
build=$top/build-fuzz
[ -f "$build/build.ninja" ] || CC=clang meson setup "$build" "$top" -Dfuzzing=enabled \
  -Db_sanitize=address,undefined -Db_lundef=false >/dev/null
mkdir -p "$work"

for target; do
  ninja -C "$build" "tests/fuzz/fuzz_$target" >/dev/null
  program=$build/tests/fuzz/fuzz_$target
  seeds=$top/tests/data/fuzz/$target
  mkdir -p "$work/$target" "$seeds"
  if [ $merge = yes ]; then
    # By edges alone: how often each is passed would ask for ten times as many files.
    "$program" -merge=1 -use_counters=0 -max_len=1024 "$seeds" "$work/$target" 2>&1 | tail -n 1
    continue
  fi
  # libFuzzer counts time of the clock only; run_for.py stops it by the CPU time it used.
  python3 "$top/tests/fuzz/run_for.py" "$seconds" "$work/log" "$target" "$program" -artifact_prefix="$work/crash-$target-" \
    -max_len=4096 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 "$work/$target" "$seeds"
done
