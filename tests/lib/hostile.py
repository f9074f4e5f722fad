#!/usr/bin/env python3
"""Make what an attacker would hand to a builder; CANARY is a directory outside every root that must stay as it is.

    hostile.py all CANARY PROGRAM DIR         DIR/NAME.tar per attack, and the layout DIR/NAME: a busybox image with the same as upper layers
    hostile.py config JSON PROGRAM LAYOUT     a busybox image whose config has these members
"""
import gzip, hashlib, io, json, os, sys, tarfile

from image import ARCHITECTURES, CREATED, EPOCH, PATH, busybox_tar

DIR, FILE, LINK, HARD, FIFO = tarfile.DIRTYPE, tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE


def archives(canary):
    """Per name a list of archives, each a list of (name, type, link target or content, mode)."""
    up = "../" * 12
    out = canary.lstrip("/")
    pwned = ("f", FILE, "pwned", 0o4777)
    named = lambda name, entry=pwned: (name,) + entry[1:]
    link, relative = ("d", LINK, canary, 0o777), ("d", LINK, up + out, 0o777)
    return {
        "dotdot": [[named(up + out + "/new")]],
        "dotdot-inside": [[named("a/../../" + out + "/new")]],
        "only-dotdot": [[("..", DIR, "", 0o777)]],
        "absolute": [[named(canary + "/new"), named("/" + canary + "/file")]],
        "newline": [[named("a\n../../x")]],
        "long-name": [[named("n/" * 4000 + "x")]],
        "link-ancestor": [[link, named("d/new"), named("d/file"), ("d/sub", DIR, "", 0o777), named("d/sub/f")]],
        "relative-link-ancestor": [[relative, named("d/new"), named("d/dir/new")]],
        "link-ancestor-layers": [[link], [named("d/new"), named("d/dir/new")]],
        "whiteout-through-link": [[link], [("d/.wh.file", FILE, "", 0o644), ("d/.wh..wh..opq", FILE, "", 0o644)]],
        "whiteout-names": [[(".wh.", FILE, "", 0o644)], [(".wh...", FILE, "", 0o644)], [(".wh..", FILE, "", 0o644)]],
        "hardlink-out": [[("h", HARD, canary + "/file", 0o644)]],
        "hardlink-dotdot": [[("h", HARD, up + out + "/file", 0o644)]],
        "hardlink-through-link": [[link, ("h", HARD, "d/file", 0o4777)]],
        "hardlink-to-link": [[("l", LINK, canary + "/file", 0o777), ("h", HARD, "l", 0o4777), named("h")]],
        "hardlink-to-self": [[("h", HARD, "h", 0o644)]],
        "hardlink-to-directory": [[("d", DIR, "", 0o755), ("h", HARD, "d", 0o644)]],
        "metadata-through-link": [[("l", LINK, canary + "/file", 0o4777), ("l", FIFO, "", 0o4777), ("l", LINK, canary, 0), ("l/", DIR, "", 0o4777)]],
        "root-is-link": [[(".", LINK, canary, 0o777), named("new")]],
        "root-is-file": [[("./", FILE, "x", 0o644), ("/", FIFO, "", 0o644)]],
        "late-times": [[("d", DIR, "", 0o700), named("d/x"), link]],
        "directory-again": [[("d", DIR, "", 0o755), named("d/old"), ("d", FILE, "x", 0o644), ("d", DIR, "", 0o755), named("d/old")]],
    }


def tar_of(entries):
    data = io.BytesIO()
    tar = tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT)
    for name, kind, text, mode in entries:
        t = tarfile.TarInfo(name)
        t.type, t.mode, t.mtime = kind, mode, EPOCH
        if kind == FILE:
            t.size = len(text)
        else:
            t.linkname = text
        tar.addfile(t, io.BytesIO(text.encode()) if kind == FILE else None)
    tar.close()
    return data.getvalue()


def write_layout(layout, tars, extra):
    blobs = os.path.join(layout, "blobs", "sha256")
    os.makedirs(blobs, exist_ok=True)

    def put(data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as f:
            f.write(data)
        return {"mediaType": "application/vnd.oci.image." + media_type, "digest": "sha256:" + digest, "size": len(data)}

    def document(value, media_type):
        return put(json.dumps(value, sort_keys=True).encode(), media_type)

    machine = os.uname().machine
    layers = [put(gzip.compress(t, compresslevel=1, mtime=0), "layer.v1.tar+gzip") for t in tars]
    config = {"created": CREATED, "os": "linux", "architecture": ARCHITECTURES.get(machine, machine), "config": {"Env": [PATH]},
              "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(t).hexdigest() for t in tars]}}
    config.update(extra)
    manifest = document({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                         "config": document(config, "config.v1+json"), "layers": layers}, "manifest.v1+json")
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    with open(os.path.join(layout, "index.json"), "w") as f:
        json.dump({"schemaVersion": 2, "manifests": [manifest]}, f)
    with open(os.path.join(layout, "oci-layout"), "w") as f:
        f.write('{"imageLayoutVersion":"1.0.0"}')


def main():
    what, rest = sys.argv[1], sys.argv[2:]
    if what == "all":
        canary, program, target = rest
        base = busybox_tar(program)
        for name, tars in archives(canary).items():
            write_layout(os.path.join(target, name), [base] + [tar_of(t) for t in tars], {})
            with open(os.path.join(target, name + ".tar"), "wb") as f:
                f.write(tar_of(sum(tars, [])))
    else:
        members, program, layout = rest
        write_layout(layout, [busybox_tar(program)], json.loads(members))


if __name__ == "__main__":
    main()
