#!/bin/sh
# SPDX-License-Identifier: MIT
# The library beside NumPy, in one run and on the same sizes. Needs a build with the benchmarks and Python with NumPy
# (Debian, Ubuntu: apt-get install python3-numpy).
#   bench/peer.sh BUILD_DIRECTORY [OUTPUT_DIRECTORY]
# PYTHON may name the interpreter that has NumPy; default: /usr/bin/python3, which is the distribution's.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:?usage: bench/peer.sh BUILD_DIRECTORY [OUTPUT_DIRECTORY]}
out=${2:-$build}
python=${PYTHON:-/usr/bin/python3}
"$python" -c 'import numpy' || { echo "NumPy is missing: apt-get install python3-numpy, or set PYTHON" >&2; exit 1; }

"$build/bench/hunyuan_reso_peer_data" 1048576 "$out/peer.bin"
"$build/bench/hunyuan_reso_bench" '--benchmark_filter=^peer_snap/' --benchmark_repetitions=5 \
  --benchmark_out="$out/peer_library.json" --benchmark_out_format=json >/dev/null
"$python" "$here/peer_numpy.py" "$out/peer.bin" "$out/peer_numpy.json"
rm -f "$out/peer.bin"
"$python" "$here/report.py" --peers peer_snap "$out/peer_library.json" "$out/peer_numpy.json"
