#!/usr/bin/env python3
"""Power cuts: a pull, a build, one that only adds a label and one with large trees are recorded, then replayed up to a call, and what was not synced is lost.

strace records, with their bytes, the calls by which nacre changes files of the store. The replay keeps two states: what programs see
and what is surely on disk (after fsync of a file, fsync of its directory, or syncfs). At a cut each file that was not synced is empty,
short or full of zeros, and each name made, moved or removed since its directory was synced is there or not, by chance. Trees of
snapshots are taken as a whole: those published after the last syncfs lose the contents of their files. The boot id in records
becomes another one, as after a real start.

Then names lead to whole objects at once, and the next build gives the same digest.
"""
import os, pathlib, random, re, subprocess, sys

import campaign

SHORT, LONG = 20, 400
CALLS = "openat write pwrite64 ftruncate fsync fdatasync syncfs rename renameat renameat2 link linkat unlink unlinkat mkdir mkdirat"
BOOT = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
LATER = "0" * 8 + BOOT[8:]
TREE = re.compile(r"(snap/[0-9a-f]{64}|(tmp|trash)/[0-9a-f]{32})(/.*)$")


def text(hexed):
    return bytes.fromhex(hexed.replace("\\x", ""))


def joined(log):
    """(call, arguments, result, number of the line where it began), each when it had returned."""
    open_calls = {}
    for number, line in enumerate(log.read_text().splitlines()):
        pid, _, rest = line.partition(" ")
        rest, began = rest.strip(), number
        m = re.match(r"<\.\.\. \w+ resumed>(.*)", rest)
        if m and pid in open_calls:
            head, began = open_calls.pop(pid)
            rest = head + m[1]
        if rest.endswith("<unfinished ...>"):
            open_calls[pid] = rest[:-len("<unfinished ...>")].rstrip(), number
            continue
        m = re.match(r"(\w+)\((.*)\) += (\d+)", rest)
        if m:
            yield m[1], m[2], int(m[3]), began


