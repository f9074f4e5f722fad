#!/usr/bin/env python3
"""Which tests prove which behaviour of the Dockerfile language.

    coverage.py write ROOT     writes tests/semantics/COVERAGE.md
    coverage.py check ROOT     exits 1 when an id has no test, a test names an id that does not exist, or the table is stale

An id counts as proven by

    tests/unit/FOLDER/test_*.c     the test function that holds the id, or the next one below it
    tests/integration/*.sh         the quoted description that holds the id, or the comment with its text
    tests/conformance/cases        a case whose Dockerfile or case.json names the id, or that tests/semantics/cases.txt lists
"""
import pathlib, re, sys

HERE = "tests/semantics"
GROUPS = "LEX DIR FLG ARGF HERE EXP FROM ARG ENV RUN MNT CP ADD CFG CTX LINT IMG SDE OUT".split()
ID = re.compile(r"(?<![\w-])(?:%s)-\d\d(?!\d)" % "|".join(GROUPS))
HEAD = """\
# What proves each behaviour of the Dockerfile language

Written by `python3 tests/semantics/coverage.py write .` from `ids.txt` and from the ids that tests name; a lint test
compares. Paths are below `tests/`. The note says `refused` where the program stops with a message that names what is
not there, and what is left unproven where only part is proven.
"""


def read_ids(root):
    """ID -> (words, note), in the order of the file; a line is "ID words" or "ID words | note"."""
    ids = {}
    for line in (root / HERE / "ids.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            words, _, note = rest.partition(" | ")
            ids[name] = (words.strip(), note.strip())
    return ids


def in_unit_tests(root):
    for path in sorted((root / "tests/unit").rglob("test_*.c")):
        waiting, function = [], None
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            m = re.match(r"static void (\w+)\(void \*\*", line)
            if m:
                function = m[1]
                yield from ((path, at, name, function) for at, name in waiting)
                waiting = []
            if line == "}":
                function = None
            for name in ID.findall(line):
                if function:
                    yield path, number, name, function
                else:
                    waiting.append((number, name))
        yield from ((path, at, name, None) for at, name in waiting)


def in_scripts(root):
    for path in sorted((root / "tests/integration").glob("*.sh")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for name in ID.findall(line):
                around = re.search(r'"?[^"]*%s[^"]*' % name, line)[0]
                text = around[1:] if around[0] == '"' else line.partition("#")[2] or line
                text = re.sub(r"^[\s,.:-]+|[\s,:-]+$", "", ID.sub("", re.sub(r"\[[^]]*-\d\d[^]]*\]", "", text)))
                yield path, number, name, re.sub(r"\s+", " ", text) or None


def in_cases(root):
    cases = root / "tests/conformance/cases"
    for path in sorted(cases.glob("*/*/*")):
        if path.is_file() and (path.name == "case.json" or "Dockerfile" in path.name):
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                yield from ((path, number, name, "/".join(path.parts[-3:-1])) for name in ID.findall(line))
    listing = root / HERE / "cases.txt"
    for number, line in enumerate(listing.read_text(encoding="utf-8").splitlines(), 1):
        name, *where = line.split() or [""]
        if not name or name.startswith("#"):
            continue
        for case in where:
            yield listing, number, name, case if (cases / case / "case.json").is_file() else None


def collect(root, ids):
    """The proofs of each id, and what is wrong."""
    proofs, wrong = {name: [] for name in ids}, []
    for find in (in_unit_tests, in_scripts, in_cases):
        for path, number, name, test in find(root):
            at = "%s:%d: " % (path.relative_to(root), number)
            if name not in ids:
                wrong.append(at + "%s is not in %s/ids.txt" % (name, HERE))
            elif not test:
                wrong.append(at + "%s: this names no test" % name)
            else:
                where = "conformance" if find is in_cases else str(path.relative_to(root / "tests"))
                if (where, test) not in proofs[name]:
                    proofs[name].append((where, test))
    for name in ids:
        if not proofs[name]:
            wrong.append("%s/ids.txt: %s has no test" % (HERE, name))
    return proofs, wrong


def table(ids, proofs):
    out = [HEAD]
    group = ""
    for name, (words, note) in ids.items():
        if name.partition("-")[0] != group:
            group = name.partition("-")[0]
            out.append("\n## %s\n\n| id | behaviour | note | tests |\n| --- | --- | --- | --- |\n" % group)
        tests, last = [], None
        for where, test in proofs[name]:
            tests.append(test if where == last else "`%s`: %s" % (where, test))
            last = where
        cells = [name, words, note, "; ".join(tests)]
        out.append("| %s |\n" % " | ".join(cell.replace("|", "\\|") for cell in cells))
    return "".join(out)


def main():
    command, root = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    ids = read_ids(root)
    proofs, wrong = collect(root, ids)
    text, path = table(ids, proofs), root / HERE / "COVERAGE.md"
    if command == "write":
        path.write_text(text, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != text:
        wrong.append("%s/COVERAGE.md is stale: python3 %s/coverage.py write ." % (HERE, HERE))
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
