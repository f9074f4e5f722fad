#!/usr/bin/env python3
"""Calls that fail: ENOSPC, EDQUOT, EIO, EROFS, EMFILE, ENOMEM and EINTR at the k-th call of a kind, in a pull, a build, a prune.

nacre succeeds with the same digest, or fails with a message that names the error and the object, and with the exit status of a full
disk where it is one; it neither crashes nor hangs. After EINTR it succeeds. Every process meets the error at its own k-th call.
"""
import errno, itertools, os, random, re

import campaign

SHORT, LONG = 40, 2000
FULL = 11  # exit_codes.h
# What the kernel may answer to which call; open(2), write(2), fsync(2), rename(2) …
SPACE = "openat creat write writev pwrite64 fsync fdatasync syncfs rename renameat renameat2 link linkat symlink symlinkat mkdir " \
        "mkdirat ftruncate fallocate copy_file_range sendfile setxattr fsetxattr lsetxattr"
METADATA = "unlink unlinkat chmod fchmod fchmodat fchown fchownat lchown utimensat"
READ = "read pread64 getdents64 readlinkat newfstatat statx openat2"
MOUNT = "mount fsopen fsconfig fsmount move_mount open_tree mount_setattr pivot_root"
# Calls on something that has a name. A process, a namespace or a pipe has none.
NAMED = set((SPACE + " " + METADATA + " " + READ).split())
PROCESS = "clone clone3 vfork unshare setns sendto"
FDS = "openat openat2 socket pipe2 socketpair dup dup3 signalfd4 pidfd_open epoll_create1 eventfd2 open_tree fsopen fsmount"
MAY_FAIL = {
    "ENOSPC": SPACE, "EDQUOT": SPACE, "EIO": SPACE + " " + METADATA + " " + READ,
    "EROFS": SPACE.replace("write", "") + " " + METADATA, "EMFILE": FDS,
    "ENOMEM": "openat openat2 mkdirat renameat renameat2 newfstatat getdents64 " + MOUNT + " " + PROCESS,
    # Not openat: the kernel starts it again by itself where no handler of signals runs, and nacre has none.
    "EINTR": "write pwrite64 read pread64 fsync syncfs flock wait4 waitid poll ppoll copy_file_range sendto",
}


def loader_failed(status, messages):
    """Before nacre begins the calls are the loader's. It names the library; it does not know EINTR, and tells that as a number."""
    return status == 127 and re.search(r"error while loading shared libraries: \S*lib\S+: .*: ", messages)


def met_at_stream(image, number):
    return re.search(rb"\bwrite\(%d[<,].*\(INJECTED\)" % number, image.trace)


def lost_message(image, messages):
    """The call that failed is the one that writes the message."""
    return "nacre: error:" not in messages and met_at_stream(image, 2)


def named_as_called(image, messages):
    """Whether the error has the last component of a path of the failing call, its own or that of its descriptor: "open opt"."""
    calls = " ".join(l for l in image.trace.decode(errors="replace").splitlines() if "(INJECTED)" in l)
    paths = itertools.chain(*re.findall(r'"([^" ]+)"|<(/[^>]+)>', calls))
    names = {path.rpartition("/")[2] for path in paths}
    text = messages.rpartition("nacre: error: ")[2]
    return any(re.search(r" %s\b" % re.escape(name), text) for name in names if len(name) > 1)


def wrong_with(image, name, call, error, status, messages):
    """What is wrong with how nacre took it."""
    if status is None:
        return ["it hangs"]
    if loader_failed(status, messages):
        return []
    if status > 100 or status < 0 or "was killed by signal" in messages:
        return ["it crashes: status %d, %s" % (status, messages.strip()[-300:])]
    if status == 0:
        output = (image.top / "output").read_text().strip()
        return ["success with %s" % output] if name == "build" and output != image.digest else []
    if error == "EINTR":
        # What stdio could not write is lost to it.
        return [] if met_at_stream(image, 1) else ["EINTR is an error: " + messages.strip()[-300:]]
    if lost_message(image, messages):
        return []
    if os.strerror(getattr(errno, error)).lower() not in messages.lower():
        return ["the message does not tell: status %d, %s" % (status, messages.strip()[-300:])]
    if call in NAMED and not campaign.names_object(messages) and not named_as_called(image, messages):
        return ["the message names no object: " + messages.strip()[-300:]]
    if error in ("ENOSPC", "EDQUOT") and status != FULL:
        return ["status %d, %s" % (status, messages.strip()[-300:])]
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
            command, ["-y", "-e", "trace=" + call, "--inject=%s:error=%s:when=%d" % (call, error, k)])
        wrong = wrong_with(image, name, call, error, status, messages)
        report.note("not met" if not met else "succeeded" if status == 0 else "failed")
        report.point("%s, %s at %s %d" % (name, error, call, k), wrong + image.judge(prune, room))
    report.end()


main()
