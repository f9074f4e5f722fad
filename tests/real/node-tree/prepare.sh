# shellcheck shell=sh
# Nested modules, scoped ones, links to programs
n=0
while [ $n -lt 150 ]; do
  dir=vendor/mod-$n
  [ $((n % 10)) != 0 ] || dir=vendor/@scope/mod-$n
  mkdir -p "$dir/lib" "$dir/test" "$dir/node_modules/inner-$n"
  echo "module.exports = $n" >"$dir/index.js"
  echo "exports.n = $n" >"$dir/lib/n.js"
  echo "test" >"$dir/test/t.js"
  echo "# mod $n" >"$dir/README.md"
  echo "{\"name\": \"mod-$n\"}" >"$dir/package.json"
  echo "inner" >"$dir/node_modules/inner-$n/index.js"
  n=$((n + 1))
done
mkdir vendor/.bin
for n in 1 2 3; do
  echo '#!/usr/bin/env node' >"vendor/mod-$n/cli.js"
  chmod 755 "vendor/mod-$n/cli.js"
  ln -s "../mod-$n/cli.js" "vendor/.bin/mod-$n"
done
