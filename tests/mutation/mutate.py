#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Mutation testing: makes one small mistake at a time in a core header, and sees whether the unit tests notice.

    mutate.py                        all mutants; exit status 1 where one survives that survivors.txt does not explain
    mutate.py --area sizes rope      these areas (--list names them, with the number of mutants)
    mutate.py --sample 600           a fixed sample, spread over the areas (a smaller one is what CI runs)
    mutate.py --only FILE            the mutants of these keys (one a line), in this order
    mutate.py --jobs 16 --report FILE   every mutant with its fate, as tab-separated text
    mutate.py --report FILE --resume --limit 400  as far as it comes in 400 s; called again, it goes on with the rest

A mutant is killed when it does not compile because a static_assert or another constant expression is wrong, when a test
fails, or when a test takes far too long. One that is no C++ (a type error) is void and does not count. Needs a compiler
(CXX, default g++), doctest's header, and nothing else; works on copies, never in the source tree.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import itertools
import os
import queue
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))

DIGEST = "digest"  # no unit test: the program of tests/digest, whose output is known

SANITIZED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")  # what NAME/sanitized is built with

# Area: headers, and the tests that must notice, the quickest first.
AREAS = {
    "groups": (("group_spec.hpp", "resolution_group.hpp", "detail/threshold.hpp", "detail/binary64.hpp"),
               ("threshold", "resolution_group", "own_rows", "binary64", "snapping", "edges", "corners/sanitized",
                "lists/sanitized", DIGEST)),
    "snapping": (("snap_batch.hpp",), ("snap_batch", "edges", "lists/sanitized", "snap_batch/sanitized", DIGEST)),
    "tokens": (("tokens.hpp", "detail/token_table.hpp", "vocabulary.hpp"),
               ("tokens", "edges", "checkpoint_is_data", "corners/sanitized", "lists/sanitized", "vocabulary", DIGEST)),
    "sizes": (("image_size.hpp", "image_info.hpp", "crop.hpp", "detail/vit_grid.hpp"),
              ("image_size", "image_info", "crop", "edges", "corners/sanitized", "lists/sanitized", "image_info/sanitized",
               DIGEST)),
    "sequences": (("sequence.hpp", "detail/sequence_writer.hpp", "detail/sequence_reader.hpp"),
                  ("refeed", "sequence", "edges", "checkpoint_is_data", "corners/sanitized", "lists/sanitized",
                   "sequence/sanitized", DIGEST, "sequence_reader")),
    "rope": (("rope.hpp", "detail/search.hpp"), ("rope", "edges", "rope/sanitized", DIGEST)),
}

OPTIMIZED = {"vocabulary", "binary64", "sequence_reader"}  # tests that would run for long without

BINARY = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&", "+": "-", "-": "+",
          "*": "+", "/": "*", "%": "/", "<<": ">>", ">>": "<<", "&": "|", "|": "&", "+=": "-=", "-=": "+=", "*=": "+="}
# clang-format puts blanks around binary operators, and none inside template brackets.
OPERATOR = re.compile(r"(?<= )(" + "|".join(re.escape(op) for op in sorted(BINARY, key=len, reverse=True)) + r")(?= |$)")
STEP = re.compile(r"\+\+|--")
NUMBER = re.compile(r"(?<![\w.'])\d+(?![\w.'])")
TRUTH = re.compile(r"\b(?:true|false)\b")
NEGATION = re.compile(r"!(?=[A-Za-z_(:])")
GUARD = re.compile(r"\bif \((.*)\) (?:return|continue|break)\b")

MARGIN = 10  # how many times slower than on the headers as they are a test may be, 5 s aside

Mutant = collections.namedtuple("Mutant", "area header line column old new text number")


