"""What the campaigns share: the image they build, runs of nacre under strace, and the judgement of a store afterwards.

A point is one run that is disturbed once. After it the store is judged:
  - the next build succeeds and prints the digest of the undisturbed run;
  - tmp/ and trash/ are empty, every blob hashes to its name, every name leads to whole objects, `nacre verify` agrees;
  - after a prune the store takes as much room as after an undisturbed run, within 5 %.

The disturbed run is traced by strace. A tracer without privileges takes those of newuidmap away, so this run is the root
of a user namespace with the same sub-ids and needs no newuidmap; it has a pid namespace too, which dies as a whole. All other
runs are those of a plain user.
"""
import argparse, hashlib, json, os, pathlib, random, re, select, subprocess, sys, time

STATE_CALLS = """openat open creat write writev pwrite64 pwritev copy_file_range sendfile fsync fdatasync syncfs
    rename renameat renameat2 link linkat symlink symlinkat unlink unlinkat mkdir mkdirat ftruncate fallocate chmod fchmod
    fchmodat fchown fchownat lchown utimensat setxattr fsetxattr lsetxattr mount umount2 move_mount setns unshare clone clone3
    pivot_root flock""".split()
# Root already where a campaign runs in a namespace of its own.
AS_ROOT = ["unshare", "--user", "--map-auto", "--map-root-user"] if os.geteuid() else []
ALONE = AS_ROOT + ["--pid", "--fork", "--kill-child", "--mount-proc"]
HANG = 30  # seconds


def options(text, **more):
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="what the test suite runs")
    parser.add_argument("--points", type=int, help="how many points at most")
    parser.add_argument("--seed", type=int, default=1)
    for name, keywords in more.items():
        parser.add_argument("--" + name, **keywords)
    return parser.parse_args()


def sample(points, wanted):
    """Every n-th point, so that `wanted` remain at most."""
    if not wanted or len(points) <= wanted:
        return points
    return [points[int(i * len(points) / wanted)] for i in range(wanted)]


