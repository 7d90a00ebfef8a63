#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tests/fuzz/planted.sh [SECONDS] [TARGET...]: shows that each fuzz target finds a fault of its kind. For each, the tree is
# copied, one line is made wrong, the target is built and run for SECONDS (default 120) from the seeds in the tree, and a
# finding is expected. Fails where a fault is not found, or is not there to be planted any more.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-120}
wanted=("${@:2}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
missed=0

# plant TARGET FILE FROM TO: the first FROM in FILE becomes TO.
plant() {
  local target=$1 file=$2 from=$3 to=$4 log=$work/$1.log begin
  if [[ ${#wanted[@]} -gt 0 && ! " ${wanted[*]} " == *" $target "* ]]; then return; fi
  rm -rf "$work/tree"
  mkdir -p "$work/tree/build"
  cp -R CMakeLists.txt LICENSE README.md CHANGELOG.md cmake docs examples include tests "$work/tree"
  local text
  text=$(cat "$file")
  if [[ $text != *"$from"* ]]; then
    printf '%-16s the fault cannot be planted: %s has no "%s"\n' "$target" "$file" "$from"
    missed=1
    return
  fi
  printf '%s\n' "${text/"$from"/"$to"}" >"$work/tree/$file"
  begin=$(date +%s)
  if "$work/tree/tests/fuzz/run.sh" "$seconds" 2 "$target" >"$log" 2>&1; then
    printf '%-16s NOT FOUND in %s s: %s -> %s\n' "$target" "$seconds" "$from" "$to"
    missed=1
  elif grep -q 'FOUND, see' "$log"; then
    printf '%-16s found after %s s, build included: %s -> %s\n' "$target" "$(($(date +%s) - begin))" "$from" "$to"
    grep -E 'does not hold|runtime error|ERROR' "$log" | head -n 1
  else
    printf '%-16s does not build with the fault\n' "$target"
    tail -n 20 "$log"
    missed=1
  fi
}

lib=include/hunyuan_reso
# <img_ratio_37> is accepted where there are 37 of them.
plant image_size $lib/image_size.hpp 'index.value >= static_cast' 'index.value > static_cast'
# 99999999999.5:1 overflows.
plant size_text examples/cli/size_list.cpp 'if (first.digits > max_side) return' 'if (false) return'
# A '<' far before the next '>' hides the tokens behind it.
plant tokens $lib/vocabulary.hpp 'if (candidate.size() > TokenText::capacity()) continue' \
  'if (candidate.size() > TokenText::capacity()) break'
# A cut at the end of a run leaves an empty run.
plant sequence $lib/detail/sequence_writer.hpp 'if (excess < last.count)' 'if (excess <= last.count)'
# A ViT run with all its slots is refused.
plant read_sequence $lib/detail/sequence_reader.hpp 'if (count > profile_.vit_slots)' 'if (count >= profile_.vit_slots)'
# Half of what rounding leaves over of a tile's weight is lost.
plant plan $lib/tiles.hpp 'own + tile_unit - given' 'own + (tile_unit - given) / 2'
# A tie goes to the row that comes last.
plant snapping $lib/detail/threshold.hpp '(lower_first && to_lower' '(!lower_first && to_lower'
# The form of a list depends on how it comes through a pipe.
plant list examples/cli/line_reader.cpp '(!started_ && are_blank' '(false && are_blank'
# A refusal shows a control character.
plant request examples/cli/checked_json.cpp "spelled(value.dump(-1, ' ', false, Json::error_handler_t::replace), 40)" \
  "value.dump(-1, ' ', false, Json::error_handler_t::replace)"
# A control character in a string.
plant json $lib/text/json.hpp 'c < 0x20U' 'c < 0x1FU'
# A file that ends within \u00e9 is read past its end.
plant tokenizer_json $lib/text/json.hpp 'from + 4 > text_.size()' 'from + 3 > text_.size()'
# The links of a long word's symbols break.
plant encode $lib/text/bpe.hpp 'if (right.next != none) symbols[right.next].previous = i;' ''
exit "$missed"
