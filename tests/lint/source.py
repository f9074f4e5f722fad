#!/usr/bin/env python3
"""Checks on the source text. Each prints what is wrong as FILE:LINE: message and exits 1.

    source.py includes ROOT    #include lines against the table of folders and libraries
    source.py sizes ROOT       functions of at most 90 lines, files of at most 800
    source.py words ROOT       nothing left open: no TODO, FIXME, XXX in src and include
    source.py tests ROOT       every tests/unit/FOLDER/test_*.c is listed in src/FOLDER/meson.build
"""
import pathlib, re, sys

# Which folder may include which; src/README.md has the same table with the reasons.
MAY_USE = {
    "base": [],
    "archive": ["base"],
    "dockerfile": ["base"],
    "sandbox": ["base"],
    "store": ["base", "archive"],
    "oci": ["base", "archive", "store"],
    "registry": ["base", "archive", "store", "oci"],
    "build": ["base", "archive", "dockerfile", "sandbox", "store", "oci", "registry"],
    "cli": ["base", "archive", "dockerfile", "sandbox", "store", "oci", "registry", "build"],
}

# Which files may include a library, as the beginning of the path below src/.
LIBRARIES = {
    r"openssl/": ["base/digest"],
    r"yajl/": ["base/json"],
    r"zstd\.h": ["archive/"],
    r"zlib\.h": ["archive/"],
    r"isa-l": ["archive/"],
    r"archive(_entry)?\.h": ["archive/", "build/"],
    r"libmount": ["sandbox/"],
    r"sys/capability\.h": ["sandbox/"],
    r"seccomp\.h": ["sandbox/"],
    r"curl/": ["registry/curl"],
}

MAX_FUNCTION, MAX_FILE = 90, 800


def sources(root, *tops):
    for top in tops:
        yield from sorted(p for p in (root / top).rglob("*.[ch]") if p.is_file())


def lines(path):
    return enumerate(path.read_text(encoding="utf-8").splitlines(), 1)


def check_includes(root):
    for path in sources(root, "src", "include", "tests/unit"):
        parts = path.relative_to(root).parts
        folder = parts[2] if parts[0] == "tests" else parts[1] if len(parts) > 2 else None  # None: main.c
        allowed = MAY_USE.get(folder, []) + [folder] if folder else list(MAY_USE)
        if folder and folder not in MAY_USE:
            yield path, 1, "the folder %s is not in the table" % folder
        for number, line in lines(path):
            m = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
            if not m:
                continue
            name = m[2]
            if m[1] == "<":
                for pattern, where in LIBRARIES.items():
                    below = "/".join(parts[1:])
                    if parts[0] == "src" and re.match(pattern, name) and not below.startswith(tuple(where)):
                        yield path, number, "<%s> is only for %s" % (name, ", ".join(where))
                continue
            if name.startswith("src/") or "/" not in name:  # private: of its own folder and its tests
                where = name.split("/")[1] if "/" in name else folder
                if parts[0] == "include" or where != folder:
                    yield path, number, "%s is private to %s" % (name, where)
            elif name.split("/")[0] not in allowed:
                yield path, number, "%s may not include %s" % (folder, name)


def check_sizes(root):
    for path in sources(root, "src", "include", "tests/unit", "tests/fuzz"):
        number, start, name = 0, 0, ""
        for number, line in lines(path):
            if re.match(r"[A-Za-z_].*\(", line) and not line.rstrip().endswith(";"):
                name = line
            if line.startswith("{"):
                start = number
            elif line.startswith("}") and start:
                if number - start - 1 > MAX_FUNCTION:
                    yield path, start, "%d lines: %s" % (number - start - 1, name[:70])
                start = 0
        if number > MAX_FILE:
            yield path, number, "%d lines, more than %d" % (number, MAX_FILE)


def check_words(root):
    for path in sources(root, "src", "include"):
        for number, line in lines(path):
            m = re.search(r"\b(TODO|FIXME|XXX|HACK)\b|[Nn]ot (yet )?implemented", line)
            if m:
                yield path, number, m[0]


def check_tests(root):
    for path in sorted((root / "tests/unit").rglob("test_*.c")):
        folder, name = path.parent.name, path.stem[len("test_"):]
        listing = root / "src" / folder / "meson.build"
        if not listing.is_file() or "'%s'" % name not in listing.read_text().partition("'tests'")[2]:
            yield path, 1, "not listed in src/%s/meson.build" % folder


def main():
    check, root = globals().get("check_" + sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    bad = list(check(root))
    for path, number, text in bad:
        print("%s:%d: %s" % (path.relative_to(root), number, text))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