class Image:
    """The context of the build, in the current directory, and what an undisturbed run gives."""

    def __init__(self):
        self.nacre, self.base = os.environ["NACRE"], os.environ["REGISTRY"] + "/busybox"
        self.top = pathlib.Path.cwd() / "campaign"
        self.top.mkdir()
        self.store = self.top / "store"
        self.context, self.other = self.top / "context", self.top / "other"
        noise = random.Random(0)
        for context in self.context, self.other:
            context.mkdir()
            (context / "file").write_text("file\n")
            (context / "noise").write_bytes(noise.randbytes(600000))
            (context / "Dockerfile").write_text(
                "FROM %s\nCOPY file /opt/\nRUN for i in 1 2 3; do echo $i >/srv/$i; done; ln -s 1 /srv/link; rm -r /home/app\n"
                "COPY noise /srv/\n" % self.base)
        self.build = self.build_of(self.context, "-t", "app")
        self.has_verify = "verify" in self.run(["help"])[1]
        self.digest = None
        self.must_run(["pull", self.base])
        self.keep("pulled")
        self.digest = self.must_run(self.build).strip()
        self.keep("built")
        self.must_run(self.build_of(self.other))
        self.keep("full")

    def build_of(self, context, *more):
        return ["build", "-q", "--build-arg", "SOURCE_DATE_EPOCH=1700000000", *more, str(context)]

    def run(self, arguments, timeout=60):
        """Status, output, messages; the status is None when it hangs."""
        try:
            p = subprocess.run([self.nacre, "--store", str(self.store)] + arguments, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout)
        except subprocess.TimeoutExpired:
            return None, "", "still running after %d s" % timeout
        return p.returncode, p.stdout, p.stderr

    def must_run(self, arguments):
        status, out, messages = self.run(arguments)
        if status != 0:
            sys.exit("nacre %s: status %s: %s" % (arguments[0], status, messages))
        return out

    def keep(self, state):
        remove(self.top / state)
        subprocess.run(AS_ROOT + ["cp", "-a", str(self.store), str(self.top / state)], check=True)

    def restore(self, state):
        """The store as it was kept under that name; "empty": none."""
        remove(self.store)
        if state != "empty":
            subprocess.run(AS_ROOT + ["cp", "-a", str(self.top / state), str(self.store)], check=True)

    def whole(self):
        """What is wrong with the blobs and names of the store, as they are."""
        blobs, wrong = self.store / "blobs/sha256", []
        for blob in blobs.iterdir() if blobs.exists() else []:
            if hashlib.sha256(blob.read_bytes()).hexdigest() != blob.name:
                wrong.append("blob %s is damaged" % blob.name)
        return wrong + self.names_are_whole()

    def names_are_whole(self):
        """What names lead to must be there with every byte, at any time."""
        index, wrong = self.store / "index.json", []
        if not index.exists():
            return []
        try:
            todo = json.loads(index.read_bytes())["manifests"]
        except ValueError:
            return ["index.json is damaged"]
        while todo:
            d = todo.pop()
            blob = self.store / "blobs" / d["digest"].replace(":", "/")
            data = blob.read_bytes() if blob.exists() else None
            if data is None or "sha256:" + hashlib.sha256(data).hexdigest() != d["digest"]:
                wrong.append("%s, which a name leads to, is %s" % (d["digest"], "missing" if data is None else "damaged"))
            elif d["mediaType"].endswith("json") and "config" not in d["mediaType"]:
                j = json.loads(data)
                todo += j.get("manifests", []) + j.get("layers", []) + ([j["config"]] if "config" in j else [])
        return wrong

    def unfinished(self):
        return ["%s/%s stays" % (d, n) for d in ("tmp", "trash") if (self.store / d).exists() for n in os.listdir(self.store / d)]

    def judge(self, prune, room=None, may_be_damaged=False):
        """What is wrong after a point; `room`: bytes that the store may take after the prune."""
        wrong = self.names_are_whole() if may_be_damaged else self.whole()
        status, out, messages = self.run(self.build)
        if status != 0 or out.strip() != self.digest:
            wrong.append("the next build: status %s, %s%s" % (status, out.strip(), messages.strip()[-300:]))
        wrong += self.unfinished()
        if may_be_damaged and self.has_verify:
            self.run(["verify", "--repair"])
        wrong += self.whole()
        if self.has_verify:
            status, out, messages = self.run(["verify"])
            if status != 0:
                wrong.append("verify: status %s, %s" % (status, (out + messages).strip()[-300:]))
        inspect = subprocess.run(["skopeo", "inspect", "--raw", "oci:%s:app" % self.store], capture_output=True, text=True)
        if inspect.returncode:
            wrong.append("skopeo: " + inspect.stderr.strip()[-200:])
        status, _, messages = self.run(prune)
        if status != 0:
            wrong.append("prune: status %s, %s" % (status, messages.strip()[-300:]))
        self.room = disk_use(self.store)
        if room and abs(self.room - room) > room * 0.05:
            wrong.append("after a prune it takes %d bytes, undisturbed %d" % (self.room, room))
        return wrong

    def phases(self):
        """Each: name, state before, command, prune that makes stores comparable, room after it."""
        for name, state, command, prune in (
                ("pull", "empty", ["pull", self.base], ["prune"]),
                ("build", "pulled", self.build, ["prune"]),
                ("prune", "full", ["prune", "--all"], ["prune", "--all"])):
            self.restore(state)
            self.must_run(command)
            wrong = self.judge(prune)
            if wrong:
                sys.exit("undisturbed %s: %s" % (name, "; ".join(wrong)))
            yield name, state, command, prune, self.room

    def traced(self, command, strace, kill_all=False, log=None, timeout=HANG):
        """Runs nacre under strace. Status (None: it hangs), messages, whether the fault was met; self.trace is what strace wrote."""
        reader, writer = os.pipe()
        errors = self.top / "messages"
        with open(errors, "wb") as messages, open(self.top / "output", "wb") as out:
            p = subprocess.Popen(
                ALONE + ["strace", "-f", "-o", log or "/dev/fd/%d" % writer] + strace +
                [self.nacre, "--store", str(self.store)] + command,
                stdin=subprocess.DEVNULL, stdout=out, stderr=messages, pass_fds=[writer], start_new_session=True)
        os.close(writer)
        deadline, met, self.trace, status = time.monotonic() + timeout, False, b"", None
        while True:
            ready, _, _ = select.select([reader], [], [], max(0, deadline - time.monotonic()))
            data = os.read(reader, 65536) if ready else b""
            self.trace += data
            met = met or b"(INJECTED" in self.trace[-len(data) - 100:] or b"killed by SIGKILL" in self.trace[-len(data) - 100:]
            if not data or (met and kill_all):
                break
        if data or not ready:
            p.kill()
            p.wait()
            # All processes of the run hold the other end. A killed one dies a moment later, and until then has its locks.
            while select.select([reader], [], [], HANG)[0] and os.read(reader, 65536):
                pass
        else:
            try:
                status = p.wait(5)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        os.close(reader)
        return status, errors.read_text(errors="replace"), met

    def calls(self, command, kinds=STATE_CALLS):
        """How often one process of an undisturbed run does each call: {call: most}."""
        log = self.top / "calls"
        self.traced(command, ["-qq", "-e", "trace=" + ",".join("?" + c for c in kinds)], log=str(log))
        counts = {}
        for line in log.read_text(errors="replace").splitlines():
            m = re.match(r"(\d+) +(\w+)\((.*)", line)
            if m:
                counts.setdefault(m[2], {}).setdefault(m[1], 0)
                counts[m[2]][m[1]] += 1
        return {call: max(by_process.values()) for call, by_process in counts.items()}


class Report:
    """Counts points, prints what fails and at the end one line of figures."""

    def __init__(self, name):
        self.name, self.points, self.failures, self.notes, self.began = name, 0, 0, {}, time.monotonic()

    def point(self, what, wrong):
        self.points += 1
        if wrong:
            self.failures += 1
            print("FAIL %s: %s" % (what, "; ".join(wrong[:4])), flush=True)

    def note(self, what):
        self.notes[what] = self.notes.get(what, 0) + 1

    def end(self):
        notes = "".join(", %d %s" % (n, what) for what, n in sorted(self.notes.items()))
        print("%s: %d points, %d failures%s, %.0f s" % (self.name, self.points, self.failures, notes, time.monotonic() - self.began))
        sys.exit(1 if self.failures or not self.points else 0)


def names_object(messages):
    """Whether the error tells more than the call and the errno: a path, a digest, an address, a worker by its name."""
    text = messages.rpartition("nacre: error: ")[2].partition("; `nacre du`")[0]
    return re.search(r"[/:.()\d][\w/-]|/ ", text.rpartition(": ")[0]) is not None


def remove(path):
    if path.exists():
        subprocess.run(AS_ROOT + ["rm", "-rf", str(path)], check=True)


def disk_use(path):
    out = subprocess.run(AS_ROOT + ["du", "-sk", str(path)], check=True, capture_output=True, text=True).stdout
    return int(out.split()[0]) * 1024