def masked(source):
    """The source with comments, texts, preprocessor lines and static_asserts as blanks, so that places stay."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    pattern = (r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'|^[ ]*#[^\n]*(?:\\\n[^\n]*)*|'
               r"\bstatic_assert\(.*?\);")
    return re.sub(pattern, blank, source, flags=re.DOTALL | re.MULTILINE)


def edits(line):
    """(column, old, new) of every mistake that can be made in a line of code."""
    for match in OPERATOR.finditer(line):
        yield match.start(), match.group(0), BINARY[match.group(0)]
    for match in STEP.finditer(line):
        yield match.start(), match.group(0), "--" if match.group(0) == "++" else "++"
    for match in NUMBER.finditer(line):
        yield match.start(), match.group(0), str(int(match.group(0)) + 1)
    for match in TRUTH.finditer(line):
        yield match.start(), match.group(0), "false" if match.group(0) == "true" else "true"
    for match in NEGATION.finditer(line):
        yield match.start(), "!", ""
    for match in GUARD.finditer(line):
        condition = match.group(1)
        if condition.count("(") == condition.count(")"):
            yield match.start(1), condition, f"false && ({condition})"


def mutants_of(area, header, include):
    with open(os.path.join(include, "hunyuan_reso", header), encoding="utf-8") as file:
        source = file.read()
    seen = collections.Counter()
    for number, (line, code) in enumerate(zip(source.splitlines(), masked(source).splitlines())):
        text = line.strip()
        seen[text] += 1
        for column, old, new in edits(code):
            real = line[column:column + len(old)]  # with the texts that a masked condition lacks
            yield Mutant(area, header, number, column, real, new.replace(old, real), text, seen[text])


def key_of(mutant):
    """What survives edits elsewhere in the file: the line's text, which of equal lines, and the place in the text."""
    same = f" [{mutant.number}]" if mutant.number > 1 else ""
    return f"{mutant.header}: {mutant.text}{same} @{mutant.column}: {mutant.old} -> {mutant.new}".rstrip()


def apply(source, mutant):
    lines = source.split("\n")
    line = lines[mutant.line]
    lines[mutant.line] = line[:mutant.column] + mutant.new + line[mutant.column + len(mutant.old):]
    return "\n".join(lines)


def limit_memory():
    most = 6 << 30
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


class OutOfTime(Exception):
    """The time of --limit is over, and says nothing about the mutant."""


class Bench:
    """A copy of the headers that one worker changes, and how tests are built and run against it."""

    def __init__(self, folder, objects, options, end):
        self.folder, self.objects, self.options, self.end = folder, objects, options, end
        self.seconds, self.slowest = 0.0, {}  # that the last test took, that each test may take
        self.include = os.path.join(folder, "include")
        shutil.copytree(options.include, self.include)

    def run(self, command, seconds, limit=limit_memory):
        left = self.end - time.monotonic()
        if left <= 0:
            raise OutOfTime
        try:
            return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=min(seconds, left),
                                  check=False, preexec_fn=limit)
        except subprocess.TimeoutExpired:
            if left < seconds:
                raise OutOfTime from None
            return None

    def build(self, test, program):
        name, _, sanitized = test.partition("/")
        source = os.path.join(self.options.tests, f"{name}_test.cpp")
        objects = self.objects
        if test == DIGEST:
            source, objects = os.path.join(self.options.tests, "..", "digest", "main.cpp"), []
        options = SANITIZED if sanitized else ["-O1" if test in OPTIMIZED else "-O0"]
        return self.run([self.options.compiler, "-std=c++17", *options, "-w", "-fmax-errors=3", f"-I{self.include}",
                         f"-I{os.path.join(self.options.tests, '..')}", source, *objects, "-o", program], 240)

    def digest(self):
        with open(os.path.join(self.options.tests, "..", "digest", "digest.txt"), encoding="ascii") as file:
            return file.read()

    def fate(self, tests):
        """("killed", by), ("void", why) or ("survived", "")."""
        program = os.path.join(self.folder, "program")
        for test in tests:
            built = self.build(test, program)
            if built is None:
                return "killed", f"{test}: the compiler does not end"
            if built.returncode != 0:
                errors = built.stderr
                if re.search(r"static assertion failed|constant expression|non-constant|'constexpr' (?:expansion|evaluation|loop|call)",
                             errors):
                    return "killed", f"{test}: compile time"
                return "void", errors.strip().split("\n")[0][-150:]
            begun = time.monotonic()
            memory = None if "/" in test else limit_memory  # the address sanitizer takes terabytes of addresses
            ran = self.run([program, "--abort-after=1"], self.slowest.get(test, self.options.seconds), memory)
            self.seconds = time.monotonic() - begun
            if ran is None:
                return "killed", f"{test}: time"
            if test == DIGEST and ran.returncode == 0 and ran.stdout != self.digest():
                return "killed", "digest: differs"
            if ran.returncode != 0:
                return "killed", f"{test}: {'fails' if ran.returncode > 0 else 'crashes'}"
        return "survived", ""

    def try_mutant(self, mutant, tests):
        path = os.path.join(self.include, "hunyuan_reso", mutant.header)
        with open(path, encoding="utf-8") as file:
            source = file.read()
        try:
            with open(path, "w", encoding="utf-8") as file:
                file.write(apply(source, mutant))
            return self.fate(tests)
        finally:
            with open(path, "w", encoding="utf-8") as file:
                file.write(source)


