#!/bin/sh
# Nothing in an image, archive, context or Dockerfile makes the builder act outside the root it was given. Every attack is tried for real;
# what counts is that a directory outside stays exactly as it is, and that the program ends by itself with a status of its own.
. "$(dirname "$0")/../lib/common.sh"
need python3 busybox
busybox=$(command -v busybox)
hostile() { PYTHONDONTWRITEBYTECODE=1 python3 "$TESTS/lib/hostile.py" "$@"; }

# ---- the canary

canary=$T/canary
mkdir -p "$canary/dir/below" "$T/ctx"
echo "do not touch" >"$canary/file"
echo "nor this" >"$canary/dir/below/file"
chmod 640 "$canary/file"
mkfifo "$canary/fifo"
canary_state() {
  find "$canary" -printf '%P %y %m %U %G %s %T@ %n %i %l\n' | sort
  find "$canary" -type f -exec sha256sum {} + | sort
}
canary_state >canary.before

# unharmed DESCRIPTION: the last `nacre` ended by itself, and the canary is as it was
unharmed() {
  canary_state >canary.after
  if [ "$status" -le 13 ] && cmp -s canary.before canary.after && ! grep -Eq 'worker process \([^)]*\) (was killed|ended)|Sanitizer|runtime error' err; then
    ok "$1"
  else
    not_ok "$1"
    diag "exit status $status"
    diff canary.before canary.after | sed 's/^/#   /'
    diag_file err
  fi
}

# ---- archives and layers (T-A1 to T-A6, T-A12)

