#!/bin/sh
# --cache-max while a build runs: old cache goes before what is new is written.
. "$(dirname "$0")/../lib/common.sh"
need busybox strace python3 curl
MB=1000000
TOLERANCE=$MB # directories, documents and records are not asked about one by one

# random FILE MEGABYTES
random() { head -c $(($2 * MB)) /dev/urandom >"$1"; }

# How many bytes the store has. What goes away while du looks is no error.
size() { du -sb "$STORE" 2>/dev/null | cut -f1; }

# begin_watch, end_watch: $peak is the most that the store had in between
begin_watch() {
  size >"$T/sizes"
  (while :; do size >>"$T/sizes"; done) &
  watch=$!
  at_end="$at_end $watch"
}
end_watch() {
  kill $watch
  wait $watch 2>/dev/null
  size >>"$T/sizes"
  # A file that is renamed while du looks is counted twice; hardly in two looks one after the other.
  peak=$(awk 'NR > 1 { low = $1 < last ? $1 : last; if (low > peak) peak = low } { last = $1 } END { printf "%d", peak }' "$T/sizes")
  diag "the store had $peak bytes at most, the limit was ${limit:-none}"
}

mkdir context
cp "$(command -v busybox)" context/busybox
cat >context/base <<'END'
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "mkdir", "/made"]
END

# old: four builds of 12 MB each: a layer and its tree
old() {
  for n in 1 2 3 4; do
    random context/data 6
    printf 'FROM app\nCOPY data /data\nRUN ["/bin/busybox", "touch", "/%s"]\n' $n >context/old
    builds "old cache $n" -f context/old context
  done
}

builds "a base with a name" -t app -f context/base context || bail "nothing to look at"
old
for n in 1 2 3; do random context/new$n 6; done
cat >context/copies <<'END'
FROM app
COPY new1 /
COPY new2 /
COPY new3 /
RUN ["/bin/busybox", "sha256sum", "/new1", "/new2", "/new3"]
END
limit=$(($(size) + 2 * MB))
begin_watch
builds "it builds below a limit that the store has almost reached" --cache-max $limit -t copies -f context/copies context
end_watch
check "old cache goes before files are copied" [ "$peak" -le $((limit + TOLERANCE)) ]
check "which is said" grep -q 'dropped .* of cache: --cache-max is' err
unlike err 'after all that can be dropped' "and nobody is warned"
nacre run copies /bin/busybox sha256sum /new1 /new2 /new3
sed 's,/,,' out >got
(cd context && sha256sum new1 new2 new3) >wanted
same wanted got "the image is right"
builds "once more" --cache-max $limit -t copies -f context/copies context
is "$(cached_steps)" 4 "afterwards it is all cached"

# What a command writes is known when it has ended; the next one runs while that is packed, and waits here until it is.
old
limit=$(($(size) + 3 * MB))
cat >context/runs <<'END'
FROM app
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox dd if=/dev/urandom of=/a bs=1000000 count=6"]
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox sleep 4; /bin/busybox dd if=/dev/urandom of=/b bs=1000000 count=6"]
END
begin_watch
builds "commands that write" --cache-max $limit -t runs -f context/runs context
end_watch
check "cost no more than what one of them writes" [ "$peak" -le $((limit + 6 * MB + TOLERANCE)) ]
nacre run runs /bin/busybox du /a /b
is "$status $(wc -l <out)" "0 2" "the image is right"

# A base image that is fetched and unpacked.
builds "a base elsewhere" -o "oci:$T/layout:latest" --compression gzip -f context/copies context
nacre rmi copies
nacre rmi runs
nacre prune --all
old
limit=$(($(size) + 2 * MB))
printf 'FROM big\nRUN ["/bin/busybox", "test", "-s", "/new3"]\n' >context/based
begin_watch
builds "it is copied and unpacked" --cache-max $limit --build-context "big=oci-layout://$T/layout:latest" -f context/based context
end_watch
check "after old cache went" [ "$peak" -le $((limit + TOLERANCE)) ]

# A file of a server, which says how long it is.
mkdir www
random www/file 12
http_port=$(free_port)
python3 -m http.server -b 127.0.0.1 -d www "$http_port" >http.log 2>&1 &
at_end="$at_end $!"
wait_for 10 curl -s -o /dev/null "http://127.0.0.1:$http_port/" || bail "the HTTP server does not start"
nacre prune --all
old
limit=$(($(size) + 2 * MB))
printf 'FROM scratch\nADD http://127.0.0.1:%s/file /\n' "$http_port" >context/added
begin_watch
builds "a file is fetched and packed" --cache-max $limit -f context/added context
end_watch
check "after old cache went" [ "$peak" -le $((limit + TOLERANCE)) ]

# A build that needs more than the limit.
nacre prune --all
begin_watch
builds "it builds though the limit is too little" --cache-max 20000000 -t copies -f context/copies context
end_watch
check "beyond the limit" [ "$peak" -gt $((25 * MB)) ]
is "$(grep -c 'warning: the store needs .* for this build after all that can be dropped, --cache-max is 20.0 MB' err)" 1 "which is said once"
nacre run copies /bin/busybox sha256sum /new1 /new2 /new3
sed 's,/,,' out >got
same wanted got "the image is right"
nacre rmi copies

# A look at all of the store is not taken at each step.
nacre prune --all
i=0
echo 'FROM app' >context/many
while [ $i -lt 12 ]; do
  i=$((i + 1))
  echo "COPY old /$i" >>context/many
done
looks() { grep -c 'PR_SET_NAME, "nacre-prune"' calls; }
strace -f -qq -e trace=openat,prctl -o calls "$NACRE" build --cache-max 1GB -f context/many context >out 2>err
check "every step asks for room" [ "$(grep -c '"lock/room"' calls)" -ge 12 ]
is "$(looks)" 2 "and one look at the store is enough, before the one at the end"
strace -f -qq -e trace=openat,prctl -o calls "$NACRE" build --no-cache -f context/many context >out 2>err
is "$(grep -c '"lock/room"' calls) $(looks)" "0 0" "without a limit nobody asks"

# Two at once.
old
for n in 1 2; do
  random context/one 6
  random context/two 6
  rm -rf context$n
  mkdir context$n
  mv context/one context/two context$n
  printf 'FROM app\nCOPY one /\nCOPY two /\nRUN ["/bin/busybox", "sha256sum", "/one", "/two"]\n' >context$n/Dockerfile
done
limit=$(($(size) + 4 * MB))
begin_watch
"$NACRE" build --cache-max $limit -t first context1 >first.log 2>&1 &
first=$!
"$NACRE" build --cache-max $limit -t second context2 >second.log 2>&1
is "$?" 0 "one of two builds at once" || diag_file second.log
wait $first
is "$?" 0 "and the other" || diag_file first.log
end_watch
cat first.log second.log >both
unlike both 'after all that can be dropped' "both fit"
check "below the limit together" [ "$peak" -le $((limit + TOLERANCE)) ]
for name in first second; do
  nacre run $name /bin/busybox sha256sum /one /two
  sed 's,/,,' out
done >got
for n in 1 2; do (cd context$n && sha256sum one two); done >wanted
same wanted got "both images are right"
done_testing
