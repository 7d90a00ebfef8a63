#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the LibTorch example for an H100 or H200 and runs what needs two of them.
#   [EXTRA_PREFIX=DIR] [FIXTURES=DIR] [OUT=DIR] [BUILD=DIR] [GPUS=2] [BENCH="--only-best"] examples/libtorch/gpu_parallel.sh
# The variables are those of gpu_common.sh. Logs go to OUT; a short table comes last.
. "$(dirname "$0")/gpu_common.sh"
gpus=${GPUS:-2}

# together NAME SECONDS PROGRAM...: as one process a GPU.
together() {
  local name=$1 limit=$2
  shift 2
  run "$name" "$limit" env LINES_SHOWN=1000 "$here/tests/processes.sh" "$gpus" "$@"
}
export OMP_NUM_THREADS=4

run configure 60 "${configure[@]}"
run build 200 cmake --build "$build" --target hunyuan-generate hunyuan-generate-check hunyuan-generate-bench \
  hunyuan-generate-parallel-test -- -k 0

[ -x "$build/hunyuan-generate-bench" ] || { tail -n 40 "$out/build.log"; exit 1; }

check=$build/hunyuan-generate-check
for layout in "tp$gpus" "cfg$gpus"; do
  together "parallel_test_$layout" 60 "$build/hunyuan-generate-parallel-test" "$layout" "$fixtures/tiny_a" cuda
  grep -q "^parallel_test_$layout *rc [^0]" "$table" && { cat "$out/parallel_test_$layout.log" "$table"; exit 1; }
  together "check_tiny_a_${layout}_fp32" 40 "$check" --parallel "$layout" --device cuda "$fixtures/tiny_a"
  together "check_tiny_a_${layout}_bf16" 40 "$check" --parallel "$layout" --device cuda --dtype bf16 --experts grouped \
    "$fixtures/tiny_a"
done

for name in $(recorded_requests); do
  together "requests_${name}_tp$gpus" 120 "$check" --recorded-noise --parallel "tp$gpus" --device cuda \
    --requests "$out/requests/$name"
done

# Torchrun gives the bytes that any other starter gives.
request=("$build/hunyuan-generate" --model "$here/tests/tiny_a" --prompt "a lake" --task image --size 64x64 --steps 6
  --seed 3 --no-metadata --devices cuda --parallel "tp$gpus")
together picture 60 "${request[@]}" --out "$out/processes.png"
run picture_torchrun 90 torchrun --standalone --no-python --nproc-per-node "$gpus" "${request[@]}" --out "$out/torchrun.png"
run same_by_torchrun 10 cmp "$out/processes.png" "$out/torchrun.png"

bench=("$build/hunyuan-generate-bench" --layers 8 --steps 12 ${BENCH:---only-best})
run bench_one 60 "${bench[@]}" --devices 0
for layout in "tp$gpus" "cfg$gpus"; do
  together "bench_$layout" 60 "${bench[@]}" --devices cuda --parallel "$layout"
done
# The whole model over all cards: heads and experts split, and the layers in turn without NCCL.
whole=("$build/hunyuan-generate-bench" --whole --layers 32 --dtype fp8 --rounds 3 --out "$out")
together "bench_whole_tp$gpus" 150 "${whole[@]}" --devices cuda --parallel "tp$gpus"
run bench_whole_layers_in_turn 150 "${whole[@]}" --devices "$(seq -s , 0 $((gpus - 1)))"
# As if on two machines: sockets alone.
NCCL_SHM_DISABLE=1 NCCL_P2P_DISABLE=1 NCCL_IB_DISABLE=1 NCCL_NET=Socket \
  together "bench_tp${gpus}_sockets" 60 "${bench[@]}" --devices cuda --parallel "tp$gpus"

for loss in 1:KILL 0:STOP; do
  picture=$out/lost.png
  run "lost_$loss" 60 env LOSE="$loss" "FILE=$picture" "$here/tests/processes.sh" "$gpus" "$build/hunyuan-generate" \
    --parallel "tp$gpus" --devices cuda --model "$here/tests/tiny_a" --prompt "a lake" --task image --size 64x64 \
    --steps 100000 --out "$picture"
done

grep -h '^JSON' "$out"/bench_*.log 2>/dev/null | sed 's/^JSON //' >"$out/parallel.jsonl"
for log in "$out"/bench_*.log; do
  echo "--- $(basename "$log" .log)"
  grep -v '^JSON\|^$\|^==>' "$log"
done
echo "--- table"
cat "$table"
