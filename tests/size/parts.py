#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where the bytes are that core.cpp (or another program of this folder) adds to an empty one: tables by section and by
the header that a function or table stands in. Code that is inlined counts where it went.

    parts.py [PROGRAM.cpp] [OPTION...]     the compiler is CXX (default g++), with -std=c++17 -Os and the options
"""

import collections
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SECTIONS = (("functions", (".text",)), ("constants", (".rodata",)), ("constants with addresses", (".data.rel.ro",)),
            ("addresses for the loader", (".rela.dyn",)), ("unwinding tables", (".eh_frame", ".eh_frame_hdr")))


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def sections(program):
    """Bytes by section, of those that `size` counts."""
    lines = (line.split() for line in output("size", "-A", program).splitlines())
    return collections.Counter({line[0]: int(line[1]) for line in lines if len(line) == 3 and line[2] != "0"
                                and line[0].startswith(".")})


def headers(program):
    """Bytes of functions and tables by the file that they stand in; functions that are one in the program count once."""
    places = {}
    for line in output("nm", "-SCl", "--defined-only", program).splitlines():
        match = re.match(r"(\w+) (\w{8,}) (\w) (.*?)(?:\t.*?([^/]+):\d+)?$", line)
        if match and match.group(3) in "tTwWrRuVdD":
            kind = "tables" if match.group(3) in "rRuVdD" else "functions"
            places[match.group(1)] = (int(match.group(2), 16), kind, match.group(5) or "the compiler's own")
    sums = collections.Counter()
    for size, kind, place in places.values():
        sums[place, kind] += size
    return sums


def main():
    source = os.path.join(HERE, sys.argv[1] if len(sys.argv) > 1 else "core.cpp")
    options = ["-std=c++17", "-Os", "-I" + os.path.join(HERE, "..", "..", "include"), *sys.argv[2:]]
    compiler = os.environ.get("CXX", "g++")
    with tempfile.TemporaryDirectory() as folder:
        full, stripped, empty = (os.path.join(folder, name) for name in ("full", "stripped", "empty"))
        subprocess.run([compiler, *options, "-g", source, "-o", full], check=True)
        subprocess.run([compiler, *options, "-s", source, "-o", stripped], check=True)
        subprocess.run([compiler, *options, "-s", os.path.join(HERE, "empty.cpp"), "-o", empty], check=True)
        added = sections(stripped)
        added.subtract(sections(empty))
        by_header = headers(full)
    rest = sum(added.values())
    print("| section | bytes |\n|---|---:|")
    for name, parts in SECTIONS:
        size = sum(added[part] for part in parts)
        rest -= size
        print(f"| {name} ({', '.join(parts)}) | {size} |")
    print(f"| the rest | {rest} |\n| **all** | **{sum(added.values())}** |\n")
    print("| header | functions | tables |\n|---|---:|---:|")
    for place in sorted({place for place, _ in by_header}, key=lambda p: -by_header[p, "functions"] - by_header[p, "tables"]):
        print(f"| {place} | {by_header[place, 'functions']} | {by_header[place, 'tables']} |")


if __name__ == "__main__":
    main()
