# shellcheck shell=sh
mkdir -p conf links/real "dir with space/in side" hidden/.config deep/a/b/c over/etc over/flat over/links
for file in conf/main.conf conf/extra.conf conf/a1.ini conf/b2.ini conf/d4.ini conf/file-1.txt conf/file-2.txt conf/file-10.txt \
  links/real/f links/file "name with space.txt" "dir with space/in side/f" "dir with space/ä" hidden/.config/x hidden/.dot hidden/plain \
  deep/a/b/c/leaf.txt deep/a/b/other.txt over/etc/main.conf over/flat/leaf.txt; do
  echo "$file" >"$file"
done
ln -s file links/to-file
ln -s real links/to-dir
ln -s /etc/passwd links/absolute
ln -s nowhere links/dangling
ln -s ../conf/main.conf links/up
ln -s real over/links/to-dir2
chmod 755 conf/main.conf
chmod 4755 conf/a1.ini
chmod 2775 deep/a
chmod 1777 deep/a/b
chmod 400 over/etc/main.conf
