#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tests/fuzz/run.sh SECONDS [JOBS] [TARGET...]: builds the fuzz targets with clang under ASan and UBSan and runs each for
# SECONDS of wall time, JOBS at once (default: the number of processors), from the seeds in the tree and from what earlier
# runs found. Prints a line a target; fails where one has a finding, which is kept in BUILD/findings.
#
# BUILD: the folder to build in (default: build/fuzz). CLANG: the compiler (default: clang++-14, else clang++).
# BINARIES: a folder of targets that are built already.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [[ $# -lt 1 || ! $1 =~ ^[1-9][0-9]*$ || ! ${2:-1} =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: tests/fuzz/run.sh SECONDS [JOBS] [TARGET...]" >&2
  exit 2
fi
seconds=$1
jobs=${2:-$(nproc)}
targets=("${@:3}")
seeds=$PWD/tests/fuzz/seeds
words=$PWD/tests/fuzz/words
build=${BUILD:-build/fuzz}
if [[ ${#targets[@]} -eq 0 ]]; then
  for folder in "$seeds"/*/; do targets+=("$(basename "$folder")"); done
fi
for target in "${targets[@]}"; do
  if [[ ! -d $seeds/$target ]]; then
    echo "run.sh: no target '$target'; the targets are: $(ls "$seeds" | tr '\n' ' ')" >&2
    exit 2
  fi
done

if [[ -z ${BINARIES:-} ]]; then
  clang=${CLANG:-$(command -v clang++-14 || command -v clang++ || true)}
  if [[ -z $clang ]]; then
    echo "run.sh: clang was not found. Install it (Debian, Ubuntu: apt-get install clang-14) or set CLANG" >&2
    exit 2
  fi
  cmake -S . -B "$build" -DCMAKE_CXX_COMPILER="$clang" -DHUNYUAN_RESO_BUILD_FUZZERS=ON -DHUNYUAN_RESO_BUILD_TESTS=OFF \
    -DHUNYUAN_RESO_BUILD_BENCH=OFF -DHUNYUAN_RESO_BUILD_EXAMPLES=OFF >"$build.log" 2>&1 ||
    { cat "$build.log" >&2; exit 2; }
  cmake --build "$build" --parallel "$jobs" --target "${targets[@]/#/hunyuan_reso_fuzz_}" >>"$build.log" 2>&1 ||
    { tail -n 50 "$build.log" >&2; exit 2; }
fi
binaries=${BINARIES:-$build/tests/fuzz}
mkdir -p "$build"/{corpus,findings,logs}

# One target; its log ends in libFuzzer's own statistics.
run_one() {
  local target=$1 dictionary=()
  [[ -f $words/$target ]] && dictionary=("-dict=$words/$target")
  mkdir -p "$build/corpus/$target"
  "$binaries/hunyuan_reso_fuzz_$target" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=3000 -print_final_stats=1 \
    "${dictionary[@]}" -artifact_prefix="$build/findings/$target-" "$build/corpus/$target" "$seeds/$target" \
    >"$build/logs/$target" 2>&1
  echo $? >"$build/logs/$target.status"
}
export -f run_one
export seconds build binaries seeds words
export ASAN_OPTIONS=${ASAN_OPTIONS:-quarantine_size_mb=16}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'run_one {} || true'

# Edges and features: at the start, and what came on top.
printf '%-16s %8s %12s %14s %14s %s\n' target seconds executions 'edges (new)' 'features (new)' findings
failed=0
for target in "${targets[@]}"; do
  log=$build/logs/$target
  status=$(cat "$log.status" 2>/dev/null || echo none)
  awk -v target="$target" -v status="$status" -v seconds="$seconds" '
    /cov: [0-9]+ ft: [0-9]+/ {
      for (i = 1; i < NF; ++i) { if ($i == "cov:") cov = $(i + 1); if ($i == "ft:") ft = $(i + 1) }
      if (first_cov == "") { first_cov = cov; first_ft = ft }
    }
    /^stat::number_of_executed_units:/ { runs = $2 }
    /^Done .* runs in/ { seconds = $5 }
    END {
      printf "%-16s %8s %12s %14s %14s %s\n", target, seconds, runs == "" ? "-" : runs,
             cov " (" cov - first_cov ")", ft " (" ft - first_ft ")", status == "0" ? "none" : "FOUND, see " target "-*"
    }' "$log"
  if [[ $status != 0 ]]; then
    failed=1
    grep -E 'does not hold|runtime error|ERROR: |terminate called|Test unit written' "$log" | head -n 5 | sed 's/^/  /'
  fi
done
exit "$failed"