hostile all "$canary" "$busybox" attacks
for name in attacks/*.tar; do
  name=$(basename "$name" .tar)
  cp "attacks/$name.tar" ctx/x.tar
  printf 'FROM scratch\nADD x.tar /in/\n' >ctx/Dockerfile
  nacre build ctx
  unharmed "$name: ADD of the archive"
  printf 'FROM scratch\nCOPY . /in/\n' >ctx/Dockerfile
  tar -C ctx -rf ctx/x.tar Dockerfile 2>tar.log
  "$NACRE" build - <ctx/x.tar >out 2>err
  status=$?
  unharmed "$name: the archive as context"
  rm ctx/x.tar
  printf 'FROM base\nRUN ls / >/dev/null; echo >/d/new; echo >/h; rm -rf /d/* /l\nCOPY Dockerfile /d/new\nWORKDIR /d/dir\n' >ctx/Dockerfile
  nacre build --build-context base="oci-layout://$T/attacks/$name" ctx
  unharmed "$name: as layers, with RUN, COPY and WORKDIR above them"
done

# ---- links of a base image at every place an instruction writes to (T-C7, T-E4)

base="--build-context base=oci-layout://$T/attacks/link-ancestor"
rm -rf ctx && mkdir ctx && echo new >ctx/f && tar -C ctx -cf ctx/a.tar f
# shellcheck disable=SC2086
instruction() {
  printf 'FROM base\n%s\n' "$1" >ctx/Dockerfile
  nacre build $base ctx
  unharmed "/d is a link out: $(echo "$1" | head -n 1)"
}
instruction 'COPY f /d/
COPY f /d/../../new
COPY --link f /d/newer
ADD a.tar /d/dir/
WORKDIR /d/somewhere/else
VOLUME /d/new
RUN --mount=type=cache,target=/d/cache touch /d/cache/x
RUN --mount=type=tmpfs,target=/d/dir touch /d/dir/x
RUN --mount=type=bind,target=/d/bind ls /d/bind'
is "$status" 0 "links of an image are followed inside it"
instruction 'RUN --mount=type=bind,from=base,source=/d/file,target=/m cat /m'
instruction 'RUN --mount=type=bind,from=base,source=/../../../../etc,target=/m,rw touch /m/x'
instruction 'RUN --mount=type=cache,target=/c/below rm -rf /c; ln -s /d /c'
instruction 'RUN --mount=type=cache,id=../../../canary,target=/c touch /c/x'
instruction 'COPY --from=base /d/file /x'
instruction 'USER ../../d
RUN true'
for target in / .. /proc /proc/self/fd /sys /dev; do
  instruction "RUN --mount=type=tmpfs,target=$target true"
  is "$status" 4 "nothing is mounted on $target"
done

# ---- links of a context (T-E1, T-E2, T-C1)

ln -s "$canary" ctx/out
ln -s ../canary ctx/up
# shellcheck disable=SC2086
nothing_of_it() {
  printf 'FROM base\n%s\n' "$1" >ctx/Dockerfile
  nacre build $base -o oci:written ctx
  unharmed "links out of the context: $1"
  unlike err 'do not touch|nor this' "nothing of it is shown"
}
nothing_of_it 'COPY out/file /x'
nothing_of_it 'COPY up/file /x'
nothing_of_it 'COPY out* /x/'
nothing_of_it 'COPY --parents up/./file /x/'
nothing_of_it 'ADD up/dir /x/'
nothing_of_it 'RUN --mount=type=bind,source=up,target=/m cat /m/file'
nothing_of_it 'RUN --mount=type=bind,target=/m cat /m/up/file'
nothing_of_it 'RUN --mount=type=bind,target=/m,rw echo new >/m/f; rm -rf /m/out/'
is "$(cat ctx/f)" new "a writable bind mount leaves the context as it is"
ln -s "$canary/file" ctx/.dockerignore
nothing_of_it 'COPY f /x'
rm ctx/.dockerignore

# ---- what the host has that a command must not see (T-D2, T-D5)

rm -rf ctx/*
cat >ctx/Dockerfile <<'END'
FROM base
RUN ls /proc/self/fd | wc -l >/fds; cat /proc/1/environ >/environ 2>/dev/null; ls /proc/1/fd >>/environ 2>/dev/null; true
RUN --mount=type=secret,id=key,env=KEY --mount=type=secret,id=key,target=/key echo "$KEY" | md5sum >/sum; md5sum </key >>/sum
RUN md5sum /fds /sum
ENV AFTER=x
END
KEY_OUTSIDE=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export KEY_OUTSIDE
# shellcheck disable=SC2086
check "descriptors and secrets are given to RUN" "$NACRE" build $base -t seen --secret id=key,env=KEY_OUTSIDE ctx
is "$("$NACRE" run seen cat /fds)" 4 "a command has 0, 1 and 2 and no other descriptor" # and the one ls opens
is "$("$NACRE" run seen cat /environ)" '' "the process that makes a step shows neither its environment nor its descriptors"
key=$KEY_OUTSIDE
unset KEY_OUTSIDE
is "$(grep -rl "$key" "$STORE" 2>/dev/null; grep -c "$key" check.log)" 0 "a secret is nowhere in the store, and in no message"
for blob in "$STORE"/blobs/sha256/*; do zstdcat -qf "$blob" 2>/dev/null | grep -aq "$key" && echo "$blob"; done >leaks
is "$(cat leaks)" '' "nor in a layer"

# ---- what a terminal must not get (a hostile Dockerfile or image)

printf 'FROM scratch\nENV A=\033[31mred\nCOPY no\033]0;owned\007 /\n' >ctx/Dockerfile
nacre build ctx
escape=$(printf '\033')
unlike err "$escape" "no escape sequence of a Dockerfile is printed"

# ---- names (dependency confusion): stages are looked for before any registry is asked

hostile config '{"config": {"OnBuild": ["COPY --from=second /x /x", "RUN --mount=from=third,target=/m cat /m/x"]}}' "$busybox" onbuild
echo x >ctx/x
cat >ctx/Dockerfile <<'END'
FROM scratch AS first
COPY x /x
FROM first AS second
FROM first AS third
FROM base
END
builds "triggers of a base image find stages that nothing else needs" --build-context base="oci-layout://$T/onbuild" ctx

# ---- keys tell apart what differs

printf 'FROM base\nRUN printf "%%s" "\377" | md5sum\n' >ctx/Dockerfile
# shellcheck disable=SC2086
nacre build $base ctx
printf 'FROM base\nRUN printf "%%s" "\376" | md5sum\n' >ctx/Dockerfile
# shellcheck disable=SC2086
nacre build $base ctx
is "$(cached_steps)" 0 "bytes that are not UTF-8 count in a key"

# ---- locks of caches never stop a build

cat >ctx/Dockerfile <<'END'
FROM base AS one
RUN --mount=type=cache,id=a,sharing=locked,target=/a --mount=type=cache,id=b,sharing=locked,target=/b sleep 0.3; echo 1 >/one
FROM base AS two
RUN --mount=type=cache,id=b,sharing=locked,target=/b --mount=type=cache,id=a,sharing=locked,target=/a sleep 0.3; echo 2 >/two
FROM base
COPY --from=one /one /
COPY --from=two /two /
RUN --mount=type=cache,id=a,sharing=locked,target=/x --mount=type=cache,id=a,sharing=locked,target=/y touch /x/f; ls /y/f
END
for n in 1 2 3; do
  # shellcheck disable=SC2086
  timeout -s KILL 40 "$NACRE" build -q --no-cache $base ctx >"locks.$n" 2>&1 &
  eval "lock_$n=$!"
done
failures=0
# shellcheck disable=SC2154
for pid in $lock_1 $lock_2 $lock_3; do wait "$pid" || failures=$((failures + 1)); done
is "$failures" 0 "stages and builds that want the same locked caches, in any order, all end"

is "$(find "$STORE/tmp" "$STORE/trash" -mindepth 1 | wc -l)" 0 "nothing unfinished is left in the store"
done_testing
