#!/usr/bin/env python3
"""The store on a tmpfs of every size from 1 MiB to what a pull and a build need.

Each fails with the status for a full disk and a message that says so and names the object, or succeeds with the digest of the undisturbed run. After a
failure nothing unfinished stays, what names lead to is whole, and once there is room the same commands succeed.
"""
import os, subprocess, sys

import campaign

SHORT, LONG = 10, 200
MIB = 1 << 20
FULL = 11  # exit_codes.h


def wrong_with(image, status, messages):
    if status is None:
        return ["it hangs"]
    if status == 0:
        return []
    if status != FULL or "No space left" not in messages or not campaign.names_object(messages):
        return ["status %d, %s" % (status, messages.strip()[-300:])]
    return []


def one(image, size):
    """A store of that size; whether all succeeded, and what is wrong."""
    image.store.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d" % size, "none", str(image.store)], check=True)
    wrong, full = [], False
    for command in ["pull", image.base], image.build:
        status, out, messages = image.run(command)
        wrong += wrong_with(image, status, messages) + image.names_are_whole()
        if command[0] == "build" and status == 0 and out.strip() != image.digest:
            wrong.append("success with " + out)
        if status:
            full = True
            wrong += image.unfinished()
    subprocess.run(["mount", "-o", "remount,size=%d" % (100 * MIB), str(image.store)], check=True)
    wrong += image.judge(["prune"])
    subprocess.run(["umount", str(image.store)], check=True)
    image.store.rmdir()
    return not full, wrong


def need(image):
    """The least size that suffices, to the MiB."""
    size = MIB
    while not one(image, size)[0]:
        size += MIB
    return size


def main():
    opts = campaign.options(__doc__)
    if "SPACE_NAMESPACE" not in os.environ:
        os.environ["SPACE_NAMESPACE"] = "1"
        os.execvp("unshare", campaign.AS_ROOT + ["--mount", sys.executable, "-u"] + sys.argv)
    image, report = campaign.Image(), campaign.Report("space")
    campaign.remove(image.store)
    top, steps = need(image), opts.points or (SHORT if opts.short else LONG)
    for i in range(steps):
        size = MIB + (top - MIB) * i // (steps - 1) // 4096 * 4096
        succeeded, wrong = one(image, size)
        report.note("succeeded" if succeeded else "full")
        report.point("%d bytes" % size, wrong)
    report.end()


main()
