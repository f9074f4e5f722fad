#!/usr/bin/env python3
"""A registry that serves OCI layouts and misbehaves as told.

    fake_registry.py CONTROL LOG PORTS [LISTENERS]

CONTROL is a JSON file, read again at every request. LOG gets one JSON line per request, when its answer begins: port, host,
method, path, headers, status (0: no answer). PORTS is written when the server listens: one port per line. Listeners are on
127.0.0.1, and so reachable as two origins, "127.0.0.1:PORT" and "localhost:PORT".

    { "layout": DIR                  every repository is this layout; tags are its ref names
      "tls": {"cert": F, "key": F}   read at the start only
      "auth": {"kind": "basic" | "token", "user": U, "password": P,   no user: anonymous tokens are given
               "realm": URL, "challenge": WHOLE-HEADER, "expires_in": S,
               "uses": N, "seconds": S }   how long a token is good
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
"""
import base64, hashlib, http.server, json, os, re, secrets, ssl, sys, threading, time, urllib.parse

lock = threading.Lock()
tokens = {}          # token -> (uses left, end)
used = {}            # fault -> times
control_seen = None
ports = []


def control():
    global control_seen
    with open(sys.argv[1]) as f:
        text = f.read()
    with lock:
        if text != control_seen:
            control_seen = text
            used.clear()
    return json.loads(text)


class Cut(Exception):
    pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def note(self, status):
        entry = {"port": self.server.server_port, "host": self.headers.get("Host"), "method": self.command,
                 "path": self.path, "status": status, "time": time.time(),
                 "headers": {k.lower(): v for k, v in self.headers.items()}}
        with lock, open(sys.argv[2], "a") as f:
            f.write(json.dumps(entry) + "\n")

    def do_GET(self):
        try:
            self.answer(control())
        except Cut:
            self.close_connection = True
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_HEAD = do_POST = do_GET

    # ---- faults

    def fault(self, c):
        line = "%s %s %d" % (self.command, self.path, self.server.server_port)
        for i, f in enumerate(c.get("faults", [])):
            if not re.search(f["match"], line):
                continue
            with lock:
                if used.get(i, 0) >= f.get("times", 1 << 60):
                    continue
                used[i] = used.get(i, 0) + 1
            return f
        return {}

    def fill(self, url):
        url = url.replace("{path}", self.path)
        for i, port in enumerate(ports):
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
        form = urllib.parse.parse_qs(self.rfile.read(length).decode()) if length else {}
        if auth.get("user"):
            want = "Basic " + base64.b64encode(("%(user)s:%(password)s" % auth).encode()).decode()
            if given != want and form.get("refresh_token") != [auth["password"]]:
                return self.simple(401, b'{"details":"incorrect username or password"}')
        t = secrets.token_urlsafe(24)
        with lock:
            tokens[t] = [auth.get("uses", 1 << 60), time.time() + auth.get("seconds", 3600)]
        answer = {"token": t, "expires_in": auth.get("expires_in", 300)}
        self.simple(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def allowed(self, auth):
        given = self.headers.get("Authorization", "")
        if auth["kind"] == "basic":
            return given == "Basic " + base64.b64encode(("%(user)s:%(password)s" % auth).encode()).decode()
        with lock:
            state = tokens.get(given.removeprefix("Bearer "))
            if not state or state[0] == 0 or state[1] < time.time():
                return False
            state[0] -= 1
        return True

    def challenge(self, auth):
        scheme = "https" if isinstance(self.connection, ssl.SSLSocket) else "http"
        realm = self.fill(auth.get("realm", "%s://%s/token" % (scheme, self.headers["Host"])))
        text = 'Basic realm="fake"' if auth["kind"] == "basic" else 'Bearer realm="%s",service="fake"' % realm
        body = b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'
        self.simple(401, body, {"WWW-Authenticate": self.fill(auth.get("challenge", text)),
                                "Content-Type": "application/json"})

    # ---- what there is

    def manifest(self, layout, version):
        if not version.startswith("sha256:"):
            with open(os.path.join(layout, "index.json")) as f:
                for d in json.load(f)["manifests"]:
                    if (d.get("annotations") or {}).get("org.opencontainers.image.ref.name") == version:
                        version = d["digest"]
        with open(os.path.join(layout, "blobs", "sha256", version.removeprefix("sha256:")), "rb") as f:
            body = f.read()
        j = json.loads(body)
        kind = j.get("mediaType") or "application/vnd.oci.image.%s.v1+json" % ("index" if "manifests" in j else "manifest")
        return body, {"Content-Type": kind, "Docker-Content-Digest": "sha256:" + hashlib.sha256(body).hexdigest()}

    def find(self, c):
        m = re.fullmatch(r"/v2/(.+)/(manifests|blobs)/([^/?]+)(\?.*)?", self.path)
        if not m:
            return (b"{}", {}) if self.path == "/v2/" else (None, {})
        try:
            if m[2] == "manifests":
                return self.manifest(c["layout"], m[3])
            with open(os.path.join(c["layout"], "blobs", "sha256", m[3].removeprefix("sha256:")), "rb") as f:
                return f.read(), {"Content-Type": "application/octet-stream", "ETag": '"%s"' % m[3]}
        except FileNotFoundError:
            return None, {}

    def answer(self, c):
        f = self.fault(c)
        auth = c.get("auth")
        if "raw" in f:
            self.note(0)
            self.wfile.write(f["raw"].encode("latin-1"))
            raise Cut
        if "stall" in f and "drop" not in f:
            time.sleep(f["stall"])
        if "redirect" in f:
            headers = {"Location": self.fill(f["redirect"]), **f.get("headers", {})}
            return self.simple(f.get("status", 307), b"", headers)
        if "status" in f:
            return self.simple(f["status"], f.get("body", "").encode("latin-1"), f.get("headers", {}))
        if auth and self.path.startswith("/token"):
            return self.token(auth)
        # Listeners after the first are storage servers: what leads there is signed, and nobody logs in.
        if auth and self.server.server_port == ports[0] and not self.allowed(auth):
            return self.challenge(auth)
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
    tls = control().get("tls")
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    for _ in range(count):
        server = Server(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls["cert"], tls["key"])
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        ports.append(server.server_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(sys.argv[3] + ".new", "w") as f:
        f.write("".join("%d\n" % p for p in ports))
    os.rename(sys.argv[3] + ".new", sys.argv[3])
    threading.Event().wait()


if __name__ == "__main__":
    main()
