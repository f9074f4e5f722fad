#!/usr/bin/env python3
"""Compare a report of conform.py with the list of known shortfalls, as TAP.

    judge.py REPORT LIST [--core PERCENT] [--print]

One line of LIST is `group/name: check[,check] - reason`. A case passes when its failing checks are those of its line,
none without a line. A case that fails more fails; one that fails less fails too, until its line is shortened or deleted:
the list only shrinks. --core: also demand that so many percent of the cases conform in outcome, config and rootfs.
--print: print LIST as it should be now instead, with the first difference as the reason of new lines.
"""
import argparse, json, re, sys

CORE = ("outcome", "config", "rootfs")
HEAD = """# Conformance cases that fall short, one per line: group/name: check[,check] - reason
# tests/conformance/run.sh fails when a case fails that is not here, and when one passes that is: the list only shrinks.
"""


def read_list(path):
    known = {}
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if not line.strip() or line.startswith("#"):
                continue
            m = re.fullmatch(r"(\S+/\S+): ([a-z,]+) - (\S.*)\n", line)
            if not m:
                sys.exit("%s:%d: not `group/name: check[,check] - reason`" % (path, number))
            if m[1] in known:
                sys.exit("%s:%d: %s is listed twice" % (path, number, m[1]))
            known[m[1]] = (set(m[2].split(",")), m[3])
    return known


def first_problem(checks, failing):
    text = checks[sorted(failing, key=list(checks).index)[0]][0]
    return re.sub(r"\s+", " ", text).strip()[:160]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("report")
    ap.add_argument("list")
    ap.add_argument("--core", type=float, default=0)
    ap.add_argument("--print", action="store_true")
    o = ap.parse_args()
    with open(o.report, encoding="utf-8") as f:
        cases = json.load(f)["cases"]
    known = read_list(o.list)
    failing = {c["case"]: {k for k, v in c["checks"].items() if v} for c in cases}
    checks = {c["case"]: c["checks"] for c in cases}
    if o.print:
        print(HEAD, end="")
        for name in sorted(failing):
            if failing[name]:
                reason = known[name][1] if name in known else first_problem(checks[name], failing[name])
                print("%s: %s - %s" % (name, ",".join(k for k in checks[name] if k in failing[name]), reason))
        return 0

    bad = 0
    for number, name in enumerate(sorted(failing), 1):
        fails, (listed, reason) = failing[name], known.get(name, (set(), ""))
        if fails == listed:
            print("ok %d - %s" % (number, name) if not fails else "not ok %d - %s # TODO %s" % (number, name, reason))
            continue
        bad += 1
        print("not ok %d - %s" % (number, name))
        for check in sorted(fails - listed):
            for problem in checks[name][check][:4]:
                print("# %s: %s" % (check, re.sub(r"\s+", " ", problem)[:300]))
        if listed - fails:
            print("# passes now, shorten its line in %s: %s" % (o.list, ",".join(sorted(listed - fails))))
    number = len(failing)
    for name in sorted(set(known) - set(failing)):
        number, bad = number + 1, bad + 1
        print("not ok %d - %s is listed but is no case that ran" % (number, name))
    if o.core:
        number += 1
        core = sum(not (f & set(CORE)) and "harness" not in f for f in failing.values())
        good = 100.0 * core >= o.core * len(failing)
        bad += not good
        print("%s %d - outcome, config and rootfs are right in %d of %d cases (wanted: %g %%)" %
              ("ok" if good else "not ok", number, core, len(failing), o.core))
    print("1..%d" % number)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
