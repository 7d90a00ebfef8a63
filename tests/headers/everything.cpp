// SPDX-License-Identifier: MIT
// All headers, for a compiler with all its warnings on.
#include <hunyuan_reso/hunyuan_reso.hpp>
#include <hunyuan_reso/text/stream_decoder.hpp>

#include <vector>

namespace {

/// Templates warn where they are used.
bool use() {
  using namespace hunyuan_reso;
  const auto encode = [](std::string_view text) { return std::vector<TokenId>(text.size(), 7); };
  const Model& model = model_for<profiles::instruct>;
  GenerationRequest request;
  request.image_size = "16:9";
  const auto plan = plan_generation(model, request, encode);
  const auto rows = image_rows(model, request, *plan, plan->image, {}, encode);
  const TokenSequence& row = rows->rows.front();
  std::vector<std::int64_t> ids(static_cast<std::size_t>(row.length));
  const bool is_written = row.expand(ids.data(), ids.size()) == Errc::none;
  const float logits[4] = {};
  const auto report = verify_vocabulary(model.profile, [](std::string_view) { return -1; });
  const auto rope = RopeLayout::create(model.profile, row.image_runs.data(), row.image_runs.size(), row.length);
  return is_written && rope && !report && predict_ratio(model.profile, logits, 4).has_value();
}

}  // namespace

int main() { return use() ? 0 : 1; }
