#!/usr/bin/env python3
"""Archives of images as other programs write them, and damaged ones, made from good ones.

    archives.py KIND IN OUT [WORD]

From an OCI archive: hybrid (also with manifest.json, for WORD), full-name (named WORD as buildx does), index-twice, member-dotdot,
name-dotdot, wrong-size, wrong-diffid, other-images, no-layout-file. From a docker archive: old (directories, links for layers),
layer-dotdot, layer-link-out, manifest-twice, tag-dotdot, swapped-layers, device, no-manifest, many (WORD files more), long (a path
of WORD bytes). From either: flip, missing.
"""
import copy, hashlib, io, json, sys, tarfile

kind, source, target = sys.argv[1:4]
word = sys.argv[4] if len(sys.argv) > 4 else None
members = []  # [TarInfo, bytes]
with tarfile.open(source) as tar:
    for t in tar:
        members.append([t, tar.extractfile(t).read() if t.isfile() else b""])


def find(name):
    return next((m for m in members if m[0].name == name), None)


def put(name, data, link=None, type=tarfile.REGTYPE):
    t = tarfile.TarInfo(name)
    t.type = type
    if link:
        t.type, t.linkname = tarfile.SYMTYPE, link
    members.append([t, data])


def edit(name, change):
    m = find(name)
    value = json.loads(m[1])
    change(value)
    m[1] = json.dumps(value).encode()


def blob(descriptor):
    return find("blobs/sha256/" + descriptor["digest"][7:])


def put_blob(data):
    digest = hashlib.sha256(data).hexdigest()
    put("blobs/sha256/" + digest, data)
    return {"digest": "sha256:" + digest, "size": len(data)}


def index():
    return json.loads(find("index.json")[1])


def manifest():
    return json.loads(blob(index()["manifests"][0])[1])


def docker_list():
    return json.loads(find("manifest.json")[1])


def full_name(name):
    def rename(x):
        for d in x["manifests"]:
            d["annotations"] = {"io.containerd.image.name": "docker.io/library/" + name, "org.opencontainers.image.ref.name": "latest"}
    edit("index.json", rename)


def hybrid(name, config=None):
    path = lambda d: "blobs/sha256/" + d["digest"][7:]
    m = manifest()
    put("manifest.json", json.dumps([{
        "Config": config or path(m["config"]), "RepoTags": [name], "Layers": [path(d) for d in m["layers"]],
        "LayerSources": {d["digest"]: d for d in m["layers"]}}]).encode())
    full_name("other:1")


def wrong_diffid():
    m = manifest()
    config = json.loads(blob(m["config"])[1])
    config["rootfs"]["diff_ids"][0] = "sha256:" + "0" * 64
    m["config"].update(put_blob(json.dumps(config).encode()))
    edit("index.json", lambda x: x["manifests"][0].update(put_blob(json.dumps(m).encode())))


def old():
    images = docker_list()
    for image in images:
        for i, layer in enumerate(image["Layers"]):
            name = "%064x" % (i + 1)
            if i == 0:
                put("shared/layer.tar", find(layer)[1])
                put(name + "/layer.tar", b"", link="../shared/layer.tar")
            else:
                put(name + "/layer.tar", find(layer)[1])
            put(name + "/VERSION", b"1.0")
            put(name + "/json", b"{}")
            members.remove(find(layer))
            image["Layers"][i] = name + "/layer.tar"
    find("manifest.json")[1] = json.dumps(images).encode()
    put("repositories", b"{}")
    members.append(members.pop(members.index(find("manifest.json"))))


def largest():
    return max((m for m in members if m[0].name not in ("manifest.json", "index.json")), key=lambda m: len(m[1]))


def flip():
    m = largest()
    m[1] = m[1][:-1] + bytes([m[1][-1] ^ 1])


def many(count):
    for i in range(int(count)):
        put("f%d" % i, b"")


def set_layer(path):
    edit("manifest.json", lambda x: x[0]["Layers"].__setitem__(0, path))


def link_out():
    put("link.tar", b"", link="../../../../../../etc/passwd")
    set_layer("link.tar")


{
    "hybrid": lambda: hybrid(word),
    "full-name": lambda: full_name(word),
    "old": old,
    "flip": flip,
    "missing": lambda: members.remove(largest()),
    "index-twice": lambda: members.append(copy.deepcopy(find("index.json"))),
    "manifest-twice": lambda: members.append(copy.deepcopy(find("manifest.json"))),
    "member-dotdot": lambda: put("../escaped", b"x"),
    "name-dotdot": lambda: edit("index.json", lambda x: x["manifests"][0].update(
        annotations={"org.opencontainers.image.ref.name": "../escaped"})),
    "tag-dotdot": lambda: edit("manifest.json", lambda x: x[0].update(RepoTags=["../escaped:latest"])),
    "wrong-size": lambda: edit("index.json", lambda x: x["manifests"][0].update(size=x["manifests"][0]["size"] + 1)),
    "wrong-diffid": wrong_diffid,
    "other-images": lambda: hybrid("app:latest", "blobs/sha256/" + "0" * 64),
    "no-layout-file": lambda: members.remove(find("oci-layout")),
    "layer-dotdot": lambda: set_layer("a/../../escaped"),
    "layer-link-out": link_out,
    "swapped-layers": lambda: edit("manifest.json", lambda x: x[0]["Layers"].reverse()),
    "device": lambda: put("fifo", b"", type=tarfile.FIFOTYPE),
    "no-manifest": lambda: members.remove(find("manifest.json")),
    "many": lambda: many(word),
    "long": lambda: put("l" * int(word), b""),
}[kind]()
with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
    for t, data in members:
        t.size = len(data) if t.isfile() else 0
        tar.addfile(t, io.BytesIO(data))
