#!/bin/sh
# A long Dockerfile costs what its steps cost: 60 COPYs and a RUN on top of all their layers.
. "$(dirname "$0")/../lib/common.sh"
need busybox

mkdir context
cp "$(command -v busybox)" context/busybox
{
  echo 'FROM scratch'
  echo 'COPY busybox /bin/busybox'
} >context/Dockerfile
i=0
while [ $i -lt 60 ]; do
  echo $i >context/f$i
  echo "COPY f$i /d/" >>context/Dockerfile
  i=$((i + 1))
done
echo 'RUN ["/bin/busybox", "sh", "-c", "/bin/busybox ls /d | /bin/busybox wc -l > /count"]' >>context/Dockerfile

started=$(date +%s)
builds "it builds" -t many context || bail "nothing to compare"
check "in less than a minute" [ $(($(date +%s) - started)) -lt 60 ]
nacre run many /bin/busybox cat /count
is "$(cat "$T/out")" 60 "the RUN saw every layer"
builds "it builds again" -t many context
is "$(cached_steps)" 62 "and runs nothing"
done_testing
