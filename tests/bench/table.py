#!/usr/bin/env python3
"""One table: what nacre is to reach, what it needs, what the same machine needs at that moment for the bare work.

Runs bench.py for nacre and judges its figures by the goals below.  Exit status 1 if one is missed or has no figure.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass

from bench import seconds
from data import MB

MEMORY = 64 * MB                    # of the whole process tree, in every row
NOISE = 0.25                        # more of the processors at other work, the disk's included: figures not to be trusted


@dataclass
class Goal:
    """Bounds of one phase of one case; a row of the table.  Without any bound it is only shown."""
    workload: str
    case: str
    phase: str
    limit: str = None               # how the label of the limit begins; the ratio is to this one
    most: float = None              # seconds
    times: float = None             # times the limit
    slack: float = None             # the limit and so many seconds
    before: str = None              # grows at most 1.5 times from this case, per unit
    programs: bool = False          # RUN's own programs are large: their memory is not counted

    def text(self):
        parts = [f"<= {seconds(self.most)}"] if self.most else []
        parts += [f"<= {self.times:g} x limit"] if self.times else []
        parts += [f"<= limit + {seconds(self.slack)}"] if self.slack else []
        parts += [f"<= 1.5 x {self.before}"] if self.before else []
        return ", ".join(parts) or "(shown)"


def growth(env, name, unit, suffix):
    """A row per size: linear if a unit costs as much among many as among few."""
    cases = [f"{n} {suffix}" for n in str(env[name]).split(",")]
    return [Goal("growth", case, unit, before=before) for case, before in zip(cases, [None, *cases])]


def goals(env):
    scale = env["scale.files"].split(",")
    stat, tar = "stat every file", "tar | sha256 | "
    cold = "blob | sha256 | gzip -dc | "
    return [
        Goal("start-up", "version", "run", "true, static", most=0.003),
        Goal("noop", "cached", "build", stat, most=0.015, slack=0.005),
        *[Goal("scale", f"{n} files", "build", stat) for n in scale[:-1]],
        Goal("scale", f"{scale[-1]} files", "build", stat, times=1),
        Goal("run-overhead", "no cache", "per RUN", "unshare", most=0.005, times=3),
        Goal("copy-large", "zstd", "build+write", tar + "zstd", times=1.15),
        Goal("copy-large", "gzip", "build+write", tar + "gzip", times=1.15),
        Goal("copy-many", "zstd", "build+write", tar + "zstd", times=1.3),
        Goal("copy-many", "gzip", "build+write", tar + "gzip", times=1.3),
        Goal("incremental", "1 changed", "build", tar + "zstd", most=0.5, times=1.3),
        Goal("parallel", "default flags", "build", "sleep", most=env["parallel.sleep"] + 0.1),
        Goal("base-cold", "cold", "build", cold + "tar", times=0.75),
        Goal("base-cold", "cold", "build", cold + "sha256"),
        Goal("base-cold-norun", "cold", "build+write", "fetch", times=1.2),
        Goal("many-layers", "no cache", "build", most=0.6),
        Goal("many-layers", "cached", "build", most=0.02),
        Goal("apt-install", "cold", "build", "unpack base", times=1.1, programs=True),
        Goal("apt-install", "server.go changed", "build", most=0.015),
        *growth(env, "growth.files", "per file", "files"),
        *growth(env, "growth.layers", "per layer", "layers"),
        *growth(env, "growth.mb", "per GiB", "MiB"),
    ]


class Figures:
    """The rows of one or more reports of bench.py; a later report of a case replaces an earlier one."""

    def __init__(self, reports):
        self.rows, self.machine, self.skipped = {}, reports[0]["machine"], {}
        self.params, self.quick = reports[0]["params"], any(r["quick"] for r in reports)
        for name, entry in ((n, e) for r in reports for n, e in r["workloads"].items()):
            for row in entry["rows"]:
                if "skipped" in row:
                    self.skipped[name] = row["skipped"]
                else:
                    self.rows[name, row["case"], row["phase"], row["builder"]] = row

    def of(self, goal, who="nacre"):
        row = self.rows.get((goal.workload, goal.case, goal.phase, who))
        return row if row and row["wall"] else None

    def limit(self, goal):
        for (name, case, phase, who), row in self.rows.items():
            if (name, case, phase) == (goal.workload, goal.case, goal.phase) and row["wall"] and goal.limit \
                    and who.startswith("limit: " + goal.limit):
                return row

    def samples(self, goal, key, who="nacre"):
        """Of all phases of the case: a derived one has times only."""
        return [value for (name, case, _, builder), row in self.rows.items()
                if (name, case, builder) == (goal.workload, goal.case, who) for value in row[key]]


def median(row):
    return statistics.median(row["wall"]) if row else None


def ratio(figures, goal):
    """To the limit, or of a unit to what it cost in the size before."""
    mine, limit = median(figures.of(goal)), median(figures.limit(goal))
    if goal.before:
        smaller = Goal(goal.workload, goal.before, goal.phase)
        limit = median(figures.of(smaller))
    return mine / limit if mine and limit else None


def bounds(figures, goal):
    """The bounds of time that hold and that do not, as truth values; none in a run of small sizes."""
    if figures.quick:
        return []
    mine, limit, x = median(figures.of(goal)), median(figures.limit(goal)), ratio(figures, goal)
    held = [mine <= goal.most] if goal.most else []
    held += [limit is not None and mine <= limit + goal.slack] if goal.slack else []
    held += [x is not None and x <= (goal.times or 1.5)] if goal.times or goal.before else []
    return held


def verdict(figures, goal, peak):
    held = bounds(figures, goal)
    missed = ["time"] * (not all(held)) + ["memory"] * (peak > MEMORY)
    return f"MISSED ({', '.join(missed)})" if missed else "ok" if held else "-"


def line(figures, goal, beside):
    name = f"{goal.workload}, {goal.case}" + (f", {goal.phase}" if goal.phase.startswith("per ") else "")
    row, x = figures.of(goal), ratio(figures, goal)
    limit = figures.limit(goal)
    label = f" ({limit['builder'].removeprefix('limit: ')})" if limit else ""
    if not row:
        why = figures.skipped.get(goal.workload)
        cells = [name, goal.text(), "", "", "", "", *([""] if beside else []), "", f"skipped: {why}" if why else "NO FIGURE"]
        return cells
    peak = max(figures.samples(goal, "own" if goal.programs else "rss"), default=0)
    other = sum(figures.samples(goal, "other")) / (sum(figures.samples(goal, "wall")) * os.cpu_count())
    cells = [name, goal.text(), f"{seconds(median(row))} ({seconds(min(row['wall']))})",
             seconds(median(limit)) + label if limit else "", f"{x:.2f}" if x else "",
             f"{peak / MB:.0f}" + (" (without RUN's programs)" if goal.programs else "")]
    if beside:
        cells.append(seconds(median(theirs)) if (theirs := figures.of(goal, "buildah")) else "")
    return cells + [f"{other:.0%}", verdict(figures, goal, peak)]


def table(figures, workloads, beside):
    """The text, and whether every goal was reached."""
    lines = [["workload", "reach", "nacre: median (min)", "limit", "ratio", "peak MiB", *(["buildah"] if beside else []),
              "others", "verdict"]]
    lines += [line(figures, goal, beside) for goal in goals(figures.params) if goal.workload in workloads]
    widths = [max(map(len, column)) for column in zip(*lines)]
    drawn = ["| " + " | ".join(cell.replace("|", "/").ljust(w) for cell, w in zip(cells, widths)) + " |" for cells in lines]
    drawn.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(drawn), not any(cells[-1].startswith(("MISSED", "NO")) for cells in lines[1:])


def notes(figures):
    yield "- " + figures.machine["machine"] + ", " + figures.machine["date"]
    yield f"- peak: resident memory of the whole process tree, RUN's programs included; in every row at most {MEMORY // MB} MiB"
    if figures.quick:
        yield "- small sizes: times are not judged"
    rows = [r for r in figures.rows.values() if sum(r["wall"]) > 0.5 and r["other"] and not r.get("limit")]
    loud = [r for r in rows if sum(r["other"]) > NOISE * sum(r["wall"]) * os.cpu_count()]
    if loud:
        yield f"- NOT QUIET: in {len(loud)} of {len(rows)} longer rows other work took more than {NOISE:.0%} of the processors; wait, or --settle 10"
    if "without a journal" in figures.machine["machine"]:
        yield "- NO JOURNAL: figures of cold builds are not to be trusted here"


def run(args, names, extra, report):
    """bench.py for these workloads; False when a build failed."""
    me = os.path.dirname(os.path.abspath(__file__))
    command = [sys.executable, f"{me}/bench.py", "-b", "nacre", *(["--bin", f"nacre={args.nacre}"] if args.nacre else []),
               *(["-b", "buildah"] if args.buildah else []), "-w", ",".join(names), "--json", report,
               "--markdown", report + ".md", "--work", args.work, "--settle", str(args.settle),
               *(["-n", str(args.n)] if args.n else []), *(["--quick"] if args.quick else []), *extra]
    return subprocess.run(command).returncode == 0


def measure(args, workloads):
    """Reports of the workloads; those that need a Debian base in a run of its own, with that base."""
    reports, good = [], True
    os.makedirs(args.work, exist_ok=True)
    debian = [w for w in workloads if w == "apt-install"]
    plain = [f"{w}:{c}" for w in workloads if w not in debian for c in CASES.get(w, [None])]
    plain = [w.removesuffix(":None") for w in plain]
    for names, extra in ((plain, []),
                         (debian, ["--serve", args.apt, "--small", "latest", "--base", "latest"] if args.apt else [])):
        if names:
            report = os.path.join(args.work, f"report{len(reports)}.json")
            good = run(args, names, extra, report) and good
            with open(report) as f:
                reports.append(json.load(f))
    return reports, good


# What nobody has set a goal for is not run.
CASES = {"copy-large": ["zstd", "gzip"], "copy-many": ["zstd", "gzip"], "parallel": ["default flags"]}


def main():
    from workloads import WORKLOADS
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--nacre", metavar="FILE", help="the program (default: nacre on PATH)")
    p.add_argument("--buildah", action="store_true", help="buildah beside it")
    p.add_argument("--apt", metavar="LAYOUT", help="an OCI layout with a Debian, tag latest: for apt-install, which downloads")
    p.add_argument("--quick", action="store_true", help="small sizes, for CI: times are shown, only memory is judged")
    p.add_argument("-n", type=int, help="repetitions (default 5; 2 with --quick)")
    p.add_argument("-w", "--workloads", default=",".join(WORKLOADS), metavar="NAME,...", help="default all")
    p.add_argument("--settle", type=float, default=0, metavar="S", help="wait up to S seconds for an idle machine")
    p.add_argument("--work", default=f"/var/tmp/nacre-bench-{os.getuid()}", help="work directory (%(default)s)")
    p.add_argument("--json", metavar="FILE", help="write all reports here, for --from")
    p.add_argument("--from", dest="reports", action="append", default=[], metavar="FILE",
                   help="measure nothing: the table of what --json wrote; several times to join runs")
    args = p.parse_args()
    workloads = args.workloads.split(",")
    if unknown := [w for w in workloads if w not in WORKLOADS]:
        p.error(f"no workload {unknown[0]}; there are {', '.join(WORKLOADS)}")
    if args.reports:
        reports, good = [r for path in args.reports for r in json.load(open(path))], True
        workloads = [w for w in workloads if any(w in r["workloads"] for r in reports)]
    else:
        reports, good = measure(args, workloads)
    if args.json:
        with open(args.json, "w") as f:
            json.dump(reports, f)
    figures = Figures(reports)
    beside = any(who == "buildah" for *_, who in figures.rows)
    text, reached = table(figures, workloads, beside)
    print("\n".join([text, "", *notes(figures)]))
    return 0 if good and reached else 1


if __name__ == "__main__":
    sys.exit(main())
