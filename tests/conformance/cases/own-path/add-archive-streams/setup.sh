set -e
mkdir dir
python3 - <<'PY'
import tarfile, io, gzip, bz2
def tar(names):
    b = io.BytesIO(); t = tarfile.open(fileobj=b, mode="w")
    for n in names:
        i = tarfile.TarInfo(n); i.size = 2; i.mtime = 1234567890
        t.addfile(i, io.BytesIO(b"x\n"))
    t.close(); return b.getvalue()
w = lambda n, d: open(n, "wb").write(d)
one = tar(["one", "other"])
w("two.gz", gzip.compress(one[:700], mtime=0) + gzip.compress(one[700:], mtime=0))
w("plain.txt", bz2.compress(tar(["bz"])))
w("tiny", b"t"); w("empty", b""); w("zero.gz", gzip.compress(b"", mtime=0))
w("a.tar", tar(["a", "same"])); w("b.tar", tar(["b", "same"])); w("dir/in.tar", tar(["in"]))
PY
