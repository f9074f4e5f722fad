#!/usr/bin/env python3
"""A registry that serves OCI layouts and misbehaves as told.

    fake_registry.py CONTROL LOG PORTS [LISTENERS]

CONTROL is a JSON file, read again at every request. LOG gets one JSON line per request, when its answer begins: port, host,
method, path, headers, status (0: no answer). PORTS is written when the server listens: one port per line. Listeners are on
127.0.0.1, and so reachable as two origins, "127.0.0.1:PORT" and "localhost:PORT".

    { "layout": DIR                  every repository is this layout; tags are its ref names; what was pushed comes first
      "empty": true                  there are no blobs but those that were pushed
      "tls": {"cert": F, "key": F}   read at the start only
      "auth": {"kind": "basic" | "token", "user": U, "password": P,   no user: anonymous tokens are given
               "realm": URL, "challenge": WHOLE-HEADER, "expires_in": S,
               "uses": N, "seconds": S }   how long a token is good
      "uploads": {"location": URL    where an upload continues; {id}, {path} and the ports as below
                  "forget": true     what a broken request brought is lost; otherwise it is kept
                  "no_chunks": S     PATCH is answered with this status
                  "no_range": true   answers do not say how much there is
                  "chunk_min": N     OCI-Chunk-Min-Length
                  "mount": S}        the status of a mount; 201 if it has the blob, unless given
      "faults": [ {"match": REGEX, "times": N, …}, … ] }

The first fault whose regex is found in "METHOD PATH PORT" and whose times are not used up applies (times count anew when
CONTROL changes):

    status, headers {}, body             this answer; headers alone are added to the usual answer
    redirect URL                         {path} is the path, {0} {1} … the listeners' ports; status 307 unless given
    drop N                               the connection ends after N bytes of the file, also when it began at a later one
    truncate N | extra N | flip N        the body is cut to N bytes, longer by N, or has byte N changed; all well framed
    slow N                               N bytes a second
    stall S                              nothing for S seconds, before the headers or, with drop, instead of hanging up
    no_range, bad_range                  Range is ignored; the answer has another part than asked for
    no_length                            HTTP/1.0: no Content-Length, the end of the connection ends the body
    chunked                              no Content-Length, chunked
    raw TEXT                             these bytes and no HTTP; "" hangs up at once
    cut N                                the connection ends when N bytes of the request's body were read
    deaf S                               the request's body is not read for S seconds; then the connection ends
    lost                                 the request is carried out, and the connection ends without an answer
"""
import base64, hashlib, http.server, json, os, re, secrets, ssl, sys, threading, time, urllib.parse

class World:
    """What some listeners have in common. A test may make one of its own and change `settings`."""

    def __init__(self, settings):
        self.lock = threading.Lock()
        self.ports = []
        self.requests = []      # unless the log is a file
        self.log = None
        self.epoch = 0
        self.reset(settings)

    def reset(self, settings):
        """From here on for another test: what is still under way on older connections is cut off."""
        with self.lock:
            self.epoch += 1
            self.settings = settings
            self.requests.clear()
            self.tokens = {}    # token -> [uses left, end]
            self.given = []     # all tokens that ever were
            self.used = {}      # fault -> times
            self.uploads = {}   # id -> bytes
            self.pushed = {}    # digest -> bytes
            self.tags = {}      # "repository:tag" -> (digest, media type)

    def control(self):
        return self.settings

    def note(self, entry):
        with self.lock:
            if self.log:
                with open(self.log, "a") as f:
                    f.write(json.dumps(entry) + "\n")
            else:
                self.requests.append(entry)

    def listen(self, count, tls=None):
        for _ in range(count):
            server = Server(("127.0.0.1", 0), Handler)
            server.world = self
            if tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(tls["cert"], tls["key"])
                server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            self.ports.append(server.server_port)
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()


class FileWorld(World):
    """Controlled by a file, which is read at every request."""

    def __init__(self, path, log):
        self.path = path
        self.text = None
        super().__init__({})
        self.log = log

    def control(self):
        with open(self.path) as f:
            text = f.read()
        with self.lock:
            if text != self.text:
                self.text = text
                self.used.clear()
        return json.loads(text)


