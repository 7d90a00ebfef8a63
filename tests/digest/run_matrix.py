#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds and runs the digest program by many compilers, flags and processors; all must print digest.txt.

    run_matrix.py                 everything whose tools are here; says what is missing
    run_matrix.py --ci            the part that fits into CI; there a missing tool is an error
    run_matrix.py --only NAME...  these entries; --list names them
    run_matrix.py --install       prints the Debian 12 packages that the whole matrix needs
    run_matrix.py --markdown      the result as the table of docs/platforms.md
    run_matrix.py --jobs N        so many at once (default: the number of processors)

Exit status 1: an output differs, or a program does not build or run.
"""

import argparse
import concurrent.futures
import difflib
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
INCLUDE = os.path.join(HERE, "..", "..", "include")
WARNINGS = "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror".split()
PACKAGES = """g++-12 clang-14 clang-16 clang-19 libc++-19-dev libc++abi-19-dev libunwind-19-dev g++-12-multilib
qemu-user-static g++-aarch64-linux-gnu g++-riscv64-linux-gnu g++-s390x-linux-gnu g++-mingw-w64-x86-64-posix wine64
emscripten nodejs""".split()


class Entry:
    """One way to build and run. `run`: what stands before the program's name; None: compiled only."""

    def __init__(self, name, what, compiler, flags, run=(), suffix="", source="main.cpp", in_ci=False, is_part=False):
        self.name, self.what, self.compiler, self.flags = name, what, compiler, flags.split()
        self.run, self.suffix, self.source, self.in_ci, self.is_part = run, suffix, source, in_ci, is_part

    def command(self, program):
        warnings = [] if self.source.endswith(".cu") else WARNINGS
        return [self.compiler, *warnings, *self.flags, f"-I{INCLUDE}", os.path.join(HERE, self.source), "-o", program]

    def missing(self):
        return [tool for tool in (self.compiler, *self.run[:1]) if shutil.which(tool) is None]


def entries():
    flags = {"O0": "-O0", "O2": "-O2", "O3-native": "-O3 -march=native", "Ofast": "-Ofast"}
    compilers = [("gcc-12", "GCC 12", "g++-12", ""), ("clang-14", "clang 14", "clang++-14", ""),
                 ("clang-16", "clang 16", "clang++-16", ""), ("clang-19", "clang 19", "clang++-19", ""),
                 ("clang-19-libc++", "clang 19, libc++", "clang++-19", " -stdlib=libc++")]
    in_ci = {"gcc-12-O0", "gcc-12-O2", "gcc-12-O3-native", "gcc-12-Ofast", "clang-14-O2"}
    for key, what, compiler, library in compilers:
        for flag, options in flags.items():
            if flag == "Ofast" and key.startswith("clang"):
                options = "-O3 -ffast-math"  # what clang 19 says to use in its place
            name = f"{key}-{flag}"
            yield Entry(name, f"{what}, x86-64, `{options}`", compiler, f"-std=c++17 {options}{library}",
                        in_ci=name in in_ci)
    for standard, draft in (("20", "20"), ("23", "2b")):
        yield Entry(f"gcc-12-c++{standard}", f"GCC 12, x86-64, `-O2`, C++{standard}", "g++-12", f"-std=c++{draft} -O2")
        yield Entry(f"clang-19-c++{standard}", f"clang 19, x86-64, `-O2`, C++{standard}", "clang++-19",
                    f"-std=c++{draft} -O2")
    yield Entry("gcc-12-no-exceptions", "GCC 12, x86-64, `-O2 -fno-exceptions -fno-rtti`", "g++-12",
                "-std=c++17 -O2 -fno-exceptions -fno-rtti")
    yield Entry("gcc-12-sanitized", "GCC 12, x86-64, `-O1`, address and undefined-behaviour sanitizers", "g++-12",
                "-std=c++17 -O1 -fsanitize=address,undefined -fno-sanitize-recover=all")
    yield Entry("gcc-12-x87", "GCC 12, x86-64, `-O2 -mfpmath=387`", "g++-12", "-std=c++17 -O2 -mfpmath=387")
    # g++-multilib, which would put asm/ where -m32 looks, cannot be installed beside the cross compilers.
    multilib = "-isystem /usr/include/x86_64-linux-gnu"
    for flag, options in (("O0", "-O0"), ("O2", "-O2"), ("Ofast", "-Ofast")):
        yield Entry(f"gcc-12-m32-x87-{flag}", f"GCC 12, i686 with x87, `-m32 -mfpmath=387 {options}`", "g++-12",
                    f"-std=c++17 -m32 -mfpmath=387 {options} {multilib}", in_ci=flag == "O2")
    for key, what, triple in (("aarch64", "aarch64", "aarch64-linux-gnu"), ("riscv64", "riscv64", "riscv64-linux-gnu"),
                              ("s390x", "s390x (big-endian)", "s390x-linux-gnu")):
        for flag, options in (("O2", "-O2"), ("Ofast", "-Ofast")):
            yield Entry(f"{key}-{flag}", f"GCC 12, {what} under qemu-user, `{options}`", f"{triple}-g++",
                        f"-std=c++17 -static {options}", run=(f"qemu-{key}-static",),
                        in_ci=(key, flag) == ("s390x", "O2"))
    wine = next((path for path in ("wine64", "wine", "/usr/lib/wine/wine64") if shutil.which(path)), "wine64")
    for flag, options in (("O2", "-O2"), ("Ofast", "-Ofast")):
        yield Entry(f"mingw-w64-{flag}", f"GCC 12 (mingw-w64), Windows x86-64 under wine, `{options}`",
                    "x86_64-w64-mingw32-g++-posix", f"-std=c++17 -static {options}", run=(wine,), suffix=".exe")
    yield Entry("wasm-O2", "Emscripten, WebAssembly under Node, `-O2`", "em++",
                "-std=c++17 -O2 -sALLOW_MEMORY_GROWTH=1", run=("node", "--no-experimental-fetch"), suffix=".js")  # which 3.1.6 takes for a browser's
    yield Entry("cuda-sm_90", "nvcc, device code", "nvcc", "-std=c++17 -O2 -arch=sm_90 -Werror all-warnings",
                source="device.cu", is_part=True)


