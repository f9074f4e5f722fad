#!/bin/sh
# Steps that run again though nothing changed: --no-cache-filter, --no-cache-step, --fresh. Each RUN writes a random word.
. "$(dirname "$0")/../lib/common.sh"
need busybox python3
busybox_layout "$T/base"

mkdir context
cat >context/Dockerfile <<'E'
FROM base AS one
RUN cat /proc/sys/kernel/random/uuid > /word
FROM base AS two
RUN cat /proc/sys/kernel/random/uuid >> /word
RUN --mount=type=cache,target=/c echo kept >> /c/lines; cat /c/lines > /cached
FROM base
COPY --from=one /word /one
COPY --from=two /word /two
RUN cat /one /two > /three
E

# ran ARGUMENT…: which RUNs ran, as "STAGE POSITION"
ran() {
  nacre build --build-context "base=oci-layout://$T/base:latest" "$@" context
  sed -n 's/^\(#[0-9]*\) \[\([^]]*\)\/[0-9]*\] RUN.*/\1 \2/p' err | while read -r number step; do
    grep -q "^$number CACHED" err || echo "$step"
  done | sort | paste -sd ';'
}

all="one 2;stage-2 4;two 2;two 3"
is "$(ran)" "$all" "the first time all runs"
is "$(ran)" "" "the second time nothing does"
is "$(ran --no-cache-filter one)" "one 2;stage-2 4" "--no-cache-filter: the stage, and what its result changed [OUT-08]"
is "$(ran --no-cache-filter=one,TWO)" "$all" "several stages, in any case"
is "$(ran --no-cache-filter stage-2)" "stage-2 4" "a stage without a name"
is "$(ran)" "" "and then all is cached again"
refused 2 'did you mean "two"' "a stage that is not there" build --no-cache-filter twoo context
is "$(ran --no-cache-step 4)" "stage-2 4" "--no-cache-step: a number, of the stage that is built"
is "$(ran --no-cache-step two:3)" "two 3" "or of a named one"
is "$(ran --no-cache-step 'mount=.*/c/lines')" "two 3" "or what an expression finds"
is "$(ran --no-cache-step '^RUN cat /one')" "stage-2 4" "at the beginning of the instruction"
refused 2 '--no-cache-step' "a broken expression" build --no-cache-step 'a(' context
is "$(ran --no-cache-step 77)" "" "a number that no step has"
like err 'WARNING: --no-cache-step 77' "is warned about"
is "$(ran --fresh 1h)" "" "--fresh: what ran within the hour stays"
sleep 2
is "$(ran --fresh 1s)" "$all" "what is older runs"
epoch=SOURCE_DATE_EPOCH=1000000000
is "$(ran --fresh 1h --build-arg $epoch)" "$all" "another epoch runs all once"
is "$(ran --fresh 1h --build-arg $epoch)" "" "and does not make it old"
refused 2 '--fresh often' "a time that is none" build --fresh often context
cat >>context/Dockerfile <<'E'
RUN --mount=type=cache,target=/c [ "$(grep -c kept /c/lines)" -gt 4 ]
E
builds "cache mounts keep what they hold" --build-context "base=oci-layout://$T/base:latest" context
done_testing