class Cut(Exception):
    pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def note(self, status):
        self.world.note({"port": self.server.server_port, "host": self.headers.get("Host"), "method": self.command,
                         "path": self.path, "status": status, "time": time.time(), "form": getattr(self, "form", ""),
                         "headers": {k.lower(): v for k, v in self.headers.items()}})

    def setup(self):
        self.world = self.server.world
        self.epoch = self.world.epoch
        super().setup()

    def do_GET(self):
        self.form = ""
        try:
            if self.epoch != self.world.epoch:
                raise Cut
            self.answer(self.world.control())
        except Cut:
            self.close_connection = True
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_HEAD = do_POST = do_PUT = do_PATCH = do_GET

    # ---- faults

    def fault(self, c):
        line = "%s %s %d" % (self.command, self.path, self.server.server_port)
        for i, f in enumerate(c.get("faults", [])):
            if not re.search(f["match"], line):
                continue
            with self.world.lock:
                if self.world.used.get(i, 0) >= f.get("times", 1 << 60):
                    continue
                self.world.used[i] = self.world.used.get(i, 0) + 1
            return f
        return {}

    def fill(self, url):
        url = url.replace("{path}", self.path)
        for i, port in enumerate(self.world.ports):
            url = url.replace("{%d}" % i, str(port))
        return url

    def start(self, status, headers):
        self.note(status)
        self.send_response(status)
        for name, value in headers.items():
            for v in value if isinstance(value, list) else [value]:
                self.send_header(name, v)
        self.end_headers()

    def simple(self, status, body=b"", headers={}):
        self.start(status, {"Content-Length": str(len(body)), **headers})
        if self.command != "HEAD":
            self.wfile.write(body)

    # ---- who may

    def token(self, auth):
        given = self.headers.get("Authorization", "")
        length = int(self.headers.get("Content-Length") or 0)
        self.form = self.rfile.read(length).decode() if length else ""
        form = urllib.parse.parse_qs(self.form)
        if auth.get("user"):
            want = "Basic " + base64.b64encode(("%(user)s:%(password)s" % auth).encode()).decode()
            if given != want and form.get("refresh_token") != [auth["password"]]:
                return self.simple(401, b'{"details":"incorrect username or password"}')
        t = secrets.token_urlsafe(24)
        with self.world.lock:
            self.world.given.append(t)
            self.world.tokens[t] = [auth.get("uses", 1 << 60), time.time() + auth.get("seconds", 3600)]
        answer = {"token": t, "expires_in": auth.get("expires_in", 300)}
        self.simple(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def allowed(self, auth):
        given = self.headers.get("Authorization", "")
        if auth["kind"] == "basic":
            return given == "Basic " + base64.b64encode(("%(user)s:%(password)s" % auth).encode()).decode()
        with self.world.lock:
            state = self.world.tokens.get(given.removeprefix("Bearer "))
            return bool(state and state[0] > 0 and state[1] >= time.time())

    # Listeners after the first are storage servers: what leads there is signed, and nobody logs in.
    def is_refused(self, auth):
        return bool(auth) and self.server.server_port == self.world.ports[0] and not self.allowed(auth)

    def use_token(self, auth):
        if auth and auth["kind"] == "token" and self.server.server_port == self.world.ports[0]:
            with self.world.lock:
                self.world.tokens[self.headers["Authorization"].removeprefix("Bearer ")][0] -= 1

    def challenge(self, auth):
        scheme = "https" if isinstance(self.connection, ssl.SSLSocket) else "http"
        realm = self.fill(auth.get("realm", "%s://%s/token" % (scheme, self.headers["Host"])))
        text = 'Basic realm="fake"' if auth["kind"] == "basic" else 'Bearer realm="%s",service="fake"' % realm
        body = b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'
        self.simple(401, body, {"WWW-Authenticate": self.fill(auth.get("challenge", text)),
                                "Content-Type": "application/json"})

    # ---- what is pushed

    def read_body(self, f, sink):
        left = int(self.headers.get("Content-Length") or 0)
        if "deaf" in f:
            time.sleep(f["deaf"])
            raise Cut
        stop = left - f["cut"] if "cut" in f else -1
        while left > 0:
            part = self.rfile.read1(min(left, 1 << 16, left - stop if stop >= 0 else left))
            if not part:
                raise Cut
            sink += part
            left -= len(part)
            if left == stop:
                raise Cut

    def place(self, c, id):
        there = c.get("uploads", {}).get("location", "/v2/x/blobs/uploads/{id}?state=a%2Fb")
        headers = {"Location": self.fill(there.replace("{id}", id)), "Docker-Upload-UUID": id}
        size = len(self.world.uploads[id])
        if not c.get("uploads", {}).get("no_range"):
            headers["Range"] = "0-%d" % max(0, size - 1)
        if "chunk_min" in c.get("uploads", {}):
            headers["OCI-Chunk-Min-Length"] = str(c["uploads"]["chunk_min"])
        return headers

    def refuse(self, status, code, headers={}):
        text = json.dumps({"errors": [{"code": code, "message": code.lower().replace("_", " ")}]}).encode()
        self.simple(status, text, {"Content-Type": "application/json", **headers})

    def begin_upload(self, c, query):
        mount = query.get("mount", [None])[0]
        status = c.get("uploads", {}).get("mount", 201 if self.has_blob(c, mount) else 202) if mount else 202
        if status == 201:
            self.world.pushed[mount] = self.blob({**c, "empty": False}, mount)
            return self.simple(201, b"", {"Location": "/v2/x/blobs/" + mount})
        if status != 202:
            return self.refuse(status, "UNSUPPORTED")
        id = secrets.token_hex(8)
        self.world.uploads[id] = b""
        self.simple(202, b"", self.place(c, id))

    def continue_upload(self, c, f, id, query):
        rules = c.get("uploads", {})
        body = bytearray()
        try:
            self.read_body(f, body)
        except Cut:
            if id in self.world.uploads and not rules.get("forget"):
                self.world.uploads[id] += bytes(body)
            self.note(0)
            raise
        if id not in self.world.uploads:
            return self.refuse(404, "BLOB_UPLOAD_UNKNOWN")
        if self.command == "GET":
            return self.simple(204, b"", self.place(c, id))
        if self.command == "PATCH" and "no_chunks" in rules:
            return self.refuse(rules["no_chunks"], "UNSUPPORTED")
        first = re.match(r"(\d+)-", self.headers.get("Content-Range", ""))
        if first and int(first[1]) != len(self.world.uploads[id]):
            return self.refuse(416, "BLOB_UPLOAD_INVALID", self.place(c, id))
        self.world.uploads[id] += bytes(body)
        if self.command == "PATCH":
            if "lost" in f:
                raise Cut
            return self.simple(202, b"", {**self.place(c, id), **f.get("headers", {})})
        data = self.world.uploads.pop(id)
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        if query.get("digest") != [digest]:
            return self.refuse(400, "DIGEST_INVALID")
        self.world.pushed[digest] = data
        if "lost" in f:
            raise Cut
        self.simple(201, b"", {"Location": "/v2/x/blobs/" + digest, "Docker-Content-Digest": digest})

    def put_manifest(self, c, f, repository, version):
        body = bytearray()
        self.read_body(f, body)
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        j = json.loads(body)
        named = [d["digest"] for d in j.get("layers", []) + j.get("manifests", []) + [j[k] for k in ["config"] if k in j]]
        if any(d not in self.world.pushed for d in named):
            return self.refuse(400, "MANIFEST_BLOB_UNKNOWN")
        self.world.pushed[digest] = bytes(body)
        if not version.startswith("sha256:"):
            self.world.tags[repository + ":" + version] = (digest, self.headers.get("Content-Type"))
        if "lost" in f:
            raise Cut
        self.simple(201, b"", {"Docker-Content-Digest": digest, **f.get("headers", {})})

    def push(self, c, f):
        path, _, query = self.path.partition("?")
        query = urllib.parse.parse_qs(query)
        m = re.fullmatch(r"/v2/(.+)/blobs/uploads/([^/]*)", path)
        if m and self.command == "POST":
            return self.begin_upload(c, query)
        if m:
            return self.continue_upload(c, f, m[2], query)
        m = re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", path)
        if m:
            return self.put_manifest(c, f, m[1], m[2])
        self.refuse(405, "UNSUPPORTED")

    # ---- what there is

    def has_blob(self, c, digest):
        return digest in self.world.pushed or os.path.exists(
            os.path.join(c["layout"], "blobs", "sha256", digest.removeprefix("sha256:")))

    def blob(self, c, digest):
        if digest in self.world.pushed:
            return self.world.pushed[digest]
        if c.get("empty"):
            raise FileNotFoundError(digest)
        with open(os.path.join(c["layout"], "blobs", "sha256", digest.removeprefix("sha256:")), "rb") as f:
            return f.read()

    def manifest(self, c, repository, version):
        layout = c["layout"]
        version = self.world.tags.get(repository + ":" + version, (version,))[0]
        if not version.startswith("sha256:"):
            with open(os.path.join(layout, "index.json")) as f:
                for d in json.load(f)["manifests"]:
                    if (d.get("annotations") or {}).get("org.opencontainers.image.ref.name") == version:
                        version = d["digest"]
        body = self.blob(c, version)
        j = json.loads(body)
        kind = j.get("mediaType") or "application/vnd.oci.image.%s.v1+json" % ("index" if "manifests" in j else "manifest")
        return body, {"Content-Type": kind, "Docker-Content-Digest": "sha256:" + hashlib.sha256(body).hexdigest()}

    def find(self, c):
        m = re.fullmatch(r"/v2/(.+)/(manifests|blobs)/([^/?]+)(\?.*)?", self.path)
        if not m:
            return (b"{}", {}) if self.path == "/v2/" else (None, {})
        try:
            if m[2] == "manifests":
                return self.manifest(c, m[1], m[3])
            return self.blob(c, m[3]), {"Content-Type": "application/octet-stream", "ETag": '"%s"' % m[3]}
        except FileNotFoundError:
            return None, {}

    def answer(self, c):
        f = self.fault(c)
        auth = c.get("auth")
        if "raw" in f or ("cut" in f and self.command == "POST"):
            self.note(0)
            self.wfile.write(f.get("raw", "").encode("latin-1"))
            raise Cut
        if self.command in ("PUT", "PATCH") and ("status" in f or "redirect" in f or self.is_refused(auth)):
            self.read_body({}, bytearray())
        if "stall" in f and "drop" not in f:
            time.sleep(f["stall"])
            if self.epoch != self.world.epoch:
                raise Cut
        if "redirect" in f:
            headers = {"Location": self.fill(f["redirect"]), **f.get("headers", {})}
            return self.simple(f.get("status", 307), b"", headers)
        if "status" in f:
            return self.simple(f["status"], f.get("body", "").encode("latin-1"), f.get("headers", {}))
        if auth and self.path.startswith("/token"):
            return self.token(auth)
        if self.is_refused(auth):
            return self.challenge(auth)
        self.use_token(auth)
        if self.command in ("POST", "PUT", "PATCH") or "/blobs/uploads/" in self.path:
            return self.push(c, f)
        body, headers = self.find(c)
        if body is None:
            text = b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}'
            return self.simple(404, text, {"Content-Type": "application/json"})
        self.send_body(body, {**headers, **f.get("headers", {})}, f)

    def send_body(self, body, headers, f):
        status, first, size = 200, 0, len(body)
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        fresh = self.headers.get("If-Range") in (None, headers.get("ETag"))
        if wanted and fresh and "no_range" not in f and int(wanted[1]) < size:
            status, first = 206, int(wanted[1])
            shift = 1 if "bad_range" in f and first else 0
            headers["Content-Range"] = "bytes %d-%d/%d" % (first - shift, size - 1 - shift, size)
        end = size
        if "flip" in f:
            body = body[:f["flip"]] + bytes([body[f["flip"]] ^ 1]) + body[f["flip"] + 1:]
        if "extra" in f:
            body += b"x" * f["extra"]
            end = len(body)
        if "truncate" in f:
            end = f["truncate"]
        if "no_length" in f:
            self.protocol_version = "HTTP/1.0"
            self.close_connection = True
        elif "chunked" in f:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(end - first)
        self.start(status, headers)
        if self.command == "HEAD":
            return
        self.pour(body, first, min(end, f.get("drop", end)), f)
        if f.get("drop", end) < end:
            self.wfile.flush()
            time.sleep(f.get("stall", 0))
            raise Cut
        if "chunked" in f:
            self.wfile.write(b"0\r\n\r\n")

    def pour(self, body, at, end, f):
        piece = max(1, f["slow"] // 10) if "slow" in f else 1 << 16
        while at < end:
            part = body[at:min(end, at + piece)]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if "chunked" in f else part)
            at += len(part)
            if "slow" in f:
                self.wfile.flush()
                time.sleep(len(part) / f["slow"])


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # a client that leaves, or speaks http where TLS is


def main():
    world = FileWorld(sys.argv[1], sys.argv[2])
    world.listen(int(sys.argv[4]) if len(sys.argv) > 4 else 1, world.control().get("tls"))
    with open(sys.argv[3] + ".new", "w") as f:
        f.write("".join("%d\n" % p for p in world.ports))
    os.rename(sys.argv[3] + ".new", sys.argv[3])
    threading.Event().wait()


if __name__ == "__main__":
    main()
