# shellcheck shell=sh
mkdir -p include out .git/objects
for m in 1 2 3 4 5 6 7 8 9 10 11 12; do
  mkdir "module-$m"
  echo "int m$m(void);" >"include/module-$m.h"
  for f in a b c d e f g h; do
    echo "int m$m$f;" >"module-$m/$f.c"
    echo object >"module-$m/$f.o"
    echo out >"out/$m$f"
  done
  echo 'int test;' >"module-$m/m_test.c"
  echo tmp >"module-$m/tmp-left"
  echo tmp >"module-$m/tmp-kept"
  echo object >".git/objects/$m"
done
