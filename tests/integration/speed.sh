#!/bin/sh
# What costs more than it did, where that does not depend on the machine: memory, and calls of the kernel. That every row of the
# table of goals (tests/bench.sh) has a figure; whether the figures are good ones is judged at full size, by hand.
. "$(dirname "$0")/../lib/common.sh"
need busybox python3 strace zstd openssl taskset
busybox_registry

# ---- all workloads, in small

# Two processors, as more threads need more memory.
two=$(python3 -c 'import os; print(*sorted(os.sched_getaffinity(0))[:2], sep=",")')
PYTHONDONTWRITEBYTECODE=1 TMPDIR=$T taskset -c "$two" python3 "$TESTS/bench/table.py" --quick --nacre "$NACRE" --work "$T/bench" >table 2>bench.err
is "$?" 0 "every workload runs, and in at most 64 MiB" || {
  diag_file table 40
  diag_file bench.err
}
for row in 'start-up, version' 'noop, cached' 'scale, 1000 files' 'run-overhead, no cache, per RUN' 'copy-large, zstd' \
  'copy-large, gzip' 'copy-many, zstd' 'copy-many, gzip' 'incremental, 1 changed' 'parallel, default flags' 'base-cold, cold' \
  'base-cold-norun, cold' 'many-layers, no cache' 'many-layers, cached' 'growth, 1000 files, per file' \
  'growth, 12 layers, per layer' 'growth, 16 MiB, per GiB'; do
  like table "^\| $row +\| [^|]+ \| [0-9.]+ (µs|ms|s) \([0-9.]+ (µs|ms|s)\) +\|.*\| [0-9]+ +\|.*\| (ok|-) +\|$" "figures of $row"
done

# ---- calls

# context FILES: the 12 instructions of a common Dockerfile
context() {
  mkdir -p context/src
  i=0
  while [ $i -lt "$1" ]; do
    : >"context/src/f$i"
    i=$((i + 1))
  done
  echo '{}' >context/package.json
  dockerfile <<'END'
FROM BASE
ENV MODE=production
WORKDIR /app
RUN mkdir -p /var/cache/app
COPY package.json .
RUN echo install > installed
COPY src src
RUN echo build > built
ENV PORT=8080
EXPOSE 8080
LABEL stage=final
CMD ["sh"]
END
}

# traced FILES: a cached build of so many files; its calls are in $all
traced() {
  context "$1"
  builds "$1 files" context
  builds "again, so that what is known of them is written down" context
  check "cached, under strace" strace -f -c -o summary "$NACRE" build context
  all=$(awk '$NF == "total" { print $4 }' summary)
  diag "$all calls for $1 files"
  tail -n +3 summary | sort -rn -k 4 | head -n 8 >most
}

traced 10
few=$all
check "a cached build of 12 instructions makes at most 1000 calls" [ "${few:-9999}" -le 1000 ] || diag_file most
unlike summary ' (clone|clone3|fork|vfork|unshare|setns|mount|socket|connect)$' "and starts no process, no namespace and no connection" ||
  diag_file summary 40
traced 310
check "a file more costs at most two" [ $((all - few)) -le 600 ] || diag_file most
done_testing
