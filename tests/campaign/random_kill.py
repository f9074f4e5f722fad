#!/usr/bin/env python3
"""SIGKILL for the process group of a plain user's nacre, at a random time in a pull, a build or a prune.

Nothing is traced here, so a run is as fast and as privileged as any other. What leaves the group (RUN) must die with it.
"""
import os, random, signal, subprocess, time

import campaign

SHORT, LONG = 15, 500


def start(image, command):
    return subprocess.Popen([image.nacre, "--store", str(image.store)] + command, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def family(pid):
    """The processes below this one."""
    children = {}
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % p) as f:
                children.setdefault(int(f.read().rpartition(")")[2].split()[1]), []).append(int(p))
        except OSError:
            pass
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def survivors(store, killed):
    """Processes of a run, by the store on their command line or by descent (those of RUN); they have a moment to go."""
    deadline = time.monotonic() + 5
    while True:
        found = [p for p in filter(str.isdigit, os.listdir("/proc")) if is_of(p, store) or int(p) in killed]
        if not found or time.monotonic() > deadline:
            return ["process %s stays" % p for p in found]
        time.sleep(0.02)


def is_of(pid, store):
    try:
        with open("/proc/%s/cmdline" % pid, "rb") as f:
            return os.fsencode(str(store)) in f.read()
    except OSError:
        return False


def main():
    opts = campaign.options(__doc__)
    image, report, dice = campaign.Image(), campaign.Report("random_kill"), random.Random(opts.seed)
    phases = []
    for phase in image.phases():
        image.restore(phase[1])
        began = time.monotonic()
        start(image, phase[2]).wait()
        phases.append((phase, time.monotonic() - began))
    for i in range(opts.points or (SHORT if opts.short else LONG)):
        (name, state, command, prune, room), takes = phases[i % len(phases)]
        image.restore(state)
        after = dice.uniform(0, takes)
        run = start(image, command)
        time.sleep(after)
        killed = []
        try:
            os.killpg(run.pid, signal.SIGSTOP)
            killed = family(run.pid)
            os.killpg(run.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        report.note("killed" if run.wait() == -signal.SIGKILL else "too late")
        report.point("%s, after %.4f s of %.4f" % (name, after, takes), survivors(image.store, killed) + image.judge(prune, room))
    report.end()


main()
