#!/usr/bin/env python3
"""Make an OCI layout whose layers do not compress: for tests of transfers, where sizes matter and contents do not.

    random_layout.py LAYOUT SIZE…     tag "one": an image with a layer of about each SIZE; tag "many": an index of it
                                      for this machine and for s390x. Equal sizes give equal bytes.
"""
import gzip, hashlib, io, json, os, platform, random, sys, tarfile

OCI = "application/vnd.oci.image."
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
NAME = "org.opencontainers.image.ref.name"


def layer(size, seed):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        t = tarfile.TarInfo("file%d" % seed)
        t.size = size
        tar.addfile(t, io.BytesIO(random.Random(seed).randbytes(size)))
    return out.getvalue()


def main():
    top = sys.argv[1]
    blobs = os.path.join(top, "blobs", "sha256")
    os.makedirs(blobs)

    def put(data, kind):
        name = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, name), "wb") as f:
            f.write(data)
        return {"mediaType": OCI + kind, "digest": "sha256:" + name, "size": len(data)}

    def image(architecture):
        diff_ids = ["sha256:" + hashlib.sha256(tar).hexdigest() for tar in tars]
        config = put(json.dumps({"architecture": architecture, "os": "linux", "config": {},
                                 "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode(), "config.v1+json")
        manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": config, "layers": layers}
        return put(json.dumps(manifest).encode(), "manifest.v1+json")

    tars = [layer(int(size), i) for i, size in enumerate(sys.argv[2:])]
    layers = [put(gzip.compress(tar, 1, mtime=0), "layer.v1.tar+gzip") for tar in tars]
    here = ARCHITECTURES.get(platform.machine(), platform.machine())
    one, other = image(here), image("s390x")
    entries = [{**one, "platform": {"os": "linux", "architecture": here}},
               {**other, "platform": {"os": "linux", "architecture": "s390x"}}]
    many = put(json.dumps({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": entries}).encode(),
               "index.v1+json")
    with open(os.path.join(top, "index.json"), "w") as f:
        json.dump({"schemaVersion": 2, "manifests": [{**one, "annotations": {NAME: "one"}},
                                                     {**many, "annotations": {NAME: "many"}}]}, f)
    with open(os.path.join(top, "oci-layout"), "w") as f:
        f.write('{"imageLayoutVersion":"1.0.0"}')


if __name__ == "__main__":
    main()
