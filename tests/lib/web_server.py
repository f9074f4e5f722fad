#!/usr/bin/env python3
"""A web server for one test:  web_server.py DIR LOG PORT-FILE

Serves the files below DIR (the file "file" as /) with an ETag (of size and time), a Last-Modified and answers to If-None-Match. What lies below
/private wants "Authorization: Bearer TOKEN" or the user "x-access-token" with that password, where TOKEN is in DIR/.token.
Repositories, names that end in ".git", are served by git http-backend.
LOG gets a line "STATUS METHOD PATH" per request, PORT-FILE the port on 127.0.0.1.
"""
import base64, email.utils, http.server, os, subprocess, sys, urllib.parse

ROOT, LOG, PORT = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", headers=()):
        with open(LOG, "a") as f:
            f.write("%d %s %s\n" % (status, self.command, self.path))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 304:
            self.wfile.write(body)

    def allowed(self):
        with open(os.path.join(ROOT, ".token")) as f:
            token = f.read().strip()
        basic = base64.b64encode(b"x-access-token:" + token.encode()).decode()
        return self.headers.get("Authorization") in ("Bearer " + token, "Basic " + basic, "Basic " + token)

    def do_GET(self):
        path = urllib.parse.unquote(self.path.partition("?")[0])
        if path.startswith("/private/") and not self.allowed():
            return self.answer(401, headers=[("WWW-Authenticate", 'Basic realm="test"')])
        if ".git/" in path:
            return self.git(path)
        file = os.path.normpath(ROOT + ("/file" if path == "/" else path))
        if not file.startswith(ROOT + "/") or not os.path.isfile(file):
            return self.answer(404)
        st = os.stat(file)
        tag = '"%d-%d"' % (st.st_size, st.st_mtime)
        headers = [("ETag", tag), ("Last-Modified", email.utils.formatdate(st.st_mtime, usegmt=True))]
        if self.headers.get("If-None-Match") == tag:
            return self.answer(304, headers=headers)
        with open(file, "rb") as f:
            self.answer(200, f.read(), headers)

    def git(self, path):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        env = dict(os.environ, GIT_PROJECT_ROOT=ROOT, GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path, REQUEST_METHOD=self.command,
                   QUERY_STRING=self.path.partition("?")[2], CONTENT_TYPE=self.headers.get("Content-Type", ""),
                   CONTENT_LENGTH=str(len(body)), GIT_PROTOCOL=self.headers.get("Git-Protocol", ""))
        if self.headers.get("Content-Encoding") == "gzip":
            env["HTTP_CONTENT_ENCODING"] = "gzip"
        reply = subprocess.run(["git", "http-backend"], input=body, env=env, stdout=subprocess.PIPE).stdout
        head, _, reply = reply.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().split("\r\n") if line]
        status = [int(value.split()[0]) for name, value in headers if name == "Status"]
        self.answer(status[0] if status else 200, reply, [h for h in headers if h[0] != "Status"])

    do_HEAD = do_POST = do_GET


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(PORT + ".new", "w") as f:
    f.write("%d\n" % server.server_address[1])
os.rename(PORT + ".new", PORT)
server.serve_forever()
