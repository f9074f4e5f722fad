#!/usr/bin/env python3
"""Make small OCI image layouts for the tests; equal input gives equal bytes.

    image.py busybox PROGRAM LAYOUT    a root file system around a static busybox, with a few users; tag latest
    image.py tar FILE LAYOUT           one layer from a tar file; tag latest
"""
import gzip, hashlib, io, json, os, subprocess, sys, tarfile

EPOCH = 1600000000
CREATED = "2020-09-13T12:26:40Z"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSWD = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"
GROUP = "root:x:0:\nstaff:x:50:app\napp:x:1000:\nnogroup:x:65534:\n"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


def busybox_tar(program):
    out = io.BytesIO()
    tar = tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT)

    def add(name, kind, mode, data=b"", link="", uid=0, gid=0):
        t = tarfile.TarInfo(name)
        t.type, t.mode, t.size, t.linkname, t.uid, t.gid, t.mtime = kind, mode, len(data), link, uid, gid, EPOCH
        tar.addfile(t, io.BytesIO(data))

    for name in "bin dev etc home proc root run srv sys tmp usr usr/bin usr/sbin var var/tmp".split():
        add(name, tarfile.DIRTYPE, {"root": 0o700, "tmp": 0o1777, "var/tmp": 0o1777}.get(name, 0o755))
    add("home/app", tarfile.DIRTYPE, 0o750, uid=1000, gid=1000)
    add("etc/passwd", tarfile.REGTYPE, 0o644, PASSWD.encode())
    add("etc/group", tarfile.REGTYPE, 0o644, GROUP.encode())
    with open(program, "rb") as f:
        add("bin/busybox", tarfile.REGTYPE, 0o755, f.read())
    applets = subprocess.run([program, "--list"], stdout=subprocess.PIPE, check=True).stdout.decode().split()
    for name in sorted(set(applets) - {"busybox"}):
        add("bin/" + name, tarfile.SYMTYPE, 0o777, link="busybox")
    tar.close()
    return out.getvalue()


def write_layout(layout, tar, config):
    blobs = os.path.join(layout, "blobs", "sha256")
    os.makedirs(blobs, exist_ok=True)

    def put(data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as f:
            f.write(data)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

    def document(value, media_type):
        return put(json.dumps(value, sort_keys=True, separators=(",", ":")).encode(), media_type)

    machine = os.uname().machine
    layer = put(gzip.compress(tar, compresslevel=1, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip")
    image = document({
        "created": CREATED, "os": "linux", "architecture": ARCHITECTURES.get(machine, machine), "config": config,
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]},
        "history": [{"created": CREATED, "created_by": "tests/lib/image.py"}],
    }, "application/vnd.oci.image.config.v1+json")
    manifest = document({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                         "config": image, "layers": [layer]}, "application/vnd.oci.image.manifest.v1+json")
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    with open(os.path.join(layout, "index.json"), "w") as f:
        json.dump({"schemaVersion": 2, "manifests": [manifest]}, f)
    with open(os.path.join(layout, "oci-layout"), "w") as f:
        f.write('{"imageLayoutVersion":"1.0.0"}')


def main():
    kind, source, layout = sys.argv[1:]
    if kind == "busybox":
        write_layout(layout, busybox_tar(source), {"Env": [PATH], "Cmd": ["sh"]})
    else:
        with open(source, "rb") as f:
            write_layout(layout, f.read(), {"Env": [PATH], "Cmd": ["bash"]})


if __name__ == "__main__":
    main()