def support_objects(options, folder):
    """What the tests link and no mutant changes; a support file that is not there is not needed."""
    objects = []
    sources = [os.path.join(options.tests, "main.cpp")]
    sources += [os.path.join(options.tests, "..", "support", f"{name}.cpp") for name in ("plain", "sha256", "expect")]
    for source in filter(os.path.exists, sources):
        objects.append(os.path.join(folder, os.path.basename(source) + ".o"))
        subprocess.run([options.compiler, "-std=c++17", "-O2", f"-I{os.path.join(options.tests, '..')}", "-c", source,
                        "-o", objects[-1]], check=True)
    return objects


def read_survivors(path):
    """Key to reason. A reason is a line that begins with '#', and holds for the keys up to the next one."""
    reasons, reason = {}, ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file.read().splitlines():
                if line.startswith("#"):
                    reason = line[1:].strip()
                elif line.strip():
                    reasons[line.strip()] = reason
    return reasons


def sample(mutants, count):
    """A fixed choice: from each area in turn the one whose key has the least hash."""
    areas = collections.defaultdict(list)
    for mutant in sorted(mutants, key=lambda m: hashlib.sha256(key_of(m).encode()).digest()):
        areas[mutant.area].append(mutant)
    chosen = []
    while len(chosen) < count and any(areas.values()):
        for waiting in areas.values():
            if waiting and len(chosen) < count:
                chosen.append(waiting.pop(0))
    return chosen


def try_all(mutants, areas, options):
    """Yields (mutant, state, text) as they come, until the time of --limit is over."""
    end = time.monotonic() + options.limit if options.limit else float("inf")
    with tempfile.TemporaryDirectory() as folder:
        objects = support_objects(options, folder)
        benches = queue.Queue()
        for i in range(options.jobs):
            os.mkdir(os.path.join(folder, str(i)))
            benches.put(Bench(os.path.join(folder, str(i)), objects, options, end))
        slowest = {}

        def use(action):
            bench = benches.get()
            bench.slowest = slowest
            try:
                return action(bench)
            except OutOfTime:
                return None
            finally:
                benches.put(bench)

        def seconds_of(test):
            def measure(bench):
                state, text = bench.fate([test])
                if state != "survived":
                    raise RuntimeError(f"the tests do not pass on the headers as they are: {text}")
                return bench.seconds
            return use(measure)

        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            tests = sorted({test for mutant in mutants for test in areas[mutant.area][1]})
            try:  # a test that fails by itself would kill everything
                times = list(pool.map(seconds_of, tests))
            except RuntimeError as error:
                sys.exit(str(error))
            if None in times:
                return
            slowest.update((test, min(options.seconds, 5 + MARGIN * seconds)) for test, seconds in zip(tests, times))
            waiting = {pool.submit(use, lambda bench, m=mutant: bench.try_mutant(m, areas[m.area][1])): mutant
                       for mutant in mutants}
            for done in concurrent.futures.as_completed(waiting):
                if done.result() is not None:
                    yield waiting[done], *done.result()


