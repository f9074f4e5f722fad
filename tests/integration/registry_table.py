#!/usr/bin/env python3
"""Runs the table of tests/lib/registry_cases.py against registries in this process, several rows at a time.

    registry_table.py NACRE WORK LAYOUT [REGEX]     only rows whose names match

Each row asserts the exit status and the message; that everything in the store is what its name says, and nothing of a
failed pull has a name; that a failed push left no tag and a good one all of the image; and that no other host or port
than the registry's own saw the password or a token. Prints TAP.
"""
import json, os, queue, re, shutil, subprocess, sys, threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import fake_registry
import registry_cases as cases
import registry_judge as judge

WORKERS = 6
nacre, work, layout_dir = sys.argv[1:4]


layout = judge.read_layout(layout_dir)


class Bench:
    """Two registries, one with TLS, and the directories of one worker."""

    def __init__(self, number):
        self.dir = os.path.join(work, str(number))
        os.makedirs(self.dir)
        self.plain, self.tls = fake_registry.World({}), fake_registry.World({})
        self.plain.listen(3)
        self.tls.listen(2, {"cert": work + "/cert", "key": work + "/key"})
        self.tls.listen(1)
        self.push_store = self.dir + "/full"
        self.env = {**os.environ, "NACRE_NET_TIMEOUT": "1", "NACRE_NET_RETRIES": "1", "NACRE_NET_RETRY_MS": "10",
                    "SSL_CERT_FILE": work + "/cert", "CONTAINERS_REGISTRIES_CONF": "/dev/null",
                    "REGISTRY_AUTH_FILE": self.dir + "/auth.json"}
        self.fill()

    def run(self, store, *words, env={}):
        done = subprocess.run([nacre, "--store", store, *words], env={**self.env, **env}, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60)
        return done.returncode, done.stderr.decode(errors="replace")

    def fill(self):
        """A store with the image, and one that knows where it was pulled."""
        self.plain.reset({"layout": layout_dir})
        host = "127.0.0.1:%d" % self.plain.ports[0]
        status, text = self.run(self.push_store, "pull", host + "/elsewhere:one")
        assert status == 0, text
        shutil.copytree(self.push_store, self.dir + "/forgotten")  # extended attributes are copied, too
        for name in os.listdir(self.dir + "/forgotten/blobs/sha256"):
            try:
                os.removexattr(os.path.join(self.dir, "forgotten/blobs/sha256", name), "user.nacre.origin")
            except OSError:
                pass

    def settings(self, row, world):
        text = json.dumps({"faults": row.get("faults", []), "uploads": row.get("uploads", {})})
        for i, port in enumerate(world.ports):
            text = text.replace("PORT%d" % i, str(port))
        found = {"layout": layout_dir, **json.loads(text)}
        if row.get("auth"):
            found["auth"] = row["auth"]
        if row["op"] == "push":
            found["empty"] = True
        return found

    def check(self, row):
        """What is wrong: lines."""
        world = self.tls if row.get("tls") else self.plain
        world.reset(self.settings(row, world))
        host = "127.0.0.1:%d" % world.ports[0]
        key = row.get("login", "HOST").replace("HOST", host).replace("{0}", str(world.ports[0]))
        judge.write_login(self.env["REGISTRY_AUTH_FILE"], key, cases.USER, cases.PASSWORD)
        reference = "%s/%s" % (host, row.get("reference", "x:one").replace("DIGEST", layout["one"]))
        env = {k: str(v) for k, v in row.get("env", {}).items()}
        if row["op"] == "pull":
            store = self.dir + "/store"
            shutil.rmtree(store, ignore_errors=True)
            status, text = self.run(store, "pull", reference, env=env)
        else:
            store = self.push_store if row.get("pulled") else self.dir + "/forgotten"
            status, text = self.run(store, "push", layout["one"], reference, env=env)
        wanted = row["status"] if isinstance(row["status"], tuple) else (row["status"],)
        if status not in wanted:
            yield "exit status %d, not %s" % (status, wanted)
        if not re.search(row["message"], text, re.S):
            yield "no message matches %s" % row["message"]
        if status and not re.search(r"^nacre: error: .{20}", text, re.M):
            yield "no clear message"
        yield from judge.store_problems(store)
        if row["op"] == "pull":
            yield from judge.pull_problems(store, layout["one"], status == 0)
        else:
            yield from judge.push_problems(world, layout, status == 0)
        yield from judge.secret_problems(world, host, cases.USER, cases.PASSWORD, text, row.get("secret_stays"))
        if row.get("expect_none"):
            yield from ("%s was asked" % r["host"] for r in world.requests if r["host"] != host)
        self.text = text


def work_off(bench, todo, done):
    while True:
        try:
            row = todo.get_nowait()
        except queue.Empty:
            return
        try:
            problems = list(bench.check(row))
        except Exception as e:
            problems, bench.text = ["%s: %s" % (type(e).__name__, e)], ""
        done.put((row, problems, bench.text))


def main():
    rows = [r for r in cases.table(layout) if len(sys.argv) < 5 or re.search(sys.argv[4], r["name"])]
    todo, done = queue.Queue(), queue.Queue()
    slow = [r for r in rows if re.search("stall|a second", r["name"])]
    for row in slow + [r for r in rows if r not in slow]:
        todo.put(row)
    for i in range(min(WORKERS, len(rows))):
        threading.Thread(target=work_off, args=(Bench(i), todo, done), daemon=True).start()
    failed = 0
    for number in range(1, len(rows) + 1):
        row, problems, text = done.get()
        print("%s %d - %s" % ("not ok" if problems else "ok", number, re.sub(r"[^ -~]", "?", row["name"]).replace("#", "?")))
        failed += bool(problems)
        for line in problems + (text.splitlines()[-6:] if problems else []):
            print("#   " + line)
    print("1..%d" % len(rows))
    sys.exit(failed > 0)


main()
