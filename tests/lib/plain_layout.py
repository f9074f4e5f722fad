#!/usr/bin/env python3
"""Copy one image of an OCI layout with its zstd layers decompressed, for judges that know no zstd (umoci 0.4).

    plain_layout.py LAYOUT TAG NEW_LAYOUT      the copy has the tag "latest"; config and diffIDs are the image's own
"""
import hashlib, json, os, shutil, subprocess, sys


def main():
    layout, tag, new = sys.argv[1:]
    blob = lambda top, digest: os.path.join(top, "blobs", *digest.split(":"))
    with open(os.path.join(layout, "index.json")) as f:
        entries = json.load(f)["manifests"]
    names = [(e.get("annotations") or {}).get("org.opencontainers.image.ref.name") for e in entries]
    with open(blob(layout, entries[names.index(tag)]["digest"])) as f:
        manifest = json.load(f)
    os.makedirs(os.path.join(new, "blobs", "sha256"))

    def put(path):
        sha, size = hashlib.sha256(), 0
        with open(path, "rb") as f:
            while data := f.read(1 << 20):
                sha.update(data)
                size += len(data)
        digest = "sha256:" + sha.hexdigest()
        os.replace(path, blob(new, digest))
        return digest, size

    work = os.path.join(new, "work")
    for d in [manifest["config"]] + manifest["layers"]:
        if d["mediaType"].endswith("+zstd"):
            subprocess.run(["zstd", "-dqf", blob(layout, d["digest"]), "-o", work], check=True)
            d["mediaType"] = d["mediaType"][:-len("+zstd")]
            d["digest"], d["size"] = put(work)
        else:
            shutil.copyfile(blob(layout, d["digest"]), blob(new, d["digest"]))
    with open(work, "w") as f:
        json.dump(manifest, f)
    digest, size = put(work)
    with open(os.path.join(new, "index.json"), "w") as f:
        json.dump({"schemaVersion": 2, "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": size,
            "annotations": {"org.opencontainers.image.ref.name": "latest"}}]}, f)
    with open(os.path.join(new, "oci-layout"), "w") as f:
        f.write('{"imageLayoutVersion":"1.0.0"}')


if __name__ == "__main__":
    main()