NO_REASON_NEEDED = " (survivors.txt explains it: no longer needed)"


def read_report(path):
    """Key to (state, text) of what an earlier call tried."""
    fates = {}
    if path and os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n") and line.count("\t") == 3:  # the last one may be cut
                    state, text, key, _ = line.split("\t")
                    fates[key] = ("survived", "") if state == "explained" else (state, text)
    return fates


def main(areas=AREAS):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--area", nargs="+", choices=sorted(areas), default=list(areas))
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--only", metavar="FILE")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=60.0, help="after which a test counts as hanging")
    parser.add_argument("--limit", type=float, default=0.0, help="seconds for all")
    parser.add_argument("--report")
    parser.add_argument("--resume", action="store_true", help="only what the report does not have yet, and add it there")
    parser.add_argument("--compiler", default=os.environ.get("CXX", "g++"))
    parser.add_argument("--include", default=os.path.join(ROOT, "include"))
    parser.add_argument("--tests", default=os.path.join(ROOT, "tests", "unit"))
    parser.add_argument("--survivors", default=os.path.join(HERE, "survivors.txt"))
    options = parser.parse_args()

    mutants = [mutant for area in options.area for header in areas[area][0]
               for mutant in mutants_of(area, header, options.include)]
    known = read_survivors(options.survivors)
    gone = set(known) - {key_of(mutant) for mutant in mutants}
    if options.area == list(areas) and gone:
        print(f"survivors.txt explains {len(gone)} mutants that there are no more, since their lines have changed")
    if options.only:
        by_key = {key_of(mutant): mutant for mutant in mutants}
        with open(options.only, encoding="utf-8") as file:
            mutants = [by_key[key] for key in file.read().splitlines() if key in by_key]
    if options.sample:
        mutants = sample(mutants, options.sample)
    if options.list:
        for area, count in collections.Counter(mutant.area for mutant in mutants).items():
            print(f"{area:10} {count:5}")
        return

    table = collections.defaultdict(collections.Counter)
    unexplained = []
    earlier = read_report(options.report) if options.resume else {}
    written = open(options.report, "w", encoding="utf-8") if options.report else None
    left = [mutant for mutant in mutants if key_of(mutant) not in earlier]
    for mutant, state, text in itertools.chain(
            ((mutant, *earlier[key_of(mutant)]) for mutant in mutants if key_of(mutant) in earlier),
            try_all(left, areas, options)):
        key = key_of(mutant)
        if state == "survived" and known.get(key):
            state, text = "explained", known[key]
        if state == "killed" and key in known:
            text = text.replace(NO_REASON_NEEDED, "") + NO_REASON_NEEDED
        if state == "survived":
            unexplained.append(key)
            print(f"SURVIVED {key}", flush=True)
        table[mutant.area][state] += 1
        if written:
            print(state, text, key, f"line {mutant.line + 1}", sep="\t", file=written, flush=True)

    if written:
        written.close()
    print(f"{'area':10} {'mutants':>8} {'killed':>8} {'explained':>10} {'survived':>9} {'void':>6}")
    total = collections.Counter()
    for area, states in table.items():
        total.update(states)
        print(f"{area:10} {sum(states.values()):8} {states['killed']:8} {states['explained']:10} "
              f"{states['survived']:9} {states['void']:6}")
    untried = len(mutants) - sum(total.values())
    if untried:
        print(f"{untried} were not tried: the time was over")
    valid = sum(total.values()) - total["void"]
    print(f"{'all':10} {sum(total.values()):8} {total['killed']:8} {total['explained']:10} {total['survived']:9} "
          f"{total['void']:6}   {100 * total['killed'] / max(1, valid):.1f} % of the valid ones killed")
    sys.exit(1 if unexplained or untried else 0)


if __name__ == "__main__":
    main()
