#!/usr/bin/env python3
"""compare.py finds one difference of each kind, no more, and a rule explains it.

README.md has all cases and all reasons.
"""
import hashlib, io, json, os, subprocess, sys, tarfile, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
OLD = 1600000000
FILE, DIR, HARD, LINK, CHAR = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE
TREE = [("d", DIR, b"", ""), ("d/file", FILE, b"text 10:00\n", ""), ("d/hard", HARD, b"", "d/file"),
        ("d/other", FILE, b"text 10:00\n", ""), ("d/link", LINK, b"", "file"), ("d/null", CHAR, b"", ""),
        ("gone", FILE, b"x", ""), ("opaque", DIR, b"", ""), ("opaque/old", FILE, b"x", "")]


class Entry(tarfile.TarInfo):
    data = b""


def layer(change):
    """A small tree; CHANGE(name, member) may alter an entry, or return False to leave it out."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, kind, data, link in TREE:
            m = Entry(name)
            m.type, m.data, m.linkname, m.mode, m.mtime = kind, data, link, 0o755, OLD
            if change(name, m) is not False:
                m.size = len(m.data)
                tar.addfile(m, io.BytesIO(m.data))
    return out.getvalue()


def whiteouts(names):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name))
    return out.getvalue()


def write_image(top, layers, config):
    """What `buildah push dir:` writes, and an OCI layout around the same files."""
    blobs = os.path.join(top, "blobs", "sha256")
    os.makedirs(blobs)

    def put(data):
        digest = hashlib.sha256(data).hexdigest()
        for path in os.path.join(blobs, digest), os.path.join(top, digest):
            with open(path, "wb") as f:
                f.write(data)
        return {"digest": "sha256:" + digest, "size": len(data)}

    described = [put(data) for data in layers]
    document = put(json.dumps({"config": config, "rootfs": {"diff_ids": [d["digest"] for d in described]}}).encode())
    manifest = json.dumps({"config": document, "layers": described}).encode()
    with open(os.path.join(top, "manifest.json"), "wb") as f:
        f.write(manifest)
    entry = dict(put(manifest), annotations={"org.opencontainers.image.ref.name": "x"})
    with open(os.path.join(top, "index.json"), "w") as f:
        json.dump({"manifests": [entry]}, f)


def compare(layers, config, rules):
    """The differences between a fixed image and this one, and the exit status."""
    with tempfile.TemporaryDirectory() as top:
        a, b, case = (os.path.join(top, name) for name in ("a", "b", "case.json"))
        write_image(a, [layer(lambda *_: True)], {"Env": ["A=1"], "Labels": {"l": "1"}})
        write_image(b, layers, config)
        with open(case, "w") as f:
            json.dump({"kind": "test", "explain": rules}, f)
        command = [sys.executable, os.path.join(HERE, "compare.py"), "--since", str(OLD + 10), case, a, "x", b]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    return [": ".join(line.split(": ")[:2]) for line in done.stdout.splitlines()[:-1]], done.returncode


def setter(path, **values):
    def change(name, m):
        if name == path:
            for key, value in values.items():
                setattr(m, key, value)
    return change


CONFIG = {"Env": ["A=1"], "Labels": {"l": "1"}}
CASES = [
    (setter("none"), []),
    (setter("d/other", mode=0o4755), ["/d/other: mode"]),
    (setter("d/other", gid=5), ["/d/other: owner"]),
    (setter("d/other", data=b"text 10:01\n"), ["/d/other: content"]),
    (setter("d/other", mtime=OLD + 1), ["/d/other: time"]),
    (setter("d/other", type=tarfile.FIFOTYPE, data=b""), ["/d/other: type"]),
    (setter("d/other", pax_headers={"SCHILY.xattr.security.capability": "\1"}),
     ["/d/other: xattr security.capability"]),
    (setter("d/other", type=HARD, linkname="d/file", data=b""),
     ["/d/file: links", "/d/hard: links", "/d/other: links"]),
    (setter("d/link", linkname="other"), ["/d/link: target"]),
    (setter("d/null", devminor=3), ["/d/null: device"]),
    (lambda name, m: name != "d/other", ["/d/other: only nacre"]),
    (setter("d/other", name="d/new"), ["/d/new: only buildah", "/d/other: only nacre"]),
]


def check_tables():
    """README.md has a line for each case and for each reason; all reasons are used."""
    with open(os.path.join(HERE, "README.md"), encoding="utf-8") as f:
        listed = {line.split("|")[1].strip() for line in f if line.startswith("| ")} - {"case", "reason", "---"}
    with open(os.path.join(HERE, "differences.json")) as f:
        known = json.load(f)
    cases = {name for name in os.listdir(HERE) if os.path.isfile(os.path.join(HERE, name, "case.json"))}
    used = {rule["why"] for rule in known["rules"]}
    for name in cases:
        with open(os.path.join(HERE, name, "case.json")) as f:
            used |= {rule["why"] for rule in json.load(f).get("explain", [])}
    assert listed == cases | set(known["reasons"]), listed ^ (cases | set(known["reasons"]))
    assert used == set(known["reasons"]), used ^ set(known["reasons"])


def main():
    for change, wanted in CASES:
        assert compare([layer(change)], CONFIG, []) == (wanted, 1 if wanted else 0), wanted
    plain = layer(lambda *_: True)
    assert compare([plain, whiteouts([".wh.gone", "opaque/.wh..wh..opq"])], CONFIG, []) == \
        (["/gone: only nacre", "/opaque/old: only nacre"], 1)
    left, status = compare([plain], {"Env": ["A=2"], "Labels": {"m": "1"}, "Cmd": ["c"]}, [])
    assert left == ["/config:Cmd: value", "/config:Env: value", "/config:Labels/l: only nacre",
                    "/config:Labels/m: only buildah"] and status == 1

    other = layer(setter("d/other", data=b"text 10:01\n"))
    rule = {"paths": ["d/o*"], "what": ["content"], "why": "clock"}
    assert compare([other], CONFIG, [rule]) == ([], 0)
    assert compare([other], CONFIG, [dict(rule, without=r"\d\d:\d\d")]) == ([], 0)
    left, status = compare([other], CONFIG, [dict(rule, without=r"\d\d:00")])
    assert left[0] == "/d/other: content" and status == 1
    left, status = compare([plain], CONFIG, [rule])
    assert left[0].startswith("explains nothing") and status == 1
    assert compare([plain], CONFIG, [dict(rule, sometimes=True)]) == ([], 0)
    check_tables()


if __name__ == "__main__":
    main()
