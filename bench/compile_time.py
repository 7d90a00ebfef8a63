#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the headers cost a program that includes them: time in the compiler, bytes in the object, work at start-up.

    compile_time.py                             tables on standard output
    compile_time.py --json FILE                 and the numbers
    compile_time.py --check FILE                exit status 1 where a header's cost, as a multiple of the cost of
                                                <string>, is over the one in FILE by more than a quarter, or where an
                                                object has work at start-up
    compile_time.py --update FILE               writes that file
    compile_time.py --targets                   exit status 1 where a stated target (GCC 12, milliseconds) is missed

A cost is the processor time (user and system) of the compiler with -fsyntax-only, the least of all rounds, less that of
an empty file. Rounds go over all files in turn, so that a busy moment of the machine hits all of them; what looks too
dear is measured again, for longer, before it counts. Standard library only.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BASE_SIZES = (256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192)
GROWTH = 1.25
SLACK = 0.03  # of the cost of <string>: what cannot be told from nothing

# Stated for GCC 12, in milliseconds.
TARGETS_FOR = "gcc-12"
TARGETS_MS = {"resolution_group.hpp": 60.0, "tokens.hpp": 15.0, "hunyuan_reso.hpp": 200.0, "tables": 150.0}


def profile_count(include):
    """Number of published profiles."""
    with open(os.path.join(include, "hunyuan_reso", "profile.hpp"), encoding="utf-8") as file:
        return re.search(r"\ball\[\] = \{([^}]*)\}", file.read()).group(1).count("&")


def tables_source(header, profiles):
    """All ten base sizes of all profiles as compile-time tables, each looked at."""
    lines = [f"#include <hunyuan_reso/{header}>", "using namespace hunyuan_reso;"]
    for profile in range(profiles):
        for base_size in BASE_SIZES:
            lines.append(f"static_assert(group_for<*profiles::all[{profile}], {base_size}>.size() >= 33);")
    return "\n".join(lines) + "\n"


def presets_source(profiles):
    """The same as lists of presets, with names and token ids."""
    lines = ["#include <hunyuan_reso/hunyuan_reso.hpp>", "using namespace hunyuan_reso;"]
    for profile in range(profiles):
        for base_size in BASE_SIZES:
            model = f"model_for<*profiles::all[{profile}], {base_size}>"
            lines.append(f"static_assert(make_presets({model}).size() >= 33);")
    return "\n".join(lines) + "\n"


def sources(include):
    """Name -> (text, name of what its cost is counted over)."""
    profiles = profile_count(include)
    result = {"empty": ("", None), "<string>": ("#include <string>\n", "empty")}
    for name in sorted(os.listdir(os.path.join(include, "hunyuan_reso"))):
        if name.endswith(".hpp"):
            result[name] = (f"#include <hunyuan_reso/{name}>\n", "empty")
    result["tables"] = (tables_source("hunyuan_reso.hpp", profiles), "hunyuan_reso.hpp")
    result["presets"] = (presets_source(profiles), "hunyuan_reso.hpp")
    return result


# Programs for the object's size; `use` keeps the compiler from working everything out.
PROGRAMS = {
    "nothing": "int main(int argc, char**) { return argc; }\n",
    "umbrella, unused": "#include <hunyuan_reso/hunyuan_reso.hpp>\nint main(int argc, char**) { return argc; }\n",
    "one table, snap": "#include <hunyuan_reso/model.hpp>\nusing namespace hunyuan_reso;\n"
                       "int main(int argc, char**) {\n"
                       "  return static_cast<int>(group_for<profiles::instruct>.snap({1024, argc}));\n}\n",
    "one table, snap_batch": "#include <hunyuan_reso/model.hpp>\n#include <hunyuan_reso/snap_batch.hpp>\n"
                             "using namespace hunyuan_reso;\n"
                             "void snap_all(const std::int32_t* w, const std::int32_t* h, std::uint8_t* out, "
                             "std::size_t count) {\n"
                             "  snap_batch(group_for<profiles::instruct>, w, h, out, count);\n}\n"
                             "int main(int argc, char**) { return argc; }\n",
    "group at run time": "#include <hunyuan_reso/model.hpp>\nusing namespace hunyuan_reso;\n"
                         "int main(int argc, char**) {\n"
                         "  return static_cast<int>(make_group(profiles::instruct, 256 * argc)->snap({2, 1}));\n"
                         "}\n",
    "tokens, both directions": "#include <hunyuan_reso/vocabulary.hpp>\nusing namespace hunyuan_reso;\n"
                               "int main(int argc, char** argv) {\n"
                               "  return find_token(profiles::base, argv[0]).value_or(0) +\n"
                               "         static_cast<int>(token_text(profiles::base, argc)->size());\n"
                               "}\n",
    "plan": "#include <hunyuan_reso/plan.hpp>\nusing namespace hunyuan_reso;\n"
            "int main(int argc, char** argv) {\n  GenerationRequest request;\n  request.image_size = argv[0];\n"
            "  request.prompt_tokens = argc;\n"
            "  return plan_generation(model_for<profiles::instruct>, request)->sequence_length;\n}\n",
}


