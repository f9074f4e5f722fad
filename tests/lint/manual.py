#!/usr/bin/env python3
"""The manual says what the program does: manual.py ROOT PROGRAM

Exit statuses in nacre.1 are those of include/base/exit_codes.h; commands and options in nacre.1 and nacre-COMMAND.1 are those
that --help prints.
"""
import pathlib, re, subprocess, sys


def header_statuses(root):
    text = (root / "include/base/exit_codes.h").read_text()
    found = {}
    for m in re.finditer(r"EXIT_CODE_(\w+) = (\d+),\s*(?:/\* (.*?) \*/)?", text):
        found[m[2]] = m[3] or "success"
    return found


def manual_statuses(page):
    return dict(re.findall(r"^\|  (\d+)\n:  (.*)$", page, re.M))


def options(text, bold):
    """{"-f --file", …} of the lines that define options: *-f*, *--file* in a manual, -f, --file in a help text."""
    star = r"\*" if bold else ""
    pattern = r"^ *(?:%s(-\w)%s, +)?%s(--[a-z-]+)" % (star, star, star)
    return {" ".join(filter(None, m.groups())) for m in re.finditer(pattern, text, re.M)}


def manual_sections(root):
    """{command: (its options in the manual)}; "" for those of nacre itself."""
    page = (root / "man/nacre.1.scd").read_text()
    sections = {m[1]: m[2] for m in re.finditer(r"^## nacre (\S+)\n(.*?)(?=^#)", page, re.M | re.S)}
    sections[""] = re.search(r"^# OPTIONS\n(.*?)(?=^# )", page, re.M | re.S)[1]
    for page in (root / "man").glob("nacre-*.1.scd"):
        command = page.name[len("nacre-"):-len(".1.scd")]
        sections[command] = re.search(r"^# OPTIONS\n(.*?)(?=^# )", page.read_text(), re.M | re.S)[1]
    return {name: options(text, True) for name, text in sections.items()}


def help_text(program, *command):
    return subprocess.run([program, *command, "--help"], stdout=subprocess.PIPE, check=True, text=True).stdout


def main():
    root, program = pathlib.Path(sys.argv[1]), sys.argv[2]
    bad = []

    def same(what, manual, real):
        for x in sorted(set(manual) - set(real)):
            bad.append("%s: only in the manual: %s" % (what, x))
        for x in sorted(set(real) - set(manual)):
            bad.append("%s: not in the manual: %s" % (what, x))

    same("exit status", manual_statuses((root / "man/nacre.1.scd").read_text()).items(), header_statuses(root).items())
    sections = manual_sections(root)
    overview = help_text(program)
    commands = re.findall(r"^  ([a-z]+)  ", overview, re.M)
    same("command", set(sections) - {""}, set(commands) - {"help"})
    for name, manual in sorted(sections.items()):
        text = help_text(program, name) if name else overview
        real = options(text, False)
        if name:  # these stand in nacre.1 for all
            real -= {"--help", "--store"}
        same("nacre " + name if name else "nacre", manual, real)
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
