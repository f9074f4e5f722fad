#!/usr/bin/env python3
"""A pull and a push against a registry that fails at random, with a seed: drops, stalls, hang-ups, 5xx, 429, cut bodies, lost answers.

Each point is one schedule of one to six faults, each for one to three requests, with or without a login. The pull and the push are
tried up to three times. Nothing may be published that is not whole, and no other server may see the password or a token.
"""
import collections, os, queue, random, shutil, subprocess, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import campaign
import fake_registry
import registry_judge as judge

WORKERS, SHORT, LONG, ATTEMPTS = 4, 50, 1000, 3
USER, PASSWORD = "me", "canary-5be01d77"
NACRE, LIB = os.environ["NACRE"], os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib")
LAYOUT = os.path.abspath("layout")


def schedule(rng, layout):
    places = ["GET .*manifests", "GET .*blobs/sha", "HEAD ", "POST ", "PATCH ", "PUT .*uploads", "PUT .*manifests",
              layout["big"], layout["small"], "token"]
    size = layout["sizes"]["big"]
    faults = []
    for _ in range(rng.randint(1, 6)):
        what = rng.choice([
            {"drop": rng.randrange(size)}, {"drop": rng.randrange(size), "stall": 2}, {"raw": ""}, {"stall": 2},
            {"status": rng.choice([500, 502, 503, 504])}, {"status": 429, "headers": {"Retry-After": rng.choice(["0", "1"])}},
            {"truncate": rng.randrange(size), "no_length": 1}, {"cut": rng.randrange(size)}, {"lost": 1}, {"no_range": 1},
            {"bad_range": 1}, {"chunked": 1}, {"drop": rng.randrange(size), "chunked": 1}])
        faults.append({"match": rng.choice(places), "times": rng.randint(1, 3), **what})
    found = {"layout": LAYOUT, "faults": faults, "uploads": {"forget": rng.random() < 0.5, "no_range": rng.random() < 0.1}}
    if rng.random() < 0.1:
        found["uploads"]["no_chunks"] = rng.choice([400, 405, 501])
    if rng.random() < 0.5:
        found["auth"] = {"kind": rng.choice(["token", "basic"]), "user": USER, "password": PASSWORD, "uses": rng.randint(4, 9)}
    if rng.random() < 0.3:
        faults.append({"match": "GET .*blobs/sha.* PORT0", "redirect": "http://localhost:{1}{path}"})
    return found


class Worker(threading.Thread):
    def __init__(self, number, points, seed, layout, done):
        super().__init__(daemon=True)
        self.dir, self.points, self.seed, self.layout, self.done = os.path.abspath(str(number)), points, seed, layout, done
        os.mkdir(self.dir)
        self.world = fake_registry.World({})
        self.world.listen(3)
        self.host = "127.0.0.1:%d" % self.world.ports[0]
        self.env = {**os.environ, "NACRE_NET_TIMEOUT": "1", "NACRE_NET_RETRY_MS": "20", "NACRE_NET_CHUNK": "50000",
                    "CONTAINERS_REGISTRIES_CONF": "/dev/null", "REGISTRY_AUTH_FILE": self.dir + "/auth.json"}
        judge.write_login(self.dir + "/auth.json", self.host, USER, PASSWORD)

    def attempt(self, counts, problems, store, *words):
        """0 when it succeeded at last."""
        for number in range(1, ATTEMPTS + 1):
            done = subprocess.run([NACRE, "--store", store, *words], env=self.env, stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=campaign.HANG * 4)
            text = done.stderr.decode(errors="replace")
            problems += judge.store_problems(store)
            problems += judge.secret_problems(self.world, self.host, USER, PASSWORD, text)
            if words[0] == "pull":
                problems += judge.pull_problems(store, self.layout["one"], done.returncode == 0)
            else:
                problems += judge.push_problems(self.world, self.layout, done.returncode == 0)
            if done.returncode == 0:
                counts["%s at try %d" % (words[0], number)] += 1
                return
            last = text
        counts["%s failed" % words[0]] += 1
        problems.append("%s failed %d times: %s" % (words[0], ATTEMPTS, last.strip().splitlines()[-1:]))

    def point(self, number, counts):
        rng, problems, store = random.Random("%d/%d" % (self.seed, number)), [], self.dir + "/store"
        shutil.rmtree(store, ignore_errors=True)
        settings = schedule(rng, self.layout)
        for f in settings["faults"]:
            f["match"] = f["match"].replace("PORT0", str(self.world.ports[0]))
        self.world.reset(settings)
        self.attempt(counts, problems, store, "pull", self.host + "/x:one")
        if not problems:
            self.world.reset({**settings, "empty": True})
            self.attempt(counts, problems, store, "push", self.layout["one"], self.host + "/y:one")
        return problems

    def run(self):
        while True:
            try:
                number = self.points.get_nowait()
            except queue.Empty:
                return
            counts = collections.Counter()
            try:
                problems = self.point(number, counts)
            except Exception as e:
                problems = ["%s: %s" % (type(e).__name__, e)]
            self.done.put((number, counts, problems))


def main():
    o = campaign.options(__doc__)
    count = o.points or (SHORT if o.short else LONG)
    subprocess.run([sys.executable, LIB + "/random_layout.py", LAYOUT, "300000", "20000"], check=True)
    layout, points, done, began = judge.read_layout(LAYOUT), queue.Queue(), queue.Queue(), time.time()
    for number in range(count):
        points.put(number)
    for number in range(WORKERS):
        Worker(number, points, o.seed, layout, done).start()
    counts, failed = collections.Counter(), 0
    for _ in range(count):
        number, more, problems = done.get()
        counts += more
        failed += bool(problems)
        for line in problems:
            print("seed %d, point %d: %s" % (o.seed, number, line))
    print("registry: %d points, %d failures, %d s (%s)" % (
        count, failed, time.time() - began, ", ".join("%s %d" % c for c in sorted(counts.items()))))
    sys.exit(failed > 0)


main()
