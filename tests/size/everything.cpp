// SPDX-License-Identifier: MIT
// The whole library, called and by address, so that every inline variable that it has is in the object.
#include <hunyuan_reso/hunyuan_reso.hpp>

namespace hr = hunyuan_reso;

std::size_t use(std::string_view text, int number) {
  const auto model = hr::Model::create(*hr::profiles::all[number % 4], number);
  const auto encode = [](std::string_view each) { return std::vector<hr::TokenId>(each.begin(), each.end()); };
  hr::GenerationRequest request;
  request.prompt = text;
  request.image_size = text;
  const auto plan = hr::plan_generation(*model, request, hr::with_special_tokens(model->profile, encode));
  std::size_t sum = plan->diagnostics.size();
  for (const hr::Diagnostic& finding : plan->diagnostics)
    sum += hr::message(finding.code)[0] + hr::advice(finding.code)[0];
  const auto batch = hr::image_rows(*model, request, *plan, plan->image, text, encode);
  sum += hr::text_stage_row(*model, request, *plan, encode)->runs.size() + batch->rows.size();
  for (const hr::TokenSequence& row : batch->rows) {
    sum += hr::read_sequence(model->profile, &row.runs[0].id, 1)->image_runs.size();
    sum +=
        hr::RopeLayout::create(model->profile, row.image_runs.data(), row.image_runs.size(), row.length)->image_count();
    sum += hr::AttentionLayout::create(model->profile, row.image_runs.data(), row.image_runs.size())->size();
  }
  const float logits[] = {1.0F, static_cast<float>(number)};
  sum += *hr::predict_ratio(model->profile, logits, 2);
  sum +=
      hr::make_presets(hr::model_for<hr::profiles::panorama>).size() + hr::find_token(model->profile, text).position();
  return sum + static_cast<std::size_t>(hr::plan_text_stage(*model, hr::BotTask::think, true)->prompt_task);
}
