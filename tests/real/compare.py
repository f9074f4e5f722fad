#!/usr/bin/env python3
"""Compare two images entry by entry; every difference must be explained.

    compare.py [options] CASE.json NACRE_LAYOUT TAG BUILDAH_DIR

NACRE_LAYOUT is an OCI image layout, BUILDAH_DIR what `buildah push … dir:` writes. The layers of both are flattened
as image-spec's layer.md says. For each path are compared: type, mode, owner, content, link target, hard-link group,
device number, extended attributes (with them capabilities) and the time where the build does not give it: where one of
the two is older than --since, they must be equal. Of the configuration: all that a Dockerfile can set.

A difference is explained by a rule, of CASE.json for one case or of differences.json for all:

    {"paths": ["var/log/x"], "what": ["content"], "why": "clock", "without": "REGEX", "sometimes": true}

"paths" and "what" are shell patterns in which * also matches "/"; "why" names a reason of differences.json; "without"
explains differing contents only if they are equal once what the expression matches is taken away; "nacre" asks for that
value on nacre's side. A rule of a case that explains nothing is an error as well, except with "sometimes".
Exit status 1 when something is left.
"""
import argparse, collections, fnmatch, hashlib, json, os, re, subprocess, sys, tarfile, tempfile

KINDS = {tarfile.REGTYPE: "file", tarfile.AREGTYPE: "file", tarfile.GNUTYPE_SPARSE: "file", tarfile.CONTTYPE: "file",
         tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "symlink", tarfile.CHRTYPE: "char", tarfile.BLKTYPE: "block",
         tarfile.FIFOTYPE: "fifo"}
WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"
XATTR = "SCHILY.xattr."
SCALARS = ["User", "WorkingDir", "Cmd", "Entrypoint", "StopSignal", "Shell", "Env", "OnBuild"]
TABLES = ["ExposedPorts", "Volumes", "Labels", "Healthcheck"]

Difference = collections.namedtuple("Difference", "path what nacre buildah")


class Node:
    """One inode of the flattened image. A hard link is the same Node under another name."""

    def __init__(self, tar, member):
        self.tar, self.member, self.children = tar, member, {}
        self.kind = KINDS[member.type]
        self.mode, self.uid, self.gid, self.mtime = member.mode & 0o7777, member.uid, member.gid, int(member.mtime)
        self.target = member.linkname if self.kind == "symlink" else None
        self.device = (member.devmajor, member.devminor) if self.kind in ("char", "block") else None
        self.xattrs = {k[len(XATTR):]: v.encode("utf-8", "surrogateescape").hex()
                       for k, v in member.pax_headers.items() if k.startswith(XATTR)}
        self.content = self.digest() if self.kind == "file" else None

    def read(self):
        with self.tar.extractfile(self.member) as f:
            return f.read()

    def digest(self):
        sha, size = hashlib.sha256(), 0
        with self.tar.extractfile(self.member) as f:
            while data := f.read(1 << 20):
                sha.update(data)
                size += len(data)
        return "%d bytes, %s" % (size, sha.hexdigest()[:16])


class Tree:
    def __init__(self):
        root = tarfile.TarInfo("")
        root.type, root.mode = tarfile.DIRTYPE, 0o755
        self.root = Node(None, root)

    def find(self, path):
        node = self.root
        for part in path.split("/") if path else []:
            node = node.children[part]
        return node

    def children_of(self, path):
        try:
            return self.find(path).children
        except KeyError:
            return {}

    def apply(self, tar):
        """Whiteouts concern the layers below, wherever they stand in the tar; so they come first."""
        members = [(os.path.normpath("/" + m.name).lstrip("/"), m) for m in tar]
        for path, _ in members:
            head, _, name = path.rpartition("/")
            if name == OPAQUE:
                self.children_of(head).clear()
            elif name.startswith(WHITEOUT):
                self.children_of(head).pop(name[len(WHITEOUT):], None)
        for path, member in members:
            if not path.rpartition("/")[2].startswith(WHITEOUT):
                self.add(path, tar, member)

    def add(self, path, tar, member):
        if member.islnk():
            node = self.find(os.path.normpath("/" + member.linkname).lstrip("/"))
        else:
            node = Node(tar, member)
        if path == "":
            node.children = self.root.children
            self.root = node
            return
        head, _, name = path.rpartition("/")
        parent = self.find(head)
        old = parent.children.get(name)
        if old and old.kind == node.kind == "directory":
            node.children = old.children
        parent.children[name] = node

    def paths(self):
        """Path → node, and for each node the set of its names."""
        found, names, left = {}, collections.defaultdict(set), [("", self.root)]
        while left:
            path, node = left.pop()
            found[path] = node
            if node.kind != "directory":
                names[id(node)].add(path)
            left += [((path + "/" if path else "") + name, child) for name, child in node.children.items()]
        return found, names


class Image:
    """Layers, bottom first, and configuration of an image on disk."""

    def __init__(self, manifest, blob):
        with open(manifest) as f:
            manifest = json.load(f)
        with open(blob(manifest["config"]["digest"])) as f:
            self.document = json.load(f)
        self.config = self.document.get("config") or {}
        self.diff_ids = self.document["rootfs"]["diff_ids"]
        self.layers = [blob(d["digest"]) for d in manifest["layers"]]

    @classmethod
    def of_layout(cls, top, tag):
        def blob(digest):
            return os.path.join(top, "blobs", *digest.split(":"))
        with open(os.path.join(top, "index.json")) as f:
            entries = json.load(f)["manifests"]
        names = [(e.get("annotations") or {}).get("org.opencontainers.image.ref.name") for e in entries]
        return cls(blob(entries[names.index(tag)]["digest"]), blob)

    @classmethod
    def of_dir(cls, top):
        return cls(os.path.join(top, "manifest.json"), lambda digest: os.path.join(top, digest.partition(":")[2]))


