"""What must hold after anything a registry did: for the table of cases and the campaign."""
import base64, hashlib, json, os


def read_layout(path):
    """Digests and sizes of the image "one" of random_layout.py, by what they are."""
    def blob(digest):
        with open(os.path.join(path, "blobs", "sha256", digest.removeprefix("sha256:")), "rb") as f:
            return f.read()

    with open(os.path.join(path, "index.json")) as f:
        tags = {d["annotations"]["org.opencontainers.image.ref.name"]: d["digest"] for d in json.load(f)["manifests"]}
    one = json.loads(blob(tags["one"]))
    found = {"one": tags["one"], "config": one["config"]["digest"], "big": one["layers"][0]["digest"],
             "small": one["layers"][1]["digest"]}
    return {**found, "sizes": {name: len(blob(d)) for name, d in found.items()}}


def write_login(path, key, user, password):
    secret = base64.b64encode(("%s:%s" % (user, password)).encode()).decode()
    with open(path, "w") as f:
        os.fchmod(f.fileno(), 0o600)
        json.dump({"auths": {key: {"auth": secret}}}, f)


def blobs_of(store):
    blobs = os.path.join(store, "blobs", "sha256")
    return os.listdir(blobs) if os.path.isdir(blobs) else []


def store_problems(store):
    for name in blobs_of(store):
        with open(os.path.join(store, "blobs", "sha256", name), "rb") as f:
            if hashlib.sha256(f.read()).hexdigest() != name:
                yield "blob %s is not what its name says" % name
    if os.path.isdir(store + "/tmp") and os.listdir(store + "/tmp"):
        yield "something is left in tmp/"


def pull_problems(store, image, succeeded):
    """An image has its name when it was pulled, and only then."""
    names = 0
    if os.path.exists(store + "/index.json"):
        with open(store + "/index.json") as f:
            names = len(json.load(f)["manifests"])
    if names != succeeded:
        yield "%d images have a name" % names
    if succeeded and image.removeprefix("sha256:") not in blobs_of(store):
        yield "the image is not there"


def push_problems(world, layout, succeeded):
    if succeeded:
        missing = [k for k in ("one", "config", "big", "small") if layout[k] not in world.pushed]
        if missing or [t[0] for t in world.tags.values()] != [layout["one"]]:
            yield "not all was pushed: %s missing, tags %s" % (missing, world.tags)
    for digest, data in world.pushed.items():
        if "sha256:" + hashlib.sha256(data).hexdigest() != digest:
            yield "pushed %s is not what its name says" % digest


def secret_problems(world, host, user, password, text, nowhere=False):
    """Only the registry, by its own host and port, may have seen the password or a token; or nobody."""
    basic = base64.b64encode(("%s:%s" % (user, password)).encode()).decode()
    secrets = [password, basic] + world.given
    for r in world.requests:
        at_home = r["port"] == world.ports[0] and r["host"] == host
        if any(s in json.dumps(r) for s in secrets) and (nowhere or not at_home):
            yield "%s %s of %s saw a secret" % (r["method"], r["path"], r["host"])
    if any(s in text for s in secrets):
        yield "a message shows a secret"
