# SPDX-License-Identifier: MIT
# What gpu.sh and gpu_parallel.sh start with: folders, the command that configures, and a table of what ran.
#   EXTRA_PREFIX: more folders with headers (include/CLI, include/stb, include/nlohmann), separated by semicolons.
#   FIXTURES: a folder with folders of recorded networks (default: the example's own tests).
#   ONLY: runs only what has a name that matches this expression, such as '^(configure|build|bench)'.
#   OUT: where logs go (/tmp/out). BUILD: where to build (/tmp/hunyuan-generate-build).
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${OUT:-/tmp/out}
build=${BUILD:-/tmp/hunyuan-generate-build}
fixtures=$(cd "${FIXTURES:-$here/tests}" && pwd) || exit 2
torch=$(python3 -c 'import torch;print(torch.utils.cmake_prefix_path)') || exit 2
mkdir -p "$out" "$build"
table=$out/table.txt
: >"$table"
configure=(cmake -G Ninja -S "$here" -B "$build" -DCMAKE_BUILD_TYPE=Release -DTORCH_CUDA_ARCH_LIST=9.0
  "-DCMAKE_PREFIX_PATH=$torch;${EXTRA_PREFIX:-}" "-DHUNYUAN_GENERATE_TEST_DATA=$fixtures")

# run NAME SECONDS COMMAND...: logs to NAME.log, adds a line to the table.
run() {
  local name=$1 limit=$2 start=$SECONDS state
  shift 2
  [[ $name =~ ${ONLY:-.} ]] || return
  if [ ! -x "$1" ] && ! command -v "$1" >/dev/null; then
    printf '%-36s not built\n' "$name" >>"$table"
    return
  fi
  timeout "$limit" "$@" >"$out/$name.log" 2>&1
  state=$?
  printf '%-36s rc %-3d %4d s  %s\n' "$name" "$state" $((SECONDS - start)) \
    "$(grep -v '^JSON\|^$\|^==>' "$out/$name.log" | tail -n 1 | cut -c 1-120)" >>"$table"
}

# recorded_requests: unpacks the archives of recorded requests (FIXTURES, its mini/, the example's tests) into
# OUT/requests and prints their names.
recorded_requests() {
  local archive name
  mkdir -p "$out/requests"
  for archive in "$fixtures"/*.tar.xz "$fixtures"/mini/*.tar.xz "$here"/tests/*.tar.xz; do
    [ -e "$archive" ] || continue
    name=$(basename "$archive" .tar.xz)
    [ -d "$out/requests/$name" ] || (cd "$out/requests" && cmake -E tar xf "$archive")
    echo "$name"
  done | sort -u
}