def all_tables_program(profiles):
    lines = ["#include <hunyuan_reso/model.hpp>", "using namespace hunyuan_reso;",
             "const ResolutionGroup* table(int profile, int base) {", "  switch (profile * 10 + base) {"]
    for profile in range(profiles):
        for number, base_size in enumerate(BASE_SIZES):
            group = f"group_for<*profiles::all[{profile}], {base_size}>"
            lines.append(f"    case {profile * 10 + number}: return &{group};")
    lines += ["    default: return nullptr;", "  }", "}",
              "int main(int argc, char**) { return static_cast<int>(table(argc % 4, argc % 10)->size()); }"]
    return "\n".join(lines) + "\n"


def cpu_time(command):
    """Processor seconds of a command and its children; stops where it fails."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{errors.decode(errors='replace')}")
    return usage.ru_utime + usage.ru_stime


class Compiler:
    def __init__(self, command, include, directory):
        self.command = command
        self.include = include
        self.directory = directory
        version = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout
        self.banner = version.splitlines()[0]
        kind = "clang" if "clang" in version.lower() else "gcc"
        number = subprocess.run([command, "-dumpversion"], capture_output=True, text=True, check=True).stdout
        self.key = f"{kind}-{number.strip().split('.')[0]}"
        self.files = {}
        self.least = {}

    def add(self, name, text):
        path = os.path.join(self.directory, f"source{len(self.files)}.cpp")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.files[name] = path

    def measure(self, names, rounds):
        for number in range(rounds):
            for name in names:
                if number >= 3 and self.least.get(name, 0) > 1:
                    continue  # takes seconds: three times is enough
                seconds = cpu_time([self.command, "-std=c++17", f"-I{self.include}", "-fsyntax-only", self.files[name]])
                self.least[name] = min(seconds, self.least.get(name, seconds))

    def objects(self):
        """Section sizes of every program over the empty one, and what would run before main."""
        result = {}
        programs = dict(PROGRAMS)
        programs["all tables"] = all_tables_program(profile_count(self.include))
        for number, (name, text) in enumerate(programs.items()):
            source = os.path.join(self.directory, f"program{number}.cpp")
            target = os.path.join(self.directory, f"program{number}-{self.key}.o")
            with open(source, "w", encoding="utf-8") as file:
                file.write(text)
            cpu_time([self.command, "-std=c++17", "-O2", f"-I{self.include}", "-c", source, "-o", target])
            sections = subprocess.run(["size", "-A", target], capture_output=True, text=True, check=True).stdout
            sizes = {"text": 0, "rodata": 0, "data": 0}
            startup = []
            for line in sections.splitlines():
                match = re.match(r"\.(\S+)\s+(\d+)", line)
                if not match:
                    continue
                section, size = match.group(1), int(match.group(2))
                if section.startswith(("init_array", "ctors", "preinit_array")):
                    startup.append("." + section)
                for kind in sizes:
                    if section.split(".")[0] in ((kind, "bss") if kind == "data" else (kind,)):
                        sizes[kind] += size
            code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", target], capture_output=True, text=True,
                                  check=True).stdout
            startup += re.findall(r"<(_GLOBAL__sub_I[^>]*|__cxx_global_var_init[^>]*|"
                                  r"_Z41__static_initialization_and_destruction_0[^>]*)>:", code)
            sizes["startup"] = startup
            result[name] = sizes
        nothing = result["nothing"]
        for name, sizes in result.items():
            if name != "nothing":
                for kind in ("text", "rodata", "data"):
                    sizes[kind] -= nothing[kind]
        del result["nothing"]
        return result


def cost(compiler, everything, name):
    """Milliseconds over what the source is counted over."""
    return 1e3 * (compiler.least[name] - compiler.least[everything[name][1]])


def ratio(compiler, everything, name):
    return cost(compiler, everything, name) / cost(compiler, everything, "<string>")


def too_dear(compiler, everything, limits, targets):
    """What is over its limit (a multiple of <string>) or its target (milliseconds)."""
    names = [name for name, limit in limits.items() if name in everything and ratio(compiler, everything, name) > limit]
    names += [name for name, limit in targets.items() if cost(compiler, everything, name) > limit]
    return names


def measure_until_sure(compiler, everything, limits, targets, rounds):
    """Measures all; then again, twice as long each time, what is over its limit. Returns what stays over it."""
    compiler.measure(everything, rounds)
    for extra in (rounds, 2 * rounds, 4 * rounds):
        dear = too_dear(compiler, everything, limits, targets)
        if not dear:
            return []
        again = {"empty", "<string>"} | set(dear) | {everything[name][1] for name in dear}
        compiler.measure(sorted(again), extra)
    return too_dear(compiler, everything, limits, targets)


def print_tables(compiler, everything, objects):
    print(f"\n{compiler.banner}: empty file {1e3 * compiler.least['empty']:.0f} ms, "
          f"<string> {cost(compiler, everything, '<string>'):.0f} ms more\n")
    print("| source | ms | over | times <string> |\n|---|--:|---|--:|")
    for name, (_, over) in everything.items():
        if over is not None:
            print(f"| {name} | {cost(compiler, everything, name):.0f} | {over} | "
                  f"{ratio(compiler, everything, name):.2f} |")
    print("\n| program, -O2 -c | .text | .rodata | .data, .bss | before main |\n|---|--:|--:|--:|---|")
    for name, sizes in objects.items():
        print(f"| {name} | {sizes['text']} | {sizes['rodata']} | {sizes['data']} | "
              f"{', '.join(sizes['startup']) or 'nothing'} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--include", default=os.path.join(HERE, "..", "include"), help="directory of the headers")
    parser.add_argument("--compiler", action="append", help="may be given several times; default: g++ and clang++")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--check", metavar="FILE")
    parser.add_argument("--update", metavar="FILE")
    parser.add_argument("--targets", action="store_true")
    options = parser.parse_args()
    names = options.compiler or [name for name in ("g++", "clang++") if shutil.which(name)]
    if not names:
        sys.exit("no compiler found")
    baseline = {}
    if options.check:
        with open(options.check, encoding="utf-8") as file:
            baseline = json.load(file)

    everything = sources(options.include)
    results = {}
    is_bad = False
    with tempfile.TemporaryDirectory() as directory:
        for command in names:
            compiler = Compiler(command, options.include, directory)
            for name, (text, _) in everything.items():
                compiler.add(name, text)
            limits = {}
            if options.check:
                if compiler.key not in baseline:
                    print(f"{compiler.key}: not in {options.check}, only looked at start-up work")
                known = baseline.get(compiler.key, {})
                limits = {name: value * GROWTH + SLACK for name, value in known.items()}
            targets = TARGETS_MS if options.targets and compiler.key == TARGETS_FOR else {}
            dear = measure_until_sure(compiler, everything, limits, targets, options.rounds)
            objects = compiler.objects()
            print_tables(compiler, everything, objects)
            for name in dear:
                is_bad = True
                allowed = [f"{limits[name]:.2f} times <string>"] if name in limits else []
                allowed += [f"{targets[name]:g} ms"] if name in targets else []
                print(f"TOO DEAR with {compiler.key}: {name} costs {ratio(compiler, everything, name):.2f} times "
                      f"<string>, {cost(compiler, everything, name):.0f} ms; at most {', '.join(allowed)}")
            for name, sizes in objects.items():
                if sizes["startup"]:
                    is_bad = True
                    print(f"WORK BEFORE MAIN with {compiler.key}: {name}")
            results[compiler.key] = {
                "compiler": compiler.banner,
                "empty_ms": round(1e3 * compiler.least["empty"], 2),
                "cost_ms": {n: round(cost(compiler, everything, n), 2) for n in everything if n != "empty"},
                "ratio_to_string": {n: round(ratio(compiler, everything, n), 4) for n in everything if n != "empty"},
                "objects": objects,
            }
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=2)
            file.write("\n")
    if options.update:
        ratios = {key: {n: max(0.0, v) for n, v in value["ratio_to_string"].items() if n != "<string>"}
                  for key, value in results.items()}
        with open(options.update, "w", encoding="utf-8") as file:
            json.dump(ratios, file, indent=2)
            file.write("\n")
    sys.exit(1 if is_bad and (options.check or options.targets) else 0)


if __name__ == "__main__":
    main()
