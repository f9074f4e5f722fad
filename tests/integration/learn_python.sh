#!/bin/sh
# The third: requirements first, then an install step, then the rest. Changing main.py keeps the install step.
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
need skopeo umoci jq
debian_registry

# A package index on loopback with one wheel.
port=$(free_port)
mkdir -p index/greeting
python3 - "$T/index/greeting/greeting-1.0-py3-none-any.whl" <<'EOF'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as z:
    z.writestr("greeting.py", "def greet(name):\n    return 'Hello, %s' % name\n")
    z.writestr("greeting-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
    z.writestr("greeting-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    z.writestr("greeting-1.0.dist-info/RECORD", "greeting.py,,\ngreeting-1.0.dist-info/METADATA,,\n"
               "greeting-1.0.dist-info/WHEEL,,\ngreeting-1.0.dist-info/RECORD,,\n")
EOF
echo '<a href="greeting-1.0-py3-none-any.whl">greeting-1.0-py3-none-any.whl</a>' >index/greeting/index.html
python3 -m http.server --bind 127.0.0.1 --directory "$T/index" "$port" >index.log 2>&1 &
at_end="$at_end $!"

mkdir context
cat >context/Dockerfile <<EOF
FROM $REGISTRY/debian
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-pip
WORKDIR /app
COPY requirements.txt .
RUN python3 -m pip install --break-system-packages --index-url http://127.0.0.1:$port/ -r requirements.txt
COPY . .
CMD ["python3", "main.py"]
EOF
echo 'greeting==1.0' >context/requirements.txt
echo 'import greeting; print(greeting.greet("first"))' >context/main.py

builds "the image builds" -t app -o "oci:$T/one:app" context || bail "nothing to run"
judge "$T/one" app
nacre run --rm app
is "$(cat out)" "Hello, first" "it runs"

echo 'import greeting; print(greeting.greet("second"))' >context/main.py
fetched=$(grep -c 'GET' index.log)
builds "after changing main.py it builds again" -t app -o "oci:$T/two:app" context
is "$(cached_steps)" 4 "RUN, WORKDIR, COPY and the install step are CACHED"
is "$(grep -c 'GET' index.log)" "$fetched" "pip did not run again"
layers_of "$T/one" app | sed '$d' >one.layers
layers_of "$T/two" app | sed '$d' >two.layers
same one.layers two.layers "only the last layer is new"
nacre run --rm app
is "$(cat out)" "Hello, second" "the new program runs"

echo 'greeting == 1.0' >context/requirements.txt
builds "after changing requirements.txt it builds again" -t app context
is "$(cached_steps)" 2 "the install step ran, apt and WORKDIR did not"

nacre history app
is "$status" 0 "nacre history"
nacre history --format json
check "history is JSON" jq -e . "$T/out"
cp "$T/out" history.json
# One intermediate image per instruction: each can be run.
jq -r '.[] | .image // empty' history.json | sort -u >images
is "$(wc -l <images)" 6 "history shows one intermediate image per instruction"
worked=0
while read -r id; do
  nacre run --rm "$id" true && worked=$((worked + 1))
done <images
is "$worked" 6 "each intermediate image runs"
done_testing
