# shellcheck shell=sh
# git would not keep half of this
mkdir -p build/out sub/build node_modules/a packages/web/node_modules/kept/lib packages/web/node_modules/left packages/api/node_modules/x \
  docs/img secrets/keys tests/unit/fixtures/big tests/e2e/deep/fixtures tests/unit/spec .hidden empty/dir spaced
for file in app.log sub/app.log a.tmp sub/deep.tmp build/out/bin sub/build/kept node_modules/a/index.js \
  packages/web/node_modules/kept/lib/i.js packages/web/node_modules/left/i.js packages/api/node_modules/x/i.js packages/api/main.js \
  docs/index.md docs/draft-1.md docs/page.html docs/img/a.png secrets/keys/id secrets/README secrets/other \
  tests/unit/fixtures/big/data tests/e2e/deep/fixtures/data tests/unit/spec/a.js a.o ab.o x.txt w.txt .hidden/file main.js spaced/f; do
  mkdir -p "$(dirname "$file")"
  echo "$file" >"$file"
done
chmod 600 main.js
chmod 750 .hidden
