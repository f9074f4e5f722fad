"""The table of what a registry may do wrong, and what has to come of it: THREATS G, H and N, pulling and pushing.

A row is a dict:

    name       unique
    op         "pull" or "push"; reference: after "HOST:PORT/", "x:one" unless given
    status     the exit status, or several that are all right
    message    a regular expression that the messages match
    faults, auth, uploads   as in fake_registry.py; "{0}" "{1}" "{2}" are ports
    tls        the registry speaks TLS; its third listener does not
    login      the "auths" key the password is kept under; "HOST" is the registry's own
    env        further environment
"""
import json

USER, PASSWORD = "me", "canary-7f3a91c2"
TOKEN = {"kind": "token", "user": USER, "password": PASSWORD}
BASIC = {"kind": "basic", "user": USER, "password": PASSWORD}
OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker.distribution.manifest."
MANIFEST_TYPE, INDEX_TYPE = OCI + "manifest.v1+json", OCI + "index.v1+json"
ZERO = "sha256:" + "0" * 64

rows = []


def case(name, op, status, message="", **more):
    rows.append({"name": "%s: %s" % (op, name), "op": op, "status": status, "message": message, **more})


def pull(name, status, message="", **more):
    case(name, "pull", status, message, **more)


def push(name, status, message="", **more):
    case(name, "push", status, message, **more)


def fault(match, **what):
    return {"match": match, **what}


def answers(layout):
    """Statuses in place of what was asked for."""
    places = {"tag": "manifests/one", "config": layout["config"], "layer": layout["big"]}
    wanted = {400: 6, 401: 7, 402: 6, 403: 7, 404: 8, 405: 6, 406: 6, 410: 8, 416: 6, 451: 6, 408: 6, 429: 6, 500: 6,
              501: 6, 502: 6, 503: 6, 504: 6, 204: 6, 206: 6, 304: 6, 300: 6}
    for status, code in wanted.items():
        for place, match in places.items():
            pull("%d for %s" % (status, place), code, "", faults=[fault("GET .*" + match, status=status)])
    for status in (408, 429, 500, 502, 503, 504):
        for place, match in places.items():
            pull("%d once for %s" % (status, place), 0, "%d .*try 2" % status,
                 faults=[fault("GET .*" + match, status=status, times=1)])
    for value in ("0", "1", "soon", "-1", "1.5", "1e9", "Thu, 01 Jan 1970 00:00:00 GMT", "9" * 100 + "x"):
        pull("Retry-After %.20s" % value, 0, "try 2",
             faults=[fault("manifests/one", status=429, times=1, headers={"Retry-After": value})])