def expected_lines(entry):
    with open(os.path.join(HERE, "digest.txt"), encoding="ascii") as file:
        lines = file.read().splitlines()
    # Device code answers the sections before the first one that only a host has.
    return lines[:next(i for i, line in enumerate(lines) if line.startswith("constants "))] if entry.is_part else lines


def try_entry(entry, folder):
    """(state, text): "same", "differs", "fails", "compiled"."""
    program = os.path.join(folder, entry.name + entry.suffix)
    environment = dict(os.environ, WINEPREFIX=os.path.join(tempfile.gettempdir(), f"digest-wine-{os.getuid()}"),
                       WINEDEBUG="-all", NODE_PATH="/usr/share/nodejs")  # where Debian's Emscripten has its modules
    built = subprocess.run(entry.command(program), capture_output=True, text=True, check=False, env=environment)
    if built.returncode != 0:
        return "fails", "does not build:\n" + (built.stdout + built.stderr)[:3000]
    ran = subprocess.run([*entry.run, program] if entry.run else [program], capture_output=True, text=True, check=False,
                         env=environment, stdin=subprocess.DEVNULL)
    if ran.returncode == 77 and entry.is_part:
        return "compiled", "no GPU here"
    if ran.returncode != 0:
        return "fails", f"ends with {ran.returncode}:\n" + (ran.stdout + ran.stderr)[:3000]
    expected, got = expected_lines(entry), ran.stdout.split("\n")
    got = [line.rstrip("\r") for line in got if line.strip()]
    if got != expected:
        return "differs", "\n".join(difflib.unified_diff(expected, got, "digest.txt", entry.name, lineterm=""))
    return "same", ""


def timed(entry, folder):
    """(state, text, seconds); state is "missing" where a tool is not here."""
    start = time.monotonic()
    missing = entry.missing()
    state, text = ("missing", ", ".join(missing)) if missing else try_entry(entry, folder)
    return state, text, time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ci", action="store_true")
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    if options.install:
        print(*PACKAGES)
        return
    chosen = list(entries())
    if options.only:
        unknown = set(options.only) - {entry.name for entry in chosen}
        if unknown:
            parser.error(f"unknown: {', '.join(sorted(unknown))} (--list names all)")
        chosen = [entry for entry in chosen if entry.name in options.only]
    elif options.ci:
        chosen = [entry for entry in chosen if entry.in_ci]
    if options.list:
        print(*(entry.name for entry in chosen), sep="\n")
        return
    states = {}
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        for entry, (state, text, seconds) in zip(chosen, pool.map(lambda entry: timed(entry, folder), chosen)):
            states[entry.name] = state
            if options.markdown:
                print(f"| {entry.what} | {state} |", flush=True)
            else:
                print(f"{entry.name:24} {state:9} {seconds:5.1f} s  {text}", flush=True)
    bad = [name for name, state in states.items()
           if state in ("differs", "fails") or (state == "missing" and (options.ci or options.only))]
    count = sum(state == "same" for state in states.values())
    print(f"{count} of {len(states)} printed digest.txt" + (f"; not: {', '.join(bad)}" if bad else ""))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
