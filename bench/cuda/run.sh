#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds and runs the device benchmarks: needs nvcc with its host compiler and a GPU, nothing else, no network.
#   bench/cuda/run.sh [OUTPUT_DIRECTORY [LOG2_PAIRS]]
# NVCC and CUDA_ARCH may be set (default: nvcc from PATH or /usr/local/cuda, sm_90). BUILD_ONLY=1 does not run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${1:-$root/build/cuda}
bits=${2:-28}
nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
arch=${CUDA_ARCH:-sm_90}
flags="-std=c++17 -O3 -arch=$arch"
mkdir -p "$out"

for source in main snap_batch rope mask; do
  # shellcheck disable=SC2086
  "$nvcc" $flags -Xptxas -v "-DHUNYUAN_RESO_BENCH_FLAGS=\"$flags\"" "-I$root/include" -c "$here/$source.cu" \
    -o "$out/$source.o" 2>"$out/$source.ptxas.txt" || { cat "$out/$source.ptxas.txt" >&2; exit 1; } &
  eval "job_$source=$!"
done
for source in main snap_batch rope mask; do
  eval "wait \$job_$source"
done
"$nvcc" "-arch=$arch" -o "$out/cuda_bench" "$out/main.o" "$out/snap_batch.o" "$out/rope.o" "$out/mask.o"
if command -v cuobjdump >/dev/null 2>&1; then
  cuobjdump --dump-sass "$out/cuda_bench" >"$out/cuda_bench.sass"
  echo "16-byte loads in the machine code: $(grep -c 'LDG\.E\(\.[A-Z]*\)*\.128' "$out/cuda_bench.sass" || true)"
fi
[ "${BUILD_ONLY:-0}" = 1 ] && exit 0
nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.mem,temperature.gpu --format=csv,noheader || true
"$out/cuda_bench" "$out/cuda.json" "$bits"
