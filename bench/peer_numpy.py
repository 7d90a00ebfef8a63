#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""NumPy's way of snapping, on the file of hunyuan_reso_peer_data: every answer compared with the library's, then timed.

    peer_numpy.py DATA OUTPUT.json [REPETITIONS]

scalar: argmin(abs(ratios - h / w)) for one size at a time, in a Python loop, as the published code does. vectorised:
all sizes at once, in pieces whose table of distances fits into the cache. The JSON is in Google Benchmark's form, under
family peer_snap with the variants numpy_scalar and numpy_vectorised, so that report.py joins it with the C++ side's.
"""

import json
import platform
import sys
import time

import numpy as np

CHUNK = 4096  # sizes; 37 rows of binary64 distances to each are 1.2 MB
SCALAR_COUNT = 20000


def ratios_of_instruct():
    """The published rows at base size 1024: two arms and the square by height / width, then the four extra rows."""
    rows = [(1024, 1024)]
    for is_tall in (True, False):
        longer, shorter = 1024, 1024
        while longer < 2048 or shorter > 512:
            longer, shorter = min(longer + 64, 2048), max(shorter - 64, 512)
            rows.append((longer, shorter) if is_tall else (shorter, longer))
    rows.sort(key=lambda row: row[0] / row[1])
    rows += [(1024, 768), (1280, 720), (768, 1024), (720, 1280)]
    return np.array([height / width for height, width in rows])


def read(path):
    with open(path, "rb") as file:
        count = int(np.fromfile(file, np.int64, 1)[0])
        widths = np.fromfile(file, np.int32, count)
        heights = np.fromfile(file, np.int32, count)
        indices = np.fromfile(file, np.uint8, count)
    return widths, heights, indices


def scalar(ratios, widths, heights, out):
    for i, (width, height) in enumerate(zip(widths, heights)):
        out[i] = np.argmin(np.abs(ratios - height / width))


def vectorised(ratios, widths, heights, out):
    for begin in range(0, len(widths), CHUNK):
        part = slice(begin, begin + CHUNK)
        ratio = heights[part] / widths[part]
        out[part] = np.argmin(np.abs(ratios[None, :] - ratio[:, None]), axis=1)


def measure(name, run, size, repetitions):
    runs = []
    for repetition in range(repetitions + 1):
        real, cpu = time.perf_counter(), time.process_time()
        run()
        real, cpu = time.perf_counter() - real, time.process_time() - cpu
        if repetition > 0:  # the first one warms up
            runs.append({"name": f"peer_snap/{name}/{size}", "run_type": "iteration", "time_unit": "ns",
                         "real_time": real * 1e9, "cpu_time": cpu * 1e9, "items_per_second": size / cpu,
                         "bytes_per_second": 9 * size / cpu})
    return runs


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    repetitions = int(sys.argv[3]) if len(sys.argv) == 4 else 5
    widths, heights, expected = read(sys.argv[1])
    ratios = ratios_of_instruct()
    out = np.empty(len(widths), np.uint8)

    vectorised(ratios, widths, heights, out)
    if not np.array_equal(out, expected):
        sys.exit("NumPy's answers differ from the library's")
    # Python's own integers, as the published code gets them.
    few = min(SCALAR_COUNT, len(widths))
    few_widths, few_heights = widths[:few].tolist(), heights[:few].tolist()
    scalar(ratios, few_widths, few_heights, out)
    if not np.array_equal(out, expected):
        sys.exit("NumPy's answers differ from the library's")

    runs = measure("numpy_scalar", lambda: scalar(ratios, few_widths, few_heights, out), few, repetitions)
    runs += measure("numpy_vectorised", lambda: vectorised(ratios, widths, heights, out), len(widths), repetitions)
    context = {"python": platform.python_version(), "numpy": np.__version__}
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump({"context": context, "benchmarks": runs}, file, indent=1)


if __name__ == "__main__":
    main()
