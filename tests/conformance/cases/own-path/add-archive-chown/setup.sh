set -e
python3 - <<'PY'
import tarfile, io
t = tarfile.open("a.tar", "w", format=tarfile.PAX_FORMAT)
def add(name, typ=tarfile.REGTYPE, data=b"", m=0o644, uid=0, gid=0, link="", mt=1234567890):
    i = tarfile.TarInfo(name); i.type = typ; i.mode = m; i.uid = uid; i.gid = gid; i.mtime = mt
    i.linkname = link; i.size = len(data)
    t.addfile(i, io.BytesIO(data))
D, L, H = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
add("d", D, m=0o750, uid=1, gid=2)
add("d/f", data=b"f\n", uid=1, gid=2)
add("implied/g", data=b"g\n", m=0o4755)
t.close()
PY
