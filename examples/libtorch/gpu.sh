#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the LibTorch example for an H100 or H200 and runs everything there is to run on one GPU.
#   [EXTRA_PREFIX=DIR] [FIXTURES=DIR] [OUT=DIR] [BUILD=DIR] [MAX_BASE=1] [ENLARGE=1] examples/libtorch/gpu.sh
# The variables are those of gpu_common.sh. Logs go to OUT; a short table comes last.
. "$(dirname "$0")/gpu_common.sh"

run configure 120 "${configure[@]}"
run build 240 cmake --build "$build" -- -k 0
if [ ! -x "$build/hunyuan-generate-bench" ]; then  # the profiler's interface may differ
  run configure_without_profiler 60 "${configure[@]}" -DHUNYUAN_GENERATE_KERNEL_TIME=OFF
  run build_without_profiler 120 cmake --build "$build" -- -k 0
fi

check=$build/hunyuan-generate-check
for folder in "$fixtures"/*/; do
  [ -e "$folder/io.safetensors" ] || continue
  name=$(basename "$folder")
  run "check_${name}_fp32_cpu" 60 "$check" --strict "$folder"
  run "check_${name}_fp32_cuda" 60 "$check" --strict --device cuda "$folder"
  run "check_${name}_bf16_cuda" 60 "$check" --device cuda --dtype bf16 "$folder"
  run "check_${name}_bf16_grouped" 60 "$check" --device cuda --dtype bf16 --experts grouped "$folder"
  run "check_${name}_fp8_grouped" 60 "$check" --device cuda --dtype fp8 --experts grouped "$folder"
  run "check_${name}_fp32_layers_0_cpu" 60 "$check" --strict --devices 0,cpu "$folder"
  run "graph_${name}" 60 "$build/hunyuan-generate-graph-test" "$folder"
done

# Recorded requests, from the prompt to the picture. Noise comes from the recording: other libraries draw other numbers.
for name in $(recorded_requests); do
  run "requests_${name}_fp32_cpu" 120 "$check" --recorded-noise --requests "$out/requests/$name"
  run "requests_${name}_fp32_cuda" 120 "$check" --recorded-noise --device cuda --requests "$out/requests/$name"
done
run fused_test 60 "$build/hunyuan-generate-fused-test" --cuda
run pipeline_test 60 "$build/hunyuan-generate-pipeline-test" "$here/tests/tiny_a"

generate=$build/hunyuan-generate
tiny=$fixtures/tiny_a
request=(--no-metadata --model "$tiny" --prompt "a lake" --task image --size 64x64 --steps 6 --seed 3)
run generate_cpu 60 "$generate" "${request[@]}" --out "$out/cpu.png"
run generate_cuda_fp32 60 "$generate" "${request[@]}" --device cuda --dtype fp32 --out "$out/cuda_fp32.png"
run generate_cuda_bf16_graph 60 "$generate" "${request[@]}" --device cuda --out "$out/cuda_graph.png"
run generate_cuda_bf16_no_graph 60 "$generate" "${request[@]}" --device cuda --no-graph --out "$out/cuda_no_graph.png"
run generate_devices_0_0 60 "$generate" "${request[@]}" --devices 0,0 --out "$out/devices_0_0.png"
run same_with_and_without_graph 10 cmp "$out/cuda_graph.png" "$out/cuda_no_graph.png"
run same_on_devices_0_0 10 cmp "$out/cuda_graph.png" "$out/devices_0_0.png"

# Beyond the trained scale: in tiles, with and without a graph, one and several tiles at once.
large=(--no-metadata --model "$tiny" --prompt "a lake" --task image --target 152x200 --enlarge latent --steps 8 --seed 3)
run target_cpu 60 "$generate" "${large[@]}" --out "$out/target_cpu.png"
run target_cuda_fp32 60 "$generate" "${large[@]}" --device cuda --dtype fp32 --out "$out/target_cuda_fp32.png"
run target_cuda_graph 60 "$generate" "${large[@]}" --device cuda --out "$out/target_graph.png"
run target_cuda_no_graph 60 "$generate" "${large[@]}" --device cuda --no-graph --out "$out/target_no_graph.png"
run target_cuda_several 60 "$generate" "${large[@]}" --device cuda --tiles-at-once 4 --out "$out/target_several.png"
run same_target_with_and_without_graph 10 cmp "$out/target_graph.png" "$out/target_no_graph.png"
run tiled_test 120 "$build/hunyuan-generate-tiled-test" "$here/tests/tiny_a"
run vae_tiles_test 120 "$build/hunyuan-generate-vae-tiles-test" "$here/tests/tiny_a"
run text_test 60 "$build/hunyuan-generate-text-test" "$out/requests/instruct"

# Layers in host memory, in the published shape: the same picture, and what the copies cost.
cat >"$out/published.json" <<'JSON'
{"vocab_size": 133120, "hidden_size": 4096, "num_hidden_layers": 8, "num_attention_heads": 32, "num_key_value_heads": 8,
 "attention_head_dim": 128, "num_experts": 64, "moe_topk": 8, "moe_intermediate_size": 3072, "num_shared_expert": 1,
 "patch_embed_hidden_dim": 1024, "image_base_size": 1024, "model_version": "HunyuanImage-3.0-Instruct",
 "rope_scaling": {"type": "custom"}, "vae_downsample_factor": [16, 16],
 "vae": {"latent_channels": 32, "block_out_channels": [128, 256, 512, 1024, 1024], "layers_per_block": 2,
         "ffactor_spatial": 16, "ffactor_temporal": 4, "scaling_factor": 0.562679178327931, "only_decoder": true}}
JSON
echo '[1000, 1001, 1002]' >"$out/ids.json"
large=(--random-weights "$out/published.json" --prompt-ids "$out/ids.json" --template pretrain --task image
  --size 1024x1024 --steps 8 --seed 3 --device 0 --no-metadata --no-graph)
run large 100 "$generate" "${large[@]}" --out "$out/large.png"
run large_stream_4 100 "$generate" "${large[@]}" --stream 4 --out "$out/large_stream_4.png"
run large_stream_8 100 "$generate" "${large[@]}" --stream 8 --out "$out/large_stream_8.png"
run same_with_4_streamed_layers 10 cmp "$out/large.png" "$out/large_stream_4.png"
run same_with_8_streamed_layers 10 cmp "$out/large.png" "$out/large_stream_8.png"

run bench 150 "$build/hunyuan-generate-bench" --layers 8 --steps 20
run bench_kernels 60 "$build/hunyuan-generate-bench" --kernels
run bench_vae 60 "$build/hunyuan-generate-bench" --vae
run bench_error 60 "$build/hunyuan-generate-bench" --error
[ -n "${MAX_BASE:-}" ] && run max_base 200 "$build/hunyuan-generate-bench" --layers 8 --max-base

[ -n "${ENLARGE:-}" ] && run bench_enlarge 300 "$build/hunyuan-generate-bench-enlarge" --layers 8 --steps 20

grep -h '^JSON' "$out"/bench.log "$out"/bench_enlarge.log "$out"/max_base.log 2>/dev/null | sed 's/^JSON //' >"$out/bench.jsonl"
echo "--- bench"
grep -v '^JSON' "$out/bench.log" 2>/dev/null
grep -hv "^JSON" "$out/max_base.log" "$out"/bench_*.log 2>/dev/null
echo "--- streamed layers"
grep -H '^  streamed\|^loaded\|^time\|^peak' "$out"/large*.log 2>/dev/null
echo "--- table"
cat "$table"
