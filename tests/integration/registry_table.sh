#!/bin/sh
# Everything a registry can do wrong, as a table: tests/lib/registry_cases.py. The first argument is a regular expression for names.
. "$(dirname "$0")/../lib/common.sh"

need python3 openssl
python3 "$TESTS/lib/random_layout.py" "$T/layout" 20000 3000
mkdir "$T/work"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost \
  -keyout "$T/work/key" -out "$T/work/cert" 2>/dev/null
python3 "$TESTS/integration/registry_table.py" "$NACRE" "$T/work" "$T/layout" "$@"