def open_layer(path):
    with open(path, "rb") as f:
        magic = f.read(4)
    if magic == b"\x28\xb5\x2f\xfd":
        plain = tempfile.TemporaryFile()
        subprocess.run(["zstd", "-dqc", path], stdout=plain, check=True)
        plain.seek(0)
        return tarfile.open(fileobj=plain, mode="r:")
    return tarfile.open(path)


def flatten(images):
    """The trees of images; what they have in common at the bottom is read once."""
    opened, trees = {}, []
    for image in images:
        tree = Tree()
        for diff_id, layer in zip(image.diff_ids, image.layers):
            if diff_id not in opened:
                opened[diff_id] = open_layer(layer)
            tree.apply(opened[diff_id])
        trees.append(tree)
    return trees


def compare_nodes(path, a, b, links_a, links_b, since):
    if a.kind != b.kind:
        yield Difference(path, "type", a.kind, b.kind)
        return
    if a.mode != b.mode:
        yield Difference(path, "mode", "%04o" % a.mode, "%04o" % b.mode)
    if (a.uid, a.gid) != (b.uid, b.gid):
        yield Difference(path, "owner", "%d:%d" % (a.uid, a.gid), "%d:%d" % (b.uid, b.gid))
    for name in sorted(a.xattrs.keys() | b.xattrs.keys()):
        if a.xattrs.get(name) != b.xattrs.get(name):
            yield Difference(path, "xattr " + name, a.xattrs.get(name), b.xattrs.get(name))
    for what in "content", "target", "device":
        x, y = getattr(a, what), getattr(b, what)
        if x != y:
            yield Difference(path, what, x, y)
    if links_a != links_b:
        yield Difference(path, "links", sorted(links_a), sorted(links_b))
    if a.mtime != b.mtime and min(a.mtime, b.mtime) < since:
        yield Difference(path, "time of directory" if a.kind == "directory" else "time", a.mtime, b.mtime)


def compare_trees(nacre, buildah, since):
    a, links_a = nacre.paths()
    b, links_b = buildah.paths()
    for path in sorted(a.keys() | b.keys()):
        if path not in b:
            yield Difference(path, "only nacre", a[path].kind, None)
        elif path not in a:
            yield Difference(path, "only buildah", None, b[path].kind)
        else:
            yield from compare_nodes(path, a[path], b[path], links_a[id(a[path])], links_b[id(b[path])], since)


def compare_configs(nacre, buildah):
    for name in SCALARS:
        x, y = nacre.get(name) or None, buildah.get(name) or None
        if x != y:
            yield Difference("config:" + name, "value", x, y)
    for name in TABLES:
        x, y = nacre.get(name) or {}, buildah.get(name) or {}
        for key in sorted(x.keys() | y.keys()):
            if x.get(key) != y.get(key):
                what = "value" if key in x and key in y else "only nacre" if key in x else "only buildah"
                yield Difference("config:%s/%s" % (name, key), what, x.get(key), y.get(key))


def explains(rule, d, trees):
    if not any(fnmatch.fnmatchcase(d.what, p) for p in rule["what"]):
        return False
    if not any(fnmatch.fnmatchcase(d.path, p) for p in rule["paths"]):
        return False
    if "nacre" in rule and rule["nacre"] != d.nacre:
        return False
    if "without" in rule and d.what == "content":
        a, b = (re.sub(rule["without"].encode("latin1"), b"", t.find(d.path).read(), flags=re.S | re.M) for t in trees)
        return a == b
    return True


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--since", type=int, default=0, help="when the builds began, in seconds since 1970")
    ap.add_argument("--result", help="append a line for the table of results to this file")
    ap.add_argument("case")
    ap.add_argument("layout")
    ap.add_argument("tag")
    ap.add_argument("dir")
    a = ap.parse_args()
    with open(a.case) as f:
        case = json.load(f)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "differences.json")) as f:
        known = json.load(f)
    own = case.get("explain", [])
    rules = own + known["rules"]
    for rule in rules:
        if rule["why"] not in known["reasons"]:
            sys.exit("%s: no reason %r in differences.json" % (a.case, rule["why"]))

    images = Image.of_layout(a.layout, a.tag), Image.of_dir(a.dir)
    trees = flatten(images)
    found = list(compare_trees(*trees, a.since)) + list(compare_configs(*(i.config for i in images)))
    counts, used, left = collections.Counter(), set(), 0
    for d in found:
        rule = next((r for r in rules if explains(r, d, trees)), None)
        if rule:
            counts[rule["why"]] += 1
            used.add(id(rule))
        else:
            left += 1
            print("/%s: %s: nacre %s, buildah %s" % d)
    for rule in own:
        if id(rule) not in used and not rule.get("sometimes"):
            left += 1
            print("explains nothing: %s" % json.dumps(rule))

    entries = len(trees[0].paths()[0])
    words = ", ".join("%s %d" % (why, n) for why, n in sorted(counts.items()))
    print("%d entries; explained: %s; not explained: %d" % (entries, words or "-", left))
    if a.result:
        with open(a.result, "a") as f:
            f.write("| %s | %s | %d | %s |\n" % (a.tag, case["kind"], entries, words or "–"))
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
