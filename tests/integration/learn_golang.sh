#!/bin/sh
# The second: a toolchain from apt, a source file copied in, run from source. Editing the file runs only the COPY again.
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
need skopeo umoci jq curl
debian_registry
port=$(free_port)

mkdir context
cat >context/Dockerfile <<EOF
FROM $REGISTRY/debian
RUN apt update
RUN apt install -y golang
WORKDIR /here
COPY ./server.go ./server.go
CMD ["go", "run", "server.go"]
EOF
server() {
  cat >context/server.go <<EOF
package main

import (
	"fmt"
	"net/http"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "$1") })
	panic(http.ListenAndServe("127.0.0.1:$port", nil))
}
EOF
}

# page WORD: the image serves it
page() {
  "$NACRE" run --rm server >"$T/run.log" 2>&1 &
  run_pid=$!
  wait_for 90 curl -sf "http://127.0.0.1:$port/"
  is "$(curl -s "http://127.0.0.1:$port/")" "$1" "a page over loopback: $1" || diag_file "$T/run.log"
  kill -TERM "$run_pid"
  wait "$run_pid"
}

server "first page"
builds "the image builds" -t server -o "oci:$T/one:server" context || bail "nothing to run"
judge "$T/one" server
page "first page"

server "second page"
started=$(date +%s)
builds "after editing server.go it builds again" -t server -o "oci:$T/two:server" context
diag "rebuild: $(($(date +%s) - started)) s"
is "$(layers_of "$T/two" server | wc -l)" "$(layers_of "$T/one" server | wc -l)" "as many layers"
layers_of "$T/one" server | sed '$d' >one.layers
layers_of "$T/two" server | sed '$d' >two.layers
same one.layers two.layers "all layers but the last are the same: only the COPY ran"
isnt "$(layers_of "$T/two" server | tail -n 1)" "$(layers_of "$T/one" server | tail -n 1)" "the last layer is new"
is "$(cached_steps)" 3 "RUN, RUN and WORKDIR are shown as CACHED"
page "second page"
done_testing
