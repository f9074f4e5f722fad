set -e
python3 - <<'PY'
import tarfile, io
t = tarfile.open("a.tar", "w", format=tarfile.PAX_FORMAT)
def add(name, typ=tarfile.REGTYPE, data=b"", m=0o644, uid=0, gid=0, link="", mt=1234567890):
    i = tarfile.TarInfo(name); i.type = typ; i.mode = m; i.uid = uid; i.gid = gid; i.mtime = mt
    i.linkname = link; i.size = len(data)
    t.addfile(i, io.BytesIO(data))
D, L, H = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
add("dir", data=b"now a file\n")
add("file", D, m=0o711)
add("file/in", data=b"i\n")
add("link", D, m=0o755)
add("link/n", data=b"n\n")
add("real", D, m=0o700)
t.close()
PY
