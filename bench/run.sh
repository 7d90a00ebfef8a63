#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the benchmarks with three sets of flags and runs all of them: the tables, the chart, the comparison with NumPy,
# the targets. Nothing else should run on the machine meanwhile. About 6 minutes; needs 5 GiB of memory.
#   bench/run.sh [OUTPUT_DIRECTORY]
# CXX and PYTHON may name the compiler and the interpreter; REPETITIONS defaults to 9.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
out=${1:-$root/build/bench-results}
repetitions=${REPETITIONS:-9}
python=${PYTHON:-python3}
mkdir -p "$out"

for flags in baseline x86-64-v3 native; do
  case $flags in
    baseline) extra= ;;
    *) extra=-march=$flags ;;
  esac
  cmake -S "$root" -B "$out/build-$flags" -DCMAKE_BUILD_TYPE=Release "-DCMAKE_CXX_FLAGS=$extra" \
    -DHUNYUAN_RESO_BUILD_TESTS=OFF -DHUNYUAN_RESO_BUILD_EXAMPLES=OFF >/dev/null
  cmake --build "$out/build-$flags" --target hunyuan_reso_bench hunyuan_reso_peer_data -j 2 >/dev/null
done

# Everything with the machine's own instructions; with the others, what depends on them most.
"$out/build-native/bench/hunyuan_reso_bench" --benchmark_min_time=0.05 "--benchmark_repetitions=$repetitions" \
  --benchmark_enable_random_interleaving=true --benchmark_out="$out/native.json" --benchmark_out_format=json \
  >"$out/log.txt" 2>&1
for flags in baseline x86-64-v3; do
  "$out/build-$flags/bench/hunyuan_reso_bench" '--benchmark_filter=^snap' --benchmark_min_time=0.05 \
    "--benchmark_repetitions=$repetitions" --benchmark_enable_random_interleaving=true \
    --benchmark_out="$out/$flags.json" --benchmark_out_format=json >>"$out/log.txt" 2>&1
done

for flags in native baseline x86-64-v3; do
  "$python" "$here/report.py" "$out/$flags.json" --svg "$out/$flags.svg" >"$out/$flags.md"
done
sh "$here/peer.sh" "$out/build-native" "$out" 2>/dev/null | tee "$out/peer.md"
echo
"$python" "$here/report.py" "$out/native.json" --check
