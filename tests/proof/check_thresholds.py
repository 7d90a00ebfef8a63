#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves the thresholds of resolution groups, as `hunyuan-reso table --format json` prints them.

    check_thresholds.py TOOL                  every published profile at every base size that has a token, extra rows
                                              absolute and scaled; and what the tool snaps on both sides of each threshold
    check_thresholds.py TOOL --base-sizes FIRST:LAST:STEP   these base sizes, too
    check_thresholds.py --json FILE...        tables that the tool has written

For each threshold it proves by exact rational arithmetic that `last` goes to the lower row and the next greater one of
all fractions with both parts in 1 .. 2^31 - 1 to the upper row. docs/exactness.md says why that settles all sizes, and
needs the further facts that are checked here: neighbouring ratios differ by more than 2^-22, no threshold is missing,
and only rows that are first of their ratio have one. Exit status 0: proved; 1: not; 2: wrong command line.
"""

import argparse
import csv
import io
import json
import re
import subprocess
import sys
from fractions import Fraction

import exact


class NotProved(Exception):
    """What is wrong with a table."""


def require(condition, text):
    if not condition:
        raise NotProved(text)


def side(row, key):
    value = row[key]
    require(type(value) is int and 1 <= value <= exact.LARGEST_SIDE, f"row {row['ratio_index']}: {key} is {value!r}")
    return value


def prove(table):
    """Proves one table; gives the list of (last, lower row, successor, upper row)."""
    rows = table["rows"]
    require(len(rows) > 0, "there are no rows")
    require([row["ratio_index"] for row in rows] == list(range(len(rows))), "the ratio indices are not 0, 1, 2 ...")
    ratios = [exact.binary64(Fraction(side(row, "height"), side(row, "width"))) for row in rows]

    # Of rows with one ratio the first one wins every tie: the others are never the answer.
    first_of = {}
    for index, ratio in enumerate(ratios):
        first_of.setdefault(ratio, index)
    order = [first_of[ratio] for ratio in sorted(first_of)]

    for lower, upper in zip(order, order[1:]):
        # Strictly more, so that distances below 2^31 to two rows on one side of a size never round to a tie.
        require(ratios[upper] - ratios[lower] > Fraction(1, 2**22), f"rows {lower} and {upper} are too close")

    edges = []
    for lower, upper in zip(order, order[1:]):
        last = (side(rows[lower], "snaps_up_to_height"), side(rows[lower], "snaps_up_to_width"))
        name = f"threshold {last[0]}/{last[1]} between the rows {lower} and {upper}"
        following = exact.successor(Fraction(*last))
        require(following is not None, f"{name}: no size is above it")
        goes_to = exact.nearest_row(ratios, *last)
        require(goes_to == lower, f"{name}: it goes to row {goes_to}, not to the lower one")
        goes_to = exact.nearest_row(ratios, *following)
        require(goes_to == upper,
                f"{name}: its successor {following[0]}/{following[1]} goes to row {goes_to}, not to the upper one")
        edges.append((last, lower, following, upper))

    for index, row in enumerate(rows):
        if index == order[-1] or index not in order:
            require(row["snaps_up_to_height"] is None and row["snaps_up_to_width"] is None,
                    f"row {index} has a threshold above it, though it is the last one or never the answer")
    return edges


class Tool:
    """Asks the tool. Profiles and base sizes are what it names itself."""

    def __init__(self, path):
        self.path = path

    def run(self, arguments, text=None):
        done = subprocess.run([self.path, *arguments], input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{self.path} {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def profiles(self):
        names = re.search(r"--profile NAME\s+Checkpoint: (.*?) \(default", self.run(["table", "--help"]), re.DOTALL)
        if names is None:
            sys.exit(f"{self.path} table --help names no profiles")
        return re.split(r",\s+|\s+or\s+", names.group(1))

    def base_sizes(self, profile):
        listed = json.loads(self.run(["token", "--list", "sizes", "--profile", profile, "--format", "json"]))
        return [token["base_size"] for token in listed["tokens"]]

    def table(self, group):
        return json.loads(self.run(["table", "--format", "json", *group]))

    def snap(self, group, sizes):
        text = "".join(f"{height}x{width}\n" for height, width in sizes)
        answers = csv.DictReader(io.StringIO(self.run(["snap", "-", "--format", "csv", *group], text)))
        return [int(answer["ratio_index"]) for answer in answers]


def check_tool(path, further_sizes):
    tool = Tool(path)
    proved, groups = 0, 0
    for profile in tool.profiles():
        sizes = tool.base_sizes(profile)
        require(len(sizes) > 0, f"{profile}: no base sizes")
        for base_size in sorted({*sizes, *further_sizes}):
            for extras in ("absolute", "scaled"):
                group = ["--profile", profile, "--base-size", str(base_size), "--extras", extras]
                try:
                    edges = prove(tool.table(group))
                    asked = [size for last, _, following, _ in edges for size in (last, following)]
                    expected = [row for _, lower, _, upper in edges for row in (lower, upper)]
                    require(tool.snap(group, asked) == expected, "`snap` does not go by these thresholds")
                except NotProved as reason:
                    raise NotProved(f"{profile}, base size {base_size}, extras {extras}: {reason}") from None
                proved += len(edges)
                groups += 1
    return proved, groups


def check_files(names):
    proved = 0
    for name in names:
        try:
            with open(name, encoding="utf-8") as file:
                proved += len(prove(json.load(file)))
        except NotProved as reason:
            raise NotProved(f"{name}: {reason}") from None
    return proved, len(names)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool", nargs="?")
    parser.add_argument("--base-sizes", metavar="FIRST:LAST:STEP", default="")
    parser.add_argument("--json", nargs="+", metavar="FILE")
    options = parser.parse_args()
    if (options.tool is None) == (options.json is None):
        parser.error("give the tool or --json FILE...")
    further = []
    if options.base_sizes:
        first, last, step = (int(number) for number in options.base_sizes.split(":"))
        further = range(first, last + 1, step)
    try:
        proved, groups = check_files(options.json) if options.json else check_tool(options.tool, further)
    except NotProved as reason:
        sys.exit(f"NOT PROVED: {reason}")
    print(f"{proved} thresholds of {groups} groups proved")


if __name__ == "__main__":
    main()