class Disk:
    """Names to files; a file is [bytes seen, bytes on disk or None]. Directories and trees have None for bytes."""

    def __init__(self, store):
        self.store, self.names, self.durable, self.trees, self.dirty_at = str(store), {}, {}, {}, 0

    def path(self, at, name):
        path = os.path.normpath(os.path.join(at, name))
        if not path.startswith(self.store + "/"):
            return None
        path = path[len(self.store) + 1:]
        return None if TREE.match(path) else path

    def apply(self, call, args, result, began):
        """True when it changed something of the store."""
        fds = [text(f).decode() for f in re.findall(r"(?:AT_FDCWD|\b\d+)<((?:\\x..)+)>", args)]
        strings = [text(s) for s in re.findall(r'"((?:\\x..)*)"', args)]
        if call == "openat":
            path = self.path(fds[0], strings[0].decode())
            if not path or "O_CREAT" not in args or path in self.names:
                return False
            self.names[path] = [b"", None]
        elif call in ("write", "pwrite64"):
            path = self.path("/", fds[0])
            if not path or path not in self.names:
                return False
            self.names[path][0] += strings[0][:result]
        elif call in ("fsync", "fdatasync"):
            self.sync(self.path("/", fds[0]) if fds[0] != self.store else "")
        elif call == "syncfs":
            self.sync_all()
        elif call in ("mkdir", "mkdirat"):
            path = self.path(fds[0], strings[0].decode())
            if not path:
                return False
            self.names[path] = [None, None]
        elif call.startswith(("rename", "link")):
            return self.move(self.path(fds[0], strings[0].decode()), self.path(fds[1], strings[1].decode()), call)
        elif call.startswith("unlink"):
            return self.names.pop(self.path(fds[0], strings[0].decode()), None) is not None
        return True

    def move(self, old, new, call):
        if not new:
            return False
        self.names[new] = self.names.get(old) or [None, None]
        if call.startswith("rename"):
            self.names.pop(old, None)
        return True

    def sync(self, path):
        if path in self.names and self.names[path][0] is not None:
            self.names[path][1] = self.names[path][0]
            return
        inside = lambda n: os.path.dirname(n) == path
        self.durable = {n: f for n, f in self.durable.items() if not inside(n)}
        self.durable.update({n: f for n, f in self.names.items() if inside(n)})

    def sync_all(self):
        for f in self.names.values():
            f[1] = f[0] if f[0] is not None else b""
        self.durable = dict(self.names)

    def after_cut(self, dice):
        """What is there when the power comes back: {name: bytes, or None for a directory or tree}, and which trees are damaged."""
        mode, found, damaged = dice.choice(["none", "all", "some"]), {}, set()
        for name in sorted(self.names.keys() | self.durable.keys()):
            seen, kept = self.names.get(name), self.durable.get(name)
            lost = mode == "none" or (mode == "some" and dice.random() < 0.5)
            f = seen if seen is kept or not lost else kept
            if not f:
                continue
            if f[0] is None:
                found[name] = None
                if f[1] is None:
                    damaged.add(name)
            else:
                found[name] = f[0] if f[1] == f[0] else self.torn(f[0], dice)
        return found, damaged

    def torn(self, data, dice):
        return dice.choice([b"", data[:len(data) // 2], bytes(len(data)), data[:len(data) // 2] + bytes(len(data) - len(data) // 2)])


def write_store(image, found, damaged):
    """Makes the store so; what is kept as "final" has the trees."""
    campaign.remove(image.store)
    image.store.mkdir(mode=0o700)
    for name, data in sorted(found.items()):
        path = image.store / name.replace(BOOT, LATER)
        path.parent.mkdir(parents=True, exist_ok=True)
        tree = image.top / "final" / name
        if data is not None:
            path.write_bytes(data.replace(BOOT.encode(), LATER.encode()))
        elif re.fullmatch(r"snap/[0-9a-f]{64}", name) and tree.exists():
            if not path.exists():
                subprocess.run(campaign.AS_ROOT + ["cp", "-a", str(tree), str(path)], check=True)
            if name in damaged:
                subprocess.run(campaign.AS_ROOT + ["find", str(path), "-type", "f", "-exec", "truncate", "-s", "0", "{}", "+"])
        else:
            path.mkdir(exist_ok=True)


def large(image):
    """A build whose trees are too large to be synced with its names."""
    context = image.top / "large"
    context.mkdir()
    (context / "noise").write_bytes(random.Random(1).randbytes(9000000))
    (context / "Dockerfile").write_text("FROM %s\nCOPY noise /srv/\nRUN echo >/srv/done\n" % image.base)
    return image.build_of(context, "-t", "large")


def record(image):
    """The calls of a pull and three builds into an empty store; the store they made is kept as "final"."""
    calls = []
    image.restore("empty")
    labelled = image.build_of(image.context, "-t", "labelled", "--label", "a=b")
    for command in ["pull", image.base], image.build, labelled, large(image):
        log = image.top / "power"
        image.traced(command, ["-qq", "-y", "-xx", "-s", "4000000", "-e", "signal=none", "-e", "trace=" + ",".join(CALLS.split())],
                     log=str(log), timeout=120)
        calls += list(joined(log))
    image.keep("final")
    return calls


def main():
    opts = campaign.options(__doc__)
    image, report = campaign.Image(), campaign.Report("power")
    calls, dice = record(image), random.Random(opts.seed)
    disk, changes = Disk(image.store), []
    for i, call in enumerate(calls):
        if disk.apply(*call):
            changes.append(i)
    if not any(n.startswith("blobs/sha256/") for n in disk.durable) or "index.json" not in disk.durable:
        sys.exit("the record is not understood: %d calls, %d changes, %s" % (len(calls), len(changes), sorted(disk.durable)[:5]))
    for cut in campaign.sample(changes, opts.points or (SHORT if opts.short else LONG)) + changes[-1:]:
        disk = Disk(image.store)
        for call in calls[:cut + 1]:
            disk.apply(*call)
        found, damaged = disk.after_cut(dice)
        write_store(image, found, damaged)
        report.note("with damaged trees" if damaged & {n for n in found if n.startswith("snap/")} else "without")
        report.point("after call %d, %s" % (cut, calls[cut][0]), image.judge(["prune"], may_be_damaged=True))
    report.end()


main()
