#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tables and a chart from the JSON of hunyuan_reso_bench (Google Benchmark), with the standard library only.

    hunyuan_reso_bench --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true \\
        --benchmark_out=bench.json --benchmark_out_format=json
    report.py bench.json                        Markdown on standard output
    report.py bench.json --svg bench.svg        and a chart
    report.py bench.json --check                exit status 1 where a stated target is missed

Benchmarks are named family/variant/size. The variant `library` is compared with `plain`, what a user would write in its
place, and with every variant whose name begins with `floor`. Several files are joined, as from peer_numpy.py.
Times are processor times, so that other load on the machine counts less; the median of the repetitions, and as the
spread the distance between the quartiles, in per cent of the median.
"""

import argparse
import json
import math
import statistics
import sys
from xml.sax.saxutils import escape

# What the project promises of the library beside another variant: plain / library, at least; library / floor, at most.
AT_LEAST = [("snap_batch", 1024, "plain", 50.0)]
AT_MOST = [("snap_batch", 16777216, "floor_traffic", 2.5)]  # a memcpy that moves the same 9 bytes a pair
# Growth of the time with the number of items, as an exponent: linear or better. Above 1 lies what the levels of memory
# cost (2^10 pairs come from the first cache, 2^28 from memory): so the limit is 1.1, or 0.1 over the floor's exponent.
MOST_EXPONENT = 1.1
GROWING = [
    "scaling_snap_batch", "scaling_group", "scaling_group_snap", "sequence_build", "sequence_ids", "sequence_expand",
    "rope_positions", "mask",
]

UNITS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


class Entry:
    """One benchmark: all its repetitions."""

    def __init__(self):
        self.times = []  # nanoseconds a call
        self.items = 1.0  # in one call
        self.bytes = 0.0

    def time(self):
        return statistics.median(self.times)

    def spread(self):
        if len(self.times) < 3:
            return None
        low, _, high = statistics.quantiles(self.times, n=4, method="inclusive")
        return (high - low) / self.time()

    def per_item(self):
        return self.time() / self.items


def read(paths, clock):
    entries = {}
    contexts = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        contexts.append(data.get("context", {}))
        for run in data["benchmarks"]:
            if run.get("run_type", "iteration") != "iteration" or run.get("error_occurred"):
                continue
            parts = run.get("run_name", run["name"]).split("/")
            if len(parts) < 3 or not parts[2].isdigit():
                continue
            entry = entries.setdefault((parts[0], parts[1], int(parts[2])), Entry())
            time = run[clock] * UNITS[run["time_unit"]]
            entry.times.append(time)
            # Rates are per second of processor time.
            seconds = run["cpu_time"] * UNITS[run["time_unit"]] / 1e9
            if "items_per_second" in run:
                entry.items = max(1.0, round(run["items_per_second"] * seconds, 3))
            if "bytes_per_second" in run:
                entry.bytes = run["bytes_per_second"] * seconds
    return entries, contexts


def variants_of(entries, family):
    """Variants in order: library, plain, floors, others."""
    rank = {"library": 0, "plain": 1}
    names = {variant for f, variant, _ in entries if f == family}
    return sorted(names, key=lambda v: (rank.get(v, 2 if v.startswith("floor") else 3), v))


def sizes_of(entries, family):
    return sorted({size for f, _, size in entries if f == family})


def families_of(entries):
    return sorted({family for family, _, _ in entries})


def exponent(points):
    """Slope of the line through log(items), log(time); None for fewer than three sizes."""
    if len(points) < 3:
        return None
    xs = [math.log(items) for items, _ in points]
    ys = [math.log(time) for _, time in points]
    x_mean = statistics.fmean(xs)
    y_mean = statistics.fmean(ys)
    return sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys)) / sum((x - x_mean) ** 2 for x in xs)


def growth(entries, family, variant):
    sizes = sizes_of(entries, family)
    points = [entries[family, variant, size] for size in sizes if (family, variant, size) in entries]
    return exponent([(entry.items, entry.time()) for entry in points])


def show_time(nanoseconds):
    for unit, factor in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= factor:
            return f"{nanoseconds / factor:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def show_size(size):
    for factor, prefix in ((1 << 20, "Mi"), (1 << 10, "Ki")):
        if size >= 4096 and size % factor == 0 and size >= factor:
            return f"{size // factor} {prefix}"
    return str(size)


def show_spread(entry):
    spread = entry.spread()
    return "" if spread is None else f"±{spread * 50:.1f} %"


def write_contexts(contexts, out):
    for context in contexts:
        keys = ("processor", "compiler", "flags", "python", "numpy")
        known = [f"{key}: {context[key]}" for key in keys if key in context]
        if known:
            out.write("- " + "; ".join(known) + "\n")


def tables(entries, contexts, out):
    write_contexts(contexts, out)
    repetitions = max(len(entry.times) for entry in entries.values())
    out.write(f"- {repetitions} repetitions: median, and half the distance of the quartiles\n\n")
    out.write("| benchmark | size | library | | an item | bytes/s | plain | plain / library | floor | library / floor "
              "|\n")
    out.write("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
    for family in families_of(entries):
        if family.startswith("peer"):  # has a table of its own
            continue
        for size in sizes_of(entries, family):
            row(entries, family, size, out)
    out.write("\n| growth of | items | exponent |\n|---|---|--:|\n")
    for family in families_of(entries):
        for variant in variants_of(entries, family):
            slope = growth(entries, family, variant)
            if slope is None:
                continue
            sizes = [s for s in sizes_of(entries, family) if (family, variant, s) in entries]
            counts = [entries[family, variant, size].items for size in sizes]
            out.write(f"| {family}/{variant} | {min(counts):.0f} .. {max(counts):.0f} | {slope:.2f} |\n")


def row(entries, family, size, out):
    library = entries.get((family, "library", size))
    if library is None:
        return
    plain = entries.get((family, "plain", size))
    floors = [v for v in variants_of(entries, family) if v.startswith("floor") and (family, v, size) in entries]
    others = [v for v in variants_of(entries, family)
              if v not in ("library", "plain") and not v.startswith("floor") and (family, v, size) in entries]
    rate = f"{library.bytes / library.time():.3g} GB/s" if library.bytes else ""
    cells = [family, show_size(size), show_time(library.time()), show_spread(library), show_time(library.per_item())]
    cells.append(rate)
    cells += [show_time(plain.time()), f"{plain.time() / library.time():.3g}"] if plain else ["", ""]
    first = entries[family, floors[0], size] if floors else None
    of_floor = f"{library.time() / first.time():.3g}" if first else ""
    cells += [f"{floors[0][6:]} {show_time(first.time())}" if first else "", of_floor]
    out.write("| " + " | ".join(cells) + " |\n")
    for variant in others:  # a line of its own, measured against the same plain and floor
        entry = entries[family, variant, size]
        cells = [f"{family}: {variant}", show_size(size), show_time(entry.time()), show_spread(entry),
                 show_time(entry.per_item()), "", "", f"{plain.time() / entry.time():.3g}" if plain else "", "",
                 f"{entry.time() / first.time():.3g}" if first else ""]
        out.write("| " + " | ".join(cells) + " |\n")
    for variant in floors[1:]:
        floor = entries[family, variant, size]
        cells = ["", "", "", "", "", "", "", "", f"{variant[6:]} {show_time(floor.time())}",
                 f"{library.time() / floor.time():.3g}"]
        out.write("| " + " | ".join(cells) + " |\n")


def check(entries, out):
    """One line a target; the number of targets missed."""
    missed = 0

    def say(text, holds):
        nonlocal missed
        missed += 0 if holds else 1
        out.write(f"{'met   ' if holds else 'MISSED'} {text}\n")

    for family, size, variant, least in AT_LEAST:
        library, plain = entries.get((family, "library", size)), entries.get((family, variant, size))
        if library is None or plain is None:
            say(f"{family}/{size}: not measured", False)
            continue
        factor = plain.time() / library.time()
        say(f"{family}/{size}: {variant} / library = {factor:.1f}, at least {least:g}", factor >= least)
    for family, size, variant, most in AT_MOST:
        library, floor = entries.get((family, "library", size)), entries.get((family, variant, size))
        if library is None or floor is None:
            say(f"{family}/{size}: not measured", False)
            continue
        factor = library.time() / floor.time()
        say(f"{family}/{size}: library / {variant} = {factor:.2f}, at most {most:g}", factor <= most)
    for family in GROWING:
        slope = growth(entries, family, "library")
        if slope is None:
            say(f"{family}: growth not measured", False)
            continue
        floors = [growth(entries, family, v) for v in variants_of(entries, family) if v.startswith("floor")]
        most = max([MOST_EXPONENT] + [floor + 0.1 for floor in floors if floor is not None])
        say(f"{family}: exponent {slope:.2f}, at most {most:.2f}", slope <= most)
    return missed


def peers(entries, contexts, family, out):
    """One family, time an item and how many times as long the others take as `library` does, whatever their sizes."""
    write_contexts(contexts, out)
    reference = min(e.per_item() for (f, variant, _), e in entries.items() if f == family and variant == "library")
    out.write("\n| variant | items | time | | an item | times the library |\n|---|--:|--:|--:|--:|--:|\n")
    for (_, variant, size), entry in sorted((item for item in entries.items() if item[0][0] == family),
                                            key=lambda item: item[1].per_item()):
        out.write(f"| {variant} | {show_size(size)} | {show_time(entry.time())} | {show_spread(entry)} | "
                  f"{show_time(entry.per_item())} | {entry.per_item() / reference:.3g} |\n")


COLOURS = {"library": "#1f6f8b", "plain": "#d98c3f"}
FLOOR_COLOUR = "#b8b8b8"


def chart(entries, path):
    """Horizontal bars on a logarithmic axis: nanoseconds an item of library, plain and floor, largest size each."""
    rows = []
    for family in families_of(entries):
        if family.startswith(("scaling", "peer", "cuda_scaling")):
            continue
        sizes = [s for s in sizes_of(entries, family)
                 if (family, "library", s) in entries and (family, "plain", s) in entries]
        if family.startswith("snap_batch") or family.startswith("snap_histogram"):
            chosen = sizes
        else:
            chosen = sizes[-1:]
        for size in chosen:
            floors = [v for v in variants_of(entries, family) if v.startswith("floor") and (family, v, size) in entries]
            names = ["library", "plain"] + floors[:1]
            rows.append((family, size, [(name, entries[family, name, size].per_item()) for name in names]))
    if not rows:
        return
    values = [value for _, _, bars in rows for _, value in bars]
    low = math.floor(math.log10(min(values)))
    high = math.ceil(math.log10(max(values)))
    left, right, top, bar, gap = 210, 90, 64, 11, 9
    plot = 640
    heights = [len(bars) * bar + gap for _, _, bars in rows]
    height = top + sum(heights) + 30
    width = left + plot + right

    def x(value):
        return left + (math.log10(value) - low) / (high - low) * plot

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             f'viewBox="0 0 {width} {height}" font-family="DejaVu Sans, Helvetica, sans-serif" font-size="11">',
             f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
             f'<text x="{left}" y="20" font-size="14" fill="#222222">Time of one item, logarithmic: '
             'shorter is faster</text>']
    legend = left
    for name, colour in (("library", COLOURS["library"]), ("plain", COLOURS["plain"]),
                         ("floor (memcpy, memset, read)", FLOOR_COLOUR)):
        parts.append(f'<rect x="{legend}" y="30" width="10" height="10" fill="{colour}"/>'
                     f'<text x="{legend + 14}" y="39" fill="#222222">{name}</text>')
        legend += 30 + 7 * len(name)
    labels = {-3: "1 ps", -2: "10 ps", -1: "0.1 ns", 0: "1 ns", 1: "10 ns", 2: "100 ns", 3: "1 µs", 4: "10 µs",
              5: "0.1 ms", 6: "1 ms", 7: "10 ms", 8: "0.1 s", 9: "1 s"}
    for power in range(low, high + 1):
        position = x(10.0 ** power)
        parts.append(f'<line x1="{position:.1f}" y1="{top - 6}" x2="{position:.1f}" y2="{height - 26}" '
                     'stroke="#e4e4e4"/>')
        parts.append(f'<text x="{position:.1f}" y="{height - 10}" text-anchor="middle" fill="#555555">'
                     f'{labels.get(power, f"1e{power} ns")}</text>')
    y = top
    for (family, size, bars), tall in zip(rows, heights):
        middle = y + (tall - gap) / 2 + 4
        parts.append(f'<text x="{left - 8}" y="{middle:.1f}" text-anchor="end" fill="#222222">'
                     f'{escape(family)} <tspan fill="#777777">{show_size(size)}</tspan></text>')
        for i, (name, value) in enumerate(bars):
            colour = COLOURS.get(name, FLOOR_COLOUR)
            parts.append(f'<rect x="{left}" y="{y + i * bar}" width="{max(1.0, x(value) - left):.1f}" '
                         f'height="{bar - 1}" fill="{colour}"/>')
            parts.append(f'<text x="{x(value) + 4:.1f}" y="{y + i * bar + 9}" font-size="9" fill="#444444">'
                         f'{show_time(value)}</text>')
        y += tall
    parts.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(parts) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", help="JSON of Google Benchmark")
    parser.add_argument("--svg", metavar="FILE", help="write a chart")
    parser.add_argument("--check", action="store_true", help="only compare with the targets")
    parser.add_argument("--peers", metavar="FAMILY", help="only this family, each variant beside the library")
    parser.add_argument("--clock", choices=("cpu", "real"), default="cpu", help="which time to report")
    options = parser.parse_args()
    entries, contexts = read(options.files, f"{options.clock}_time")
    if not entries:
        sys.exit("no benchmarks in the input")
    if options.check:
        sys.exit(1 if check(entries, sys.stdout) else 0)
    if options.peers:
        peers(entries, contexts, options.peers, sys.stdout)
        return
    tables(entries, contexts, sys.stdout)
    if options.svg:
        chart(entries, options.svg)


if __name__ == "__main__":
    main()
