#!/usr/bin/env python3
"""Calls that fail: ENOSPC, EDQUOT, EIO, EROFS, EMFILE, ENOMEM and EINTR at the k-th call of a kind, in a pull, a build, a prune.

nacre succeeds with the same digest, or fails with a message that names the error; it neither crashes nor hangs. After EINTR it
succeeds. Every process meets the error at its own k-th call.
"""
import errno, itertools, os, random

import campaign

SHORT, LONG = 40, 2000
# What the kernel may answer to which call; open(2), write(2), fsync(2), rename(2) …
SPACE = "openat creat write writev pwrite64 fsync fdatasync syncfs rename renameat renameat2 link linkat symlink symlinkat mkdir " \
        "mkdirat ftruncate fallocate copy_file_range sendfile setxattr fsetxattr lsetxattr"
METADATA = "unlink unlinkat chmod fchmod fchmodat fchown fchownat lchown utimensat"
PROCESS = "clone clone3 mount unshare"
MAY_FAIL = {
    "ENOSPC": SPACE, "EDQUOT": SPACE, "EIO": SPACE + " " + METADATA + " read", "EROFS": SPACE.replace("write", "") + " " + METADATA,
    "EMFILE": "openat socket pipe2 socketpair dup", "ENOMEM": "openat mkdirat renameat renameat2 " + PROCESS,
    # Not openat: what nacre opens are no FIFOs.
    "EINTR": "write pwrite64 read fsync flock wait4 waitid poll ppoll",
}


def wrong_with(image, name, call, error, status, messages):
    """What is wrong with how nacre took it."""
    if status is None:
        return ["it hangs"]
    # Before nacre begins the calls are the loader's.
    if "error while loading shared libraries" in messages:
        return []
    if status > 100 or status < 0 or "was killed by signal" in messages:
        return ["it crashes: status %d, %s" % (status, messages.strip()[-300:])]
    if status == 0:
        output = (image.top / "output").read_text().strip()
        return ["success with %s" % output] if name == "build" and output != image.digest else []
    if error == "EINTR":
        return ["EINTR is an error: " + messages.strip()[-300:]]
    # The call that failed may be the one that writes the message.
    if call == "write" and "nacre: error:" not in messages:
        return []
    if os.strerror(getattr(errno, error)).lower() not in messages.lower():
        return ["the message does not tell: status %d, %s" % (status, messages.strip()[-300:])]
    return []


def points_of(image, command):
    wanted = set(itertools.chain(*(calls.split() for calls in MAY_FAIL.values())))
    most = image.calls(command, sorted(wanted))
    return [(error, call, k) for error, calls in MAY_FAIL.items() for call in calls.split() for k in range(1, most.get(call, 0) + 1)]


def main():
    opts = campaign.options(__doc__)
    image, report = campaign.Image(), campaign.Report("errors")
    points = []
    for phase in image.phases():
        image.restore(phase[1])
        points += [(phase,) + p for p in points_of(image, phase[2])]
    random.Random(opts.seed).shuffle(points)
    for (name, state, command, prune, room), error, call, k in points[:opts.points or (SHORT if opts.short else LONG)]:
        image.restore(state)
        status, messages, met = image.traced(
            command, ["-e", "trace=" + call, "--inject=%s:error=%s:when=%d" % (call, error, k)])
        wrong = wrong_with(image, name, call, error, status, messages)
        report.note("not met" if not met else "succeeded" if status == 0 else "failed")
        report.point("%s, %s at %s %d" % (name, error, call, k), wrong + image.judge(prune, room))
    report.end()


main()
