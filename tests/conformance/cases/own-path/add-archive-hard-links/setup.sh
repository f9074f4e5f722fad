set -e
python3 - <<'PY'
import tarfile, io
t = tarfile.open("a.tar", "w", format=tarfile.PAX_FORMAT)
def add(name, typ=tarfile.REGTYPE, data=b"", m=0o644, uid=0, gid=0, link="", mt=1234567890):
    i = tarfile.TarInfo(name); i.type = typ; i.mode = m; i.uid = uid; i.gid = gid; i.mtime = mt
    i.linkname = link; i.size = len(data)
    t.addfile(i, io.BytesIO(data))
D, L, H = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
add("a", data=b"a\n", m=0o644, uid=1, gid=1)
add("b", H, link="a", m=0o4750, uid=2, gid=3, mt=1300000000)
add("linked", H, link="old", m=0o640, uid=7, gid=8, mt=1310000000)
add("s", L, link="a", m=0o777, uid=4, gid=4)
add("t", H, link="s", m=0o777, uid=5, gid=6)
t.close()
PY
