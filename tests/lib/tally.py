#!/usr/bin/env python3
"""Count the results in meson's JSON test logs: each line of TAP where a test prints TAP, else each program.

    tally.py LOG… BROKEN…     prints what failed, and at the end "N passed, M failed"

A LOG is a file whose name ends in .json; anything else names a build that is broken, which counts as one failure.
"""
import json, os, re, sys

LINE = re.compile(r"^(not )?ok\b(?:\s+\d+)?(?:\s+-)?\s*(.*)$", re.M)


def main():
    passed = failed = skipped = known = 0
    bad = []
    for log in sys.argv[1:]:
        if not log.endswith(".json"):
            failed += 1
            bad.append("%s does not build" % log)
            continue
        if not os.path.exists(log):
            failed += 1
            bad.append("%s was not written: the tests did not run" % log)
            continue
        with open(log, encoding="utf-8") as f:
            for line in f:
                test = json.loads(line)
                failures = 0
                results = LINE.findall(test.get("stdout") or "")
                for no, text in results:
                    if re.search(r"# *TODO\b", text):
                        known += 1
                    elif re.search(r"# *SKIP\b", text):  # cmocka prints "not ok" before it
                        skipped += 1
                    elif no:
                        failures += 1
                        bad.append("%s: %s" % (test["name"], text))
                    else:
                        passed += 1
                # A program that died, timed out or printed no TAP counts as one.
                if test["result"] in ("OK", "EXPECTEDFAIL"):
                    passed += not results
                elif test["result"] == "SKIP":
                    skipped += not results
                elif not failures:
                    failures = 1
                    bad.append("%s: %s" % (test["name"], test["result"]))
                failed += failures
    for text in bad:
        print("failed: " + text)
    if known or skipped:
        print("%d known shortfalls, %d skipped" % (known, skipped))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