def wrong_bytes(layout):
    """T-H5, N4."""
    for place in ("config", "big", "small", "one"):
        size = layout["sizes"][place]
        reference = "x:many" if place == "one" else "x:one"
        changes = [{"flip": 0}, {"flip": size // 2}, {"flip": size - 1}]
        for cut in ({"truncate": size - 1}, {"extra": 1}, {"truncate": 1}):
            changes += [cut, {**cut, "chunked": 1}, {**cut, "no_length": 1}]
        for change in changes:
            pull("%s of %s" % (json.dumps(change), place), 9, "digest|bytes|ended", reference=reference,
                 faults=[fault("GET .*" + layout[place], **change)])
        pull("another file than %s" % place, 9, "digest|bytes", reference=reference,
             faults=[fault("GET .*" + layout[place], status=200, body="x" * size)])
        pull("nothing for %s" % place, 9, "digest|bytes", reference=reference,
             faults=[fault("GET .*" + layout[place], status=200, body="")])
    for reference in ("x@DIGEST", "x:one@DIGEST", "x:wrong@DIGEST"):
        for change in ({"flip": 3}, {"extra": 1}, {"truncate": 20}):
            pull("%s for %s" % (json.dumps(change), reference), 9, "digest|bytes|JSON", reference=reference,
                 faults=[fault("manifests", **change)])
    pull("swapped layers", 9, "digest|bytes", faults=[fault("GET .*" + layout["big"], redirect="/v2/x/blobs/" + layout["small"])])


def interruptions(layout):
    """N1, N2, N5."""
    twice = {"env": {"NACRE_NET_RETRIES": "2"}}
    for place in ("tag", "config", "big"):
        match = "GET .*" + ("manifests/one" if place == "tag" else layout[place])
        size = layout["sizes"]["one" if place == "tag" else place]
        for at in (0, 1, size // 2, size - 1):
            pull("an end at byte %d of %s" % (at, place), 0, "try 2", faults=[fault(match, drop=at, times=1)])
            pull("always an end at byte %d of %s" % (at, place), (0, 6), "", faults=[fault(match, drop=at)])
        pull("a hang-up for %s" % place, 0, "", faults=[fault(match, raw="", times=1)])
        pull("hanging up for %s" % place, 6, "gave up after 2 tries", faults=[fault(match, raw="")])
        pull("no ranges for %s" % place, 0, "", faults=[fault(match, drop=size // 2, times=1), fault(match, no_range=1)])
        pull("a wrong range for %s" % place, 0, "",
             faults=[fault(match, drop=size // 2, times=1), fault(match, bad_range=1, times=1)], **twice)
        pull("416 for the rest of %s" % place, 0, "",
             faults=[fault(match, drop=size // 2, times=1), fault(match, status=416, times=1)], **twice)
        pull("a stall before %s" % place, 0, "nothing moved.*try 2", faults=[fault(match, stall=3, times=1)])
        pull("a stall within %s" % place, 0, "nothing moved.*try 2",
             faults=[fault(match, drop=size // 2, stall=3, times=1)])
        pull("one byte a second of %s" % place, 0, "nothing moved.*try 2", faults=[fault(match, slow=1, times=1)])
        pull("chunked %s" % place, 0, "", faults=[fault(match, chunked=1)])
        pull("HTTP/1.0 for %s" % place, 0, "", faults=[fault(match, no_length=1)])


def redirects(layout):
    """T-G2, N6: credentials stay where they belong."""
    for status in (301, 302, 303, 307, 308):
        for place, match in (("tag", "manifests/one"), ("layer", layout["big"])):
            there = {"match": "GET .*%s .*PORT0" % match, "status": status}
            pull("%d of %s to another port" % (status, place), 0, "", auth=TOKEN,
                 faults=[{**there, "redirect": "http://127.0.0.1:{1}{path}"}])
            pull("%d of %s to another name" % (status, place), 7, "401", auth=TOKEN,
                 faults=[{**there, "redirect": "http://localhost:{0}{path}", "times": 1}])
    for to, code, message in (
            ("http://registry.invalid/x", 6, "not encrypted"), ("http://10.255.255.1/x", 6, "not encrypted"),
            ("http://127.0.0.1.registry.invalid/x", 6, "not encrypted"), ("http://127.1:{1}/x", 9, "host name"),
            ("http://0x7f000001:{1}/x", 9, "host name"), ("http://2130706433:{1}/x", 9, "host name"),
            ("ftp://127.0.0.1/x", 9, "https"), ("file:///etc/passwd", 9, "https"), ("data:,x", 9, "https"),
            ("gopher://127.0.0.1:{1}/x", 9, "https"), ("http://me:secret@127.0.0.1:{1}/x", 9, "user name"),
            ("http://127.0.0.1:{1}@127.0.0.1:{2}/x", 9, "user name"), ("http://127.0.0.1:{1}\\@localhost:{2}/", 9, "host name"),
            ("http:///x", 9, "host name"), ("http://127.0.0.1:0/x", 9, "port"), ("http://127.0.0.1:99999/x", 9, "port"),
            ("http://127.0.0.1:{1}/a\x7fb", 9, "control"), ("{path}", 6, "more than 10 redirects"),
            ("http://127.0.0.1:{1}{path}?", 0, ""), ("//127.0.0.1:{1}{path}", 0, ""), ("http://[::1%25lo]/", 9, "host name")):
        pull("a redirect to %s" % to, code, message, auth=TOKEN,
             faults=[fault("%s .*PORT0" % layout["big"], redirect=to)])
    pull("a redirect to nowhere", 6, "nowhere", faults=[fault(layout["big"], status=307)])
    pull("away and back", 7, "401", auth=TOKEN, faults=[
        fault("%s .*PORT0" % layout["big"], redirect="http://127.0.0.1:{1}{path}", times=1),
        fault("%s .*PORT1" % layout["big"], redirect="http://127.0.0.1:{0}{path}")])
    pull("TLS to plain http", 6, "give up encryption", tls=1, auth=TOKEN,
         faults=[fault("%s .*PORT0" % layout["big"], redirect="http://127.0.0.1:{2}{path}")])
    pull("TLS to plain http by name", 6, "give up encryption", tls=1, auth=BASIC,
         faults=[fault("manifests/one .*PORT0", redirect="http://localhost:{2}{path}")])
    pull("TLS to another port", 0, "", tls=1, auth=TOKEN,
         faults=[fault("%s .*PORT0" % layout["big"], redirect="https://127.0.0.1:{1}{path}")])
    pull("TLS to its own name", 7, "401", tls=1, auth=BASIC,
         faults=[fault(layout["big"], redirect="https://localhost:{0}{path}", times=1)])
    pull("TLS to https that is none", 6, "does not speak https", tls=1, auth=TOKEN,
         faults=[fault("%s .*PORT0" % layout["big"], redirect="https://127.0.0.1:{2}{path}")])


def logins(layout):
    """T-G1, T-G5, N7."""
    for kind in (TOKEN, BASIC):
        for tls in (0, 1):
            pull("%s%s" % (kind["kind"], " with TLS" if tls else ""), 0, "", auth=kind, tls=tls)
            push("%s%s" % (kind["kind"], " with TLS" if tls else ""), 0, "", auth=kind, tls=tls)
        pull("%s and a wrong password" % kind["kind"], 7, "nacre login", auth={**kind, "password": "other"})
        push("%s and a wrong password" % kind["kind"], 7, "nacre login", auth={**kind, "password": "other"})
    for uses in (2, 3, 5):
        pull("a token for %d requests" % uses, 0, "", auth={**TOKEN, "uses": uses})
        push("a token for %d requests" % (uses + 3), 0, "", auth={**TOKEN, "uses": uses + 3})
    for realm in (
            "http://localhost:{1}/token", "http://127.0.0.2:{1}/token", "https://registry.invalid/token",
            "http://169.254.169.254/latest/meta-data", "http://[::1]:{1}/token", "http://127.0.0.1.registry.invalid/token",
            "http://127.0.0.1@localhost:{1}/token", "http://me:x@127.0.0.1:{0}/token", "ftp://127.0.0.1/token", "/token", "token",
            "", "//127.0.0.1:{1}/token", "http://127.1:{1}/token", "http://0177.0.0.1:{1}/token", "http://2130706433:{1}/token",
            "http://127.0.0.1:{1}\\\\@localhost/", "https://" + "a" * 3000 + ".invalid/", "http://0.0.0.0:{1}/token",
            "http://127.0.0.1:0/token", "https://docker.io/token", "https://auth.docker.io/token", "javascript:alert(1)"):
        for op in ("pull", "push"):
            case("the realm %.60s" % realm, op, (1, 7, 9), "", auth={**TOKEN, "realm": realm})
    for challenge, code, message in (
            ("Negotiate", 7, "not known"), ("Bearer", (7, 9), ""), ("Bearer realm", 9, ""), ('Bearer realm="x', 9, ""),
            ('Bearer realm="a",realm="b"', 9, "WWW-Authenticate"), ("", (7, 9), ""), ("Digest realm=x", 7, "not known"),
            ("Bearer " + "a=b," * 3000, (1, 7, 9), ""), ('Bearer service="x"', 9, "where"), (",,,", (7, 9), ""),
            ('Bearer realm="http://localhost:{1}/", Basic realm="x"', (7, 9), "")):
        pull("the challenge %.40s" % challenge, code, message, auth={**TOKEN, "challenge": challenge})
    for body, code, message in (
            ("", 9, ""), ("x", 9, "JSON"), ("{}", 9, "no token"), ('{"token":1}', 9, "no token"), ('{"token":""}', 9, "no token"),
            ('{"token":"a\\r\\nX: y"}', 9, "no token"), ('{"token":"a b"}', 9, "no token"), ('{"token":"\u00e4"}', 9, ""),
            ('{"token":"a","token":"b"}', 9, ""), ("[" * 100000, (1, 9), ""), ('{"token":"' + "a" * (2 << 20) + '"}', (1, 6), ""),
            ('{"token":"wrong","expires_in":1e99}', 7, "401"), ('{"token":null}', 9, "no token")):
        pull("the token answer %.30s" % body, code, message, auth=TOKEN, faults=[fault("/token", status=200, body=body)])
    for status, code in ((301, 6), (307, 6), (400, 7), (401, 7), (403, 7), (404, 8), (500, 6)):
        pull("%d for a token" % status, code, "", auth=TOKEN,
             faults=[fault("/token", status=status, headers={"Location": "http://localhost:{1}/token"})])
    pull("503 once for a token", 0, "try 2", auth=TOKEN, faults=[fault("/token", status=503, times=1)])
    pull("a hang-up for a token", 0, "", auth=TOKEN, faults=[fault("/token", raw="", times=1)])
    for key in ("127.0.0.1", "127.0.0.1:1", "HOST.evil.example", "evil.example/HOST", "xHOST", "HOSTx", "localhost:{0}",
                "HOST/other", "HOST/x/", "HOST/xx", "HOST/X", "https://HOST.evil.example/v1/", "https://evil.example/HOST/v1/",
                "HOST@evil", "@HOST", " HOST", "HOST ", "*", "*:{0}", "127.0.0.*:{0}", "docker.io", "https://index.docker.io/v1/",
                "ftp://HOST", "HOST/v3/", "[127.0.0.1]:{0}", "127.000.000.001:{0}", "127.0.0.1:0{0}", ""):
        pull("a login for \"%s\"" % key, 7, "nacre login", auth=BASIC, login=key, secret_stays=1)
    for key in ("HOST", "https://HOST", "https://HOST/v1/", "http://HOST/v2/", "HOST/v1/", "HOST/x"):
        pull("the login \"%s\"" % key, 0, "", auth=BASIC, login=key)


def documents(layout):
    """T-H1, T-H4, T-H6, T-H7."""
    config = {"mediaType": OCI + "config.v1+json", "digest": layout["config"], "size": layout["sizes"]["config"]}
    layer = {"mediaType": OCI + "layer.v1.tar", "digest": layout["big"], "size": layout["sizes"]["big"]}
    good = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": [layer]}
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": []}

    def document(name, status, body, message="", kind=MANIFEST_TYPE, **more):
        text = body if isinstance(body, str) else json.dumps(body)
        headers = {"Content-Type": kind} if kind else {}
        pull("document, " + name, status, message, faults=[fault("manifests/one", status=200, body=text, headers=headers)], **more)

    document("index and manifest at once", 9, {**good, "manifests": []}, "at once")
    document("manifest called index", 9, good, "called", INDEX_TYPE)
    document("index called manifest", 9, index, "called|not what")
    document("manifest with another mediaType", 9, {**good, "mediaType": INDEX_TYPE}, "called")
    document("docker's type in the header", 9, good, "called", DOCKER + "v2+json")
    document("schema 1", 9, {"schemaVersion": 1, "fsLayers": []}, "schema 1", DOCKER + "v1+prettyjws")
    document("HTML", 9, "<html>", "", "text/html")
    document("an unknown type", 9, good, "called|media type", "application/vnd.unknown+json")
    document("neither", 9, {"schemaVersion": 2}, "neither")
    document("a list", 9, [good], "")
    document("null", 9, "null", "")
    document("nothing", 9, "", "")
    document("trailing garbage", 9, json.dumps(good) + "x", "")
    document("two documents", 9, json.dumps(good) * 2, "")
    document("a key twice", 9, json.dumps(good)[:-1] + ',"config":' + json.dumps(config) + "}", "twice|duplicate|two")
    document("NUL in a string", 9, json.dumps({**good, "x": "a\0b"}), "")
    document("a lone surrogate", (0, 9), json.dumps(good)[:-1] + ',"annotations":{"a":"\\ud800"}}', "")
    document("nested 100 000 deep", (1, 9), '{"layers":' + "[" * 100000, "")
    document("5 MiB", 1, json.dumps(good) + " " * (5 << 20), "limit")
    document("an empty index", 8, index, "none at all", INDEX_TYPE)
    document("no image of this platform", 8, {**index, "manifests": [
        {"mediaType": MANIFEST_TYPE, "digest": layout["one"], "size": layout["sizes"]["one"],
         "platform": {"os": o, "architecture": "s390x"}} for o in ("linux", "plan9")]}, "there is", INDEX_TYPE)
    document("an index of itself", (8, 9, 1), {**index, "manifests": [
        {"mediaType": INDEX_TYPE, "digest": ZERO, "size": 10}]}, "", INDEX_TYPE)
    document("1001 manifests", 1, {**index, "manifests": [
        {"mediaType": MANIFEST_TYPE, "digest": layout["one"], "size": 10}] * 1001}, "limit|1000", INDEX_TYPE)
    document("513 layers", 1, {**good, "layers": [layer] * 513}, "limit|512")
    document("no layers but one in the config", 9, {**good, "layers": []}, "layers")
    document("a chart", 9, {**good, "config": {**config, "mediaType": "application/vnd.cncf.helm.config.v1+json"}}, "not a container image")
    document("a layer of another kind", 9, {**good, "layers": [{**layer, "mediaType": "text/plain"}]}, "unpacked")
    document("a config of 17 MiB", 1, {**good, "config": {**config, "size": 17 << 20}}, "limit")
    document("a layer of 65 GiB", 1, {**good, "layers": [{**layer, "size": 65 << 30}]}, "limit")
    document("foreign urls", 9, {**good, "layers": [{**layer, "digest": ZERO, "urls": ["http://127.0.0.1:{1}/x"]}]}, "", expect_none=1)
    for size in (-1, 1.5, "10", None, 2 ** 63, 2 ** 64, 10 ** 30, True, [], {}):
        document("a layer of %s bytes" % json.dumps(size), (1, 9), {**good, "layers": [{**layer, "size": size}]}, "")
    for size in (0, 1, layout["sizes"]["big"] - 1, layout["sizes"]["big"] + 1, 1 << 33):
        document("a layer said to have %d bytes" % size, 9, {**good, "layers": [{**layer, "size": size}]}, "bytes|layers")
    for digest in ("", ":", "sha256", "sha256:", "sha256:../../../etc/passwd", "sha256:" + "0" * 63, "sha256:" + "0" * 65,
                   "sha256:" + "A" * 64, "SHA256:" + "0" * 64, "md5:" + "0" * 32, "sha512:" + "0" * 128, "sha256:" + "0" * 65536,
                   "sha256:sha256:" + "0" * 64, " " + ZERO, ZERO + "\n", ZERO + "/..", 5, None):
        short = json.dumps(digest)[:20] + " … " + json.dumps(digest)[-6:] + " of %d" % len(json.dumps(digest))
        document("the config digest %s" % short, 9, {**good, "config": {**config, "digest": digest}}, "")
        document("the layer digest %s" % short, 9, {**good, "layers": [{**layer, "digest": digest}]}, "")


def oddities(layout):
    """T-G8, N8: what is no answer at all, and what is an odd one."""
    head = "HTTP/1.1 200 OK\r\n"
    for name, raw, codes in (
            ("SSH", "SSH-2.0-OpenSSH_9.2\r\n", 6), ("TLS", "\x16\x03\x01\x02\x00\x01", 6), ("a bare newline", "\r\n\r\n", 6),
            ("half a line", "HTTP/1.1 2", 6), ("no status", "HTTP/1.1 \r\n\r\n", 6), ("status 999", "HTTP/1.1 999 X\r\n\r\n", 6),
            ("status 0", "HTTP/1.1 0 X\r\n\r\n", 6), ("status 20", "HTTP/1.1 20 X\r\n\r\n", 6), ("HTTP/9", "HTTP/9.9 200 OK\r\n\r\n", (6, 9)),
            ("HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 6), ("an ICY answer", "ICY 200 OK\r\n\r\n", 6),
            ("a negative length", head + "Content-Length: -5\r\n\r\n", (1, 6, 9)),
            ("a length of words", head + "Content-Length: many\r\n\r\n", (6, 9)),
            ("a length of 2^70", head + "Content-Length: 1180591620717411303424\r\n\r\n", (1, 6, 9)),
            ("two lengths", head + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", (1, 6, 9)),
            ("length and chunks", head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (6, 9)),
            ("a bad chunk", head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", (6, 9)),
            ("a huge chunk", head + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx", (6, 9)),
            ("a negative chunk", head + "Transfer-Encoding: chunked\r\n\r\n-1\r\nx", (6, 9)),
            ("an endless chunk size", head + "Transfer-Encoding: chunked\r\n\r\n" + "0" * 70000, (6, 9)),
            ("chunk extensions", head + "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n", 9),
            ("endless trailers", head + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + "X: y\r\n" * 20000, (1, 6, 9)),
            ("one long header", head + "X: " + "a" * 70000 + "\r\n\r\n", (1, 6)),
            ("10 000 headers", head + "X: y\r\n" * 12000 + "\r\n", (1, 6)),
            ("a header without colon", head + "nothing\r\nContent-Length: 2\r\n\r\n{}", (6, 9)),
            ("a header with NUL", head + "X: a\0b\r\nContent-Length: 2\r\n\r\n{}", (6, 9)),
            ("bare LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", 9),
            ("100 for ever", "HTTP/1.1 100 Continue\r\n\r\n" * 5000, (1, 6)),
            ("101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", 6),
            ("103, then good", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + head + "Content-Length: 2\r\n\r\n{}", 9),
            ("gzip that is none", head + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 9)):
        pull("an answer of %s" % name, codes, "", faults=[fault("GET .*manifests/one", raw=raw)])
        pull("a layer as %s" % name, (1, 6, 9), "", faults=[fault("GET .*" + layout["big"], raw=raw)])
    for value in (ZERO, "sha256:../../x", "", "x" * 5000):
        pull("Docker-Content-Digest %.20s" % value, 0, "", faults=[fault("manifests", headers={"Docker-Content-Digest": value})])
    pull("206 for a whole layer", 6, "another part", faults=[fault(layout["big"], status=206, body="x" * 10)])


def pushes(layout):
    """The same for the other way: T-G3, and distribution-spec, "Pushing blobs"."""
    steps = {"HEAD": "HEAD .*" + layout["big"], "POST": "POST ", "PUT": "PUT .*uploads", "manifest": "PUT .*manifests"}
    for step, match in steps.items():
        for status, code in {400: 6, 401: 7, 403: 7, 405: 6, 409: 6, 413: 6, 500: 6, 503: 6, 429: 6, 507: 6, 307: 6}.items():
            push("%d for %s" % (status, step), code, "", faults=[fault(match, status=status)])
        for status in (429, 500, 502, 503, 504):
            push("%d once for %s" % (status, step), 0, "%d .*try 2" % status, faults=[fault(match, status=status, times=1)])
        push("a hang-up at %s" % step, 0, "", faults=[fault(match, raw="", times=1)])
        push("hanging up at %s" % step, 6, "gave up", faults=[fault(match, raw="")])
        push("a stall at %s" % step, 0, "nothing moved.*try 2" if step in ("HEAD", "POST") else "",
             faults=[fault(match, stall=3, times=1)])
        push("gibberish at %s" % step, 6, "does not speak|Weird|HTTP", faults=[fault(match, raw="SSH-2.0-OpenSSH_9.2\r\n")])
    push("404 for POST", 8, "", faults=[fault("POST ", status=404)])
    push("404 for PUT", 6, "lost", faults=[fault("PUT .*uploads", status=404)])
    push("404 once for PUT", 0, "lost", faults=[fault("PUT .*uploads", status=404, times=1)])
    push("200 for POST", 6, "", faults=[fault("POST ", status=200)])
    push("202 without a place", 6, "where to send", faults=[fault("POST ", status=202)])
    push("400 and a reason", 6, "digest invalid", faults=[
        fault("PUT .*uploads", status=400, body='{"errors":[{"code":"DIGEST_INVALID","message":"digest invalid"}]}')])
    for lost in ("PUT .*uploads", "PUT .*manifests"):
        push("an answer to %s that is lost" % lost, 0, "", faults=[fault(lost, lost=1, times=1)])
    for at in (0, 1, 10000):
        push("a whole blob cut at %d" % at, 0, "", faults=[fault("PUT .*uploads", cut=at, times=1)])
        push("a manifest cut at %d" % min(at, 300), 0, "", faults=[fault("PUT .*manifests", cut=min(at, 300), times=1)])
    push("another digest stored", 9, "stored " + ZERO, faults=[fault("PUT .*manifests", headers={"Docker-Content-Digest": ZERO})])
    for value in ("sha256:x", "", "x" * 5000):
        push("the stored digest %.10s" % value, 0, "", faults=[fault("PUT .*manifests", headers={"Docker-Content-Digest": value})])
    chunks = {"env": {"NACRE_NET_CHUNK": "7000"}}
    push("in chunks", 0, "", **chunks)
    for at in (0, 1, 3000, 6999):
        for forget in (False, True):
            push("a chunk cut at %d%s" % (at, ", forgotten" if forget else ""), 0, "", uploads={"forget": forget},
                 faults=[fault("PATCH", cut=at, times=1)], env={"NACRE_NET_CHUNK": "7000", "NACRE_NET_RETRIES": "3"})
    push("every chunk cut once", 0, "", uploads={"forget": False}, faults=[fault("PATCH", cut=100, times=3)],
         env={"NACRE_NET_CHUNK": "7000", "NACRE_NET_RETRIES": "4"})
    push("the answer to a chunk lost", 0, "try 2", faults=[fault("PATCH", lost=1, times=1)], **chunks)
    push("416 for a chunk", 0, "try 2", faults=[fault("PATCH", status=416, times=1)], **chunks)
    push("416 for every chunk", 6, "gave up", faults=[fault("PATCH", status=416)], **chunks)
    push("404 for a chunk", 0, "lost.*try 2", faults=[fault("PATCH", status=404, times=1)], **chunks)
    push("no status of an upload", 0, "try 2", faults=[fault("PATCH", cut=100, times=1), fault("GET .*uploads", status=404)],
         env={"NACRE_NET_CHUNK": "7000", "NACRE_NET_RETRIES": "3"})
    for status in (400, 405, 413, 501):
        push("no chunks, says %d" % status, 0, "", uploads={"no_chunks": status}, **chunks)
    push("chunks of 15 000 at least", 0, "", uploads={"chunk_min": 15000}, **chunks)
    push("chunks of 2^62 at least", 0, "", uploads={"chunk_min": 1 << 62}, **chunks)
    push("no Range in answers", 0, "", uploads={"no_range": True}, **chunks)
    for value in ("0-999999", "5-3", "abc", "0-0", "", "0-18446744073709551615", "bytes=0-3", "-", "1-6999"):
        push("every chunk answered with Range %s" % value, (0, 6), "",
             faults=[fault("PATCH", headers={"Range": value})], **chunks)
    for to, code, message in (
            ("http://127.0.0.1:{1}/v2/x/blobs/uploads/{id}", 0, ""), ("http://localhost:{1}/v2/x/blobs/uploads/{id}?sig=a", 0, ""),
            ("//127.0.0.1:{1}/v2/x/blobs/uploads/{id}", 0, ""), ("{id}", 0, ""), ("/v2/x/blobs/uploads/{id}", 0, ""),
            ("http://localhost:{0}/v2/x/blobs/uploads/{id}", 7, "401"), ("http://registry.invalid/{id}", 6, "not encrypted"),
            ("http://169.254.169.254/{id}", 6, "not encrypted"), ("https://registry.invalid/{id}", 6, ""),
            ("http://me:x@127.0.0.1:{1}/{id}", 9, "user name"), ("ftp://127.0.0.1/{id}", 9, "https"), ("file:///tmp/{id}", 9, "https"),
            ("http://127.1:{1}/{id}", 9, "host name"), ("http://127.0.0.1:{1}\\@localhost/{id}", 9, "host name"), ("", (0, 6, 8), "")):
        for kind in (TOKEN, BASIC):
            push("an upload at %s, %s" % (to, kind["kind"]), code, message, auth=kind, uploads={"location": to})
    for to in ("http://127.0.0.1:{2}/v2/x/blobs/uploads/{id}", "http://localhost:{2}/{id}"):
        push("an upload from TLS at %s" % to, 6, "give up encryption", tls=1, auth=TOKEN, uploads={"location": to})
    push("an upload from TLS at another port", 0, "", tls=1, auth=TOKEN,
         uploads={"location": "https://127.0.0.1:{1}/v2/x/blobs/uploads/{id}"})
    push("401 from a storage server", 7, "401", auth=TOKEN,
         uploads={"location": "http://127.0.0.1:{1}/v2/x/blobs/uploads/{id}"}, faults=[
             fault("PUT .*PORT1", status=401, headers={"WWW-Authenticate": 'Bearer realm="http://127.0.0.1:{1}/token"'})])
    for match in ("POST ", "PUT .*uploads", "PUT .*manifests"):
        for to in ("http://127.0.0.1:{1}{path}", "http://localhost:{0}{path}", "{path}"):
            push("%s redirected to %s" % (match.strip(), to), 6, "not followed", auth=TOKEN, faults=[fault(match, redirect=to)])
    for status in (201, 202, 400, 403, 404, 405):
        push("a mount answered with %d" % status, 0, "", uploads={"mount": status}, pulled=1)
    push("500 once for a mount", 0, "try 2", pulled=1, faults=[fault("POST .*mount", status=500, times=1)])
    push("401 for a mount", 7, "", pulled=1, faults=[fault("POST .*mount", status=401)])


def table(layout):
    rows.clear()
    for part in (answers, wrong_bytes, interruptions, redirects, logins, documents, oddities, pushes):
        part(layout)
    names = [r["name"] for r in rows]
    assert len(names) == len(set(names)), [n for n in names if names.count(n) > 1]
    return rows
