#!/bin/sh
# The first Dockerfile people learn from: a server installed with apt. It must start and answer.
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tests/lib/judge.sh
. "$TESTS/lib/judge.sh"
need skopeo umoci jq
debian_registry

mkdir context
cat >context/Dockerfile <<EOF
FROM $REGISTRY/debian
RUN apt-get update && apt-get install -y redis-server
CMD ["redis-server"]
EOF

builds "the image builds" -t redis -o "oci:$T/layout:redis" context || bail "nothing to run"
first=$digest
judge "$T/layout" redis
is "$(layers_of "$T/layout" redis | wc -l)" 2 "the base and one layer"
is "$(jq -c .config.Cmd "$(config_of "$T/layout" redis)")" '["redis-server"]' "its command"

# redis speaks a line protocol: PING gives +PONG.
ping_redis() {
  python3 - "$1" <<'EOF'
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2) as s:
    s.sendall(b"PING\r\n")
    sys.exit(s.recv(64) != b"+PONG\r\n")
EOF
}

port=6379
if ! port_is_free $port; then
  port=$(free_port)
  diag "port 6379 is taken on this machine, using $port"
  set -- redis-server --port "$port"
fi
"$NACRE" run --rm redis "$@" >"$T/run.log" 2>&1 &
run_pid=$!
if wait_for 20 ping_redis "$port"; then
  ok "the server answers PING"
else
  not_ok "the server answers PING"
  diag_file "$T/run.log"
fi
kill -TERM "$run_pid"
wait "$run_pid"
is "$?" 0 "the server ends on SIGTERM and its status is passed on"
check "the server is gone" eval '! ping_redis "$port"'

builds "it builds again" -t redis context
is "$digest" "$first" "from the cache, the same image"
done_testing
