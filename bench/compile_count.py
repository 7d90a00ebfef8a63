#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the headers make a compiler do, as numbers that are the same every time: lines and template instantiations.

    compile_count.py                   a table on standard output
    compile_count.py --check FILE      exit status 1 where a number is over the one in FILE by more than a tenth
    compile_count.py --update FILE     writes that file

For every public header: preprocessed lines of its own and of the standard headers that it brings in, without blank ones,
and class and function templates that clang instantiates (-ftime-trace, every event). The clang is pinned (clang++-14,
with the libstdc++ of GCC 12: Debian 12); another release gives other numbers. Wall clock: compile_time.py.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
GROWTH = 1.1
COMPILER = "clang++-14"


def count(compiler, include, source, folder):
    """(lines, instantiations) of a source text."""
    path, out = os.path.join(folder, "unit.cpp"), os.path.join(folder, "unit.o")
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    flags = ["-std=c++17", f"-I{include}", path]
    text = subprocess.run([compiler, *flags, "-E", "-P"], check=True, capture_output=True, text=True).stdout
    lines = sum(bool(line.strip()) for line in text.splitlines())
    subprocess.run([compiler, *flags, "-O0", "-c", "-o", out, "-ftime-trace", "-ftime-trace-granularity=0"], check=True)
    with open(os.path.join(folder, "unit.json"), encoding="utf-8") as file:
        events = json.load(file)["traceEvents"]
    names = ("InstantiateClass", "InstantiateFunction")
    return lines, sum(event.get("name") in names for event in events)


def sources(include):
    """Name to text: an empty file, each public header, and everything used as a constant."""
    texts = {}
    folder = os.path.join(include, "hunyuan_reso")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".hpp"):
            texts[name] = f"#include <hunyuan_reso/{name}>\n"
    texts["a model as a constant"] = ("#include <hunyuan_reso/model.hpp>\nusing namespace hunyuan_reso;\n"
                                      "static_assert(model_for<profiles::instruct>.group.size() == 37);\n")
    return texts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check")
    parser.add_argument("--update")
    parser.add_argument("--compiler", default=COMPILER)
    parser.add_argument("--include", default=os.path.join(HERE, "..", "include"))
    options = parser.parse_args()

    version = subprocess.run([options.compiler, "--version"], check=True, capture_output=True, text=True).stdout
    release = re.search(r"version (\d+)", version).group(1)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'header':28} {'lines':>8} {'instantiations':>15}   clang {release}")
        for name, text in sources(options.include).items():
            lines, instantiations = count(options.compiler, options.include, text, folder)
            results[name] = {"lines": lines, "instantiations": instantiations}
            print(f"{name:28} {lines:8} {instantiations:15}")
    if options.update:
        with open(options.update, "w", encoding="utf-8") as file:
            json.dump({"clang": release, "headers": results}, file, indent=2)
            file.write("\n")
    if not options.check:
        return
    with open(options.check, encoding="utf-8") as file:
        known = json.load(file)
    if known["clang"] != release:
        sys.exit(f"{options.check} was made by clang {known['clang']}, and this is clang {release}")
    bad = []
    for name, numbers in results.items():
        if name not in known["headers"]:
            bad.append(f"{name} is not in {options.check}: add it with --update")
            continue
        for what, number in numbers.items():
            most = int(known["headers"][name][what] * GROWTH)
            if number > most:
                bad.append(f"{name}: {number} {what}, at most {most}")
    if bad:
        sys.exit("GREW BY MORE THAN A TENTH\n" + "\n".join(bad))


if __name__ == "__main__":
    main()
