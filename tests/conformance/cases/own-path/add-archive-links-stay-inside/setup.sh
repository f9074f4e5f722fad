set -e
python3 - <<'PY'
import tarfile, io
t = tarfile.open("a.tar", "w", format=tarfile.PAX_FORMAT)
def add(name, typ=tarfile.REGTYPE, data=b"", m=0o644, uid=0, gid=0, link="", mt=1234567890):
    i = tarfile.TarInfo(name); i.type = typ; i.mode = m; i.uid = uid; i.gid = gid; i.mtime = mt
    i.linkname = link; i.size = len(data)
    t.addfile(i, io.BytesIO(data))
D, L, H = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
add("sub", D, m=0o755)
add("abs", L, link="/sub", m=0o777)
add("abs/f", data=b"f\n")
add("old/g", data=b"g\n")
add("up/h", data=b"h\n")
add("old/new/i", data=b"i\n")
add("../outside", data=b"o\n")
add("sub/../../../side", data=b"s\n")
add("/root", data=b"r\n")
t.close()
PY
