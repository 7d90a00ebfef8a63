// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_PLAN_REPORT_HPP
#define HUNYUAN_RESO_CLI_PLAN_REPORT_HPP

#include <hunyuan_reso/plan.hpp>
#include <string>

#include "options.hpp"

namespace hunyuan_reso::cli {

/// A precision or a task under the name that options and JSON have.
template <class Value>
struct Named {
  const char* name;
  Value value;
};
inline constexpr Named<Precision> precisions[] = {{"fp32", Precision::fp32}, {"bf16", Precision::bf16},
                                                  {"fp16", Precision::fp16}, {"int8", Precision::int8},
                                                  {"fp8", Precision::fp8},   {"nf4", Precision::nf4}};
inline constexpr Named<BotTask> tasks[] = {{"auto", BotTask::automatic},
                                           {"image", BotTask::image},
                                           {"think", BotTask::think},
                                           {"recaption", BotTask::recaption},
                                           {"think_recaption", BotTask::think_recaption},
                                           {"img_ratio", BotTask::img_ratio}};

inline constexpr Named<RopeScaling> rope_scalings[] = {
    {"none", RopeScaling::none}, {"area", RopeScaling::area}, {"area_by_sigma", RopeScaling::area_by_sigma}};

template <class Value, std::size_t Count>
[[nodiscard]] std::vector<std::string> names_of(const Named<Value> (&named)[Count]) {
  std::vector<std::string> names;
  for (const Named<Value>& item : named) names.emplace_back(item.name);
  return names;
}
template <class Value, std::size_t Count>
[[nodiscard]] Value value_of(const Named<Value> (&named)[Count], const std::string& name) {
  for (const Named<Value>& item : named) {
    if (name == item.name) return item.value;
  }
  return named[0].value;
}
template <class Value, std::size_t Count>
[[nodiscard]] const char* name_in(const Named<Value> (&named)[Count], Value value) {
  for (const Named<Value>& item : named) {
    if (item.value == value) return item.name;
  }
  return "";
}

/// A plan and what it was made for.
struct PlannedRequest {
  Selection selection;
  std::string request;  ///< the image size, as the tool writes it
  std::string precision;
  GenerationPlan plan;
};

[[nodiscard]] std::string plan_text(const PlannedRequest& planned);
[[nodiscard]] Json plan_json(const PlannedRequest& planned);
/// What a finding says and what to do, under a label, in lines of at most 100 columns.
[[nodiscard]] std::string finding_lines(const std::string& label, const Diagnostic& item);
/// "the sequence (tokens) is longer than ...: 24864, limit 22800 (published)", then what to do.
[[nodiscard]] std::string diagnostic_text(const Diagnostic& item);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_PLAN_REPORT_HPP
