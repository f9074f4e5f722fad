#!/bin/sh
# Disturbs the store in every way and judges it afterwards; see README.md.
#
#   sh tests/campaign/run.sh [--short] [--points N] [--seed N] [CAMPAIGN…]      default: all campaigns
. "$(dirname "$0")/../lib/common.sh"
need strace skopeo python3 unshare
CAMPAIGNS='kill random_kill errors space power registry'
SIGNALS=30 # of each of four kinds, in the long form of faults.sh
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

arguments='' wanted='' short=no
while [ $# -gt 0 ]; do
  case $1 in
  --short) arguments="$arguments $1" short=yes ;;
  --points | --seed)
    arguments="$arguments $1 $2"
    shift
    ;;
  *) wanted="$wanted $1" ;;
  esac
  shift
done

unshare --user --map-auto --map-root-user --pid --fork --mount-proc strace -qq -o /dev/null true 2>/dev/null ||
  skip_all "strace cannot run in a user and pid namespace here"
busybox_registry
export REGISTRY
[ $short = yes ] || CAMPAIGNS="$CAMPAIGNS signals"
for campaign in ${wanted:-$CAMPAIGNS}; do
  if [ "$campaign" = signals ]; then
    check "signals" env NACRE_TESTS_KILLS=$SIGNALS sh "$TESTS/integration/faults.sh"
    continue
  fi
  mkdir "$T/$campaign" && cd "$T/$campaign" || exit 1
  # shellcheck disable=SC2086
  if python3 -u "$TESTS/campaign/$campaign.py" $arguments >"$T/figures" 2>&1; then
    ok "$(tail -n 1 "$T/figures")"
  else
    not_ok "$campaign"
    diag_file "$T/figures" 60
  fi
  cd "$T" || exit 1
  remove_tree "$T/$campaign"
done
done_testing
