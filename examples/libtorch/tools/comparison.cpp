// SPDX-License-Identifier: MIT
#include "tools/comparison.hpp"

#include <algorithm>  // max, min
#include <cctype>     // isdigit
#include <cmath>      // isfinite
#include <cstdio>     // printf, snprintf
#include <limits>     // numeric_limits

#include "adapter/error.hpp"

namespace hunyuan_generate {
namespace {

// Limits for arithmetic narrower than float32. The recorded networks have random weights and a hard choice of experts,
// so a rounding can send a token to another expert, and the loop feeds its errors back from step to step; the norm over
// all tokens stays small all the same.
struct ReducedLimits {
  double plain_norm, timed_norm, guided_norm, share, mean_pixel;
};
constexpr ReducedLimits bf16_limits{0.05, 0.25, 0.75, 0.15, 16};
constexpr ReducedLimits fp8_limits{0.3, 0.5, 1, 0.3, 32};

struct Verdict {
  double absolute = 0;  // largest absolute difference
  double relative = 0;  // the same, relative to the largest recorded magnitude
  double measure = 0;   // what is held against the limit
  double limit = 0;
};

double limit_of(Tolerance tolerance) {
  switch (tolerance) {
    case Tolerance::exact:
    case Tolerance::chosen:
      return 0;
    case Tolerance::plain:
      return 5e-5;
    case Tolerance::timed:
    case Tolerance::guided:
      return 1e-3;
    case Tolerance::sigma:
      return 2.5e-7;
    case Tolerance::time:
      return 2.5e-4;
    case Tolerance::pixel:
      return 1;
  }
  return 0;
}

// Limit of the relative error in the Euclidean norm; 0 for what is not judged by it.
double norm_limit(Tolerance tolerance, const ReducedLimits& limits) {
  switch (tolerance) {
    case Tolerance::plain:
      return limits.plain_norm;
    case Tolerance::timed:
      return limits.timed_norm;
    case Tolerance::guided:
      return limits.guided_norm;
    default:
      return 0;
  }
}

// NaN anywhere must fail, and max() over a set with NaN is not reliable on every device.
double largest(const at::Tensor& magnitudes) {
  if (magnitudes.numel() == 0) return 0;
  if (magnitudes.isfinite().logical_not().any().item<bool>()) return std::numeric_limits<double>::infinity();
  return magnitudes.max().item<double>();
}

Verdict judge(const at::Tensor& computed, const at::Tensor& expected, Tolerance tolerance, Arithmetic arithmetic) {
  const bool sets = tolerance == Tolerance::chosen;
  const at::Tensor a = (sets ? std::get<0>(computed.sort(-1)) : computed).to(at::kDouble);
  const at::Tensor b = (sets ? std::get<0>(expected.sort(-1)) : expected).to(at::kDouble);
  const at::Tensor difference = (a - b).abs();
  Verdict verdict;
  verdict.absolute = largest(difference);
  verdict.relative = verdict.absolute == 0 ? 0 : verdict.absolute / std::max(largest(b.abs()), 1e-30);
  verdict.measure = verdict.absolute;
  verdict.limit = limit_of(tolerance);
  if (arithmetic == Arithmetic::fp32 || !std::isfinite(verdict.absolute)) return verdict;

  const ReducedLimits& limits = arithmetic == Arithmetic::bf16 ? bf16_limits : fp8_limits;

  if (sets) {
    verdict.measure = difference.ne(0).to(at::kDouble).mean().item<double>();
    verdict.limit = limits.share;
  } else if (tolerance == Tolerance::pixel) {
    verdict.measure = difference.mean().item<double>();
    verdict.limit = limits.mean_pixel;
  } else if (const double limit = norm_limit(tolerance, limits); limit > 0) {
    verdict.measure = (a - b).norm().item<double>() / std::max(b.norm().item<double>(), 1e-30);
    verdict.limit = limit;
  }
  return verdict;
}

std::string last_part(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? name : name.substr(dot + 1);
}

// Tensors of which only the first rows of the batch are recorded.
bool first_rows_only(const std::string& name) {
  static const std::set<std::string> names{"rope_cos", "rope_sin",       "query",  "key",
                                           "attn_out", "shared_mlp_out", "mlp_out"};
  return names.count(last_part(name)) != 0;
}

// Tensors that are the same for every conditioning image and computed once.
bool shared_row(const std::string& name) {
  const std::string last = last_part(name);
  return last == "time_embed_cond" || last == "timestep_emb_cond";
}

// The group of a name: the kind of case ("t2i"), then the rest with its numbers left out.
std::string group_of(const std::string& name) {
  const std::size_t dot = name.find('.');
  std::string group = name.substr(0, std::min(dot, name.find('_')));
  for (const char c : dot == std::string::npos ? std::string() : name.substr(dot)) {
    const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    if (!digit) group += c;
    if (digit && group.back() != '#') group += '#';
  }
  return group;
}

}  // namespace

Tolerance tolerance_of(const std::string& name, Tolerance otherwise) {
  static const std::map<std::string, Tolerance> by_name{
      {"position_ids", Tolerance::exact},   {"attention_mask", Tolerance::exact}, {"guidance_bf16", Tolerance::exact},
      {"guidance_value", Tolerance::exact}, {"topk_index", Tolerance::chosen},    {"timesteps", Tolerance::time},
      {"timesteps_r", Tolerance::time},     {"guided", Tolerance::guided},        {"rope_cos", Tolerance::plain},
      {"rope_sin", Tolerance::plain},       {"vit_embeddings", Tolerance::plain}, {"vit_last_hidden", Tolerance::plain},
      {"vit_aligned", Tolerance::plain}};
  const auto found = by_name.find(last_part(name));
  return found == by_name.end() ? otherwise : found->second;
}

Comparison::Comparison(SafetensorsFile recorded, at::Device device, Arithmetic arithmetic, bool quiet)
    : recorded_(std::move(recorded)), device_(device), arithmetic_(arithmetic), quiet_(quiet) {}

at::Tensor Comparison::input(const std::string& name) {
  const at::Tensor value = recorded_.tensor(name).to(device_);
  inputs_.insert(name);
  return value;
}

at::Tensor Comparison::optional_input(const std::string& name) { return has(name) ? input(name) : at::Tensor(); }

void Comparison::print(const std::string& name, const std::string& result, bool good) const {
  if (!quiet_ || !good) std::printf("%-44s %s\n", name.c_str(), result.c_str());
}

// This process's part of a recorded tensor of which it computed less; undefined where its rows were not recorded.
at::Tensor Comparison::own_part(const std::string& name, const at::Tensor& expected, const at::Tensor& value) const {
  at::Tensor part = expected;
  if (part.dim() != value.dim() || part.dim() == 0) return part;
  const bool rows = rows_.count > 1 && part.size(0) == value.size(0) * rows_.count;
  if (rows) part = rows_.of(part, 0, name);
  if (!rows && rows_.index > 0 && first_rows_only(name)) return {};
  const std::string last = last_part(name);
  const bool heads = part.dim() > 1 && (last == "query" || last == "key");
  return heads ? heads_.of(part, 1, name) : part;
}

void Comparison::compare(const std::string& name, const at::Tensor& computed, Tolerance tolerance) {
  if (!has(name) || inputs_.count(name) != 0) return;
  at::Tensor value = computed.to(at::kCPU);
  const at::Tensor expected = own_part(name, recorded_.tensor(name), value);
  if (!expected.defined()) return;
  if (first_rows_only(name) && value.dim() > 0 && expected.dim() == value.dim() && expected.size(0) < value.size(0)) {
    value = value.narrow(0, 0, expected.size(0));
  }
  if (shared_row(name) && value.dim() == 2 && value.size(0) == 1 && expected.dim() == 2) {
    value = value.expand({expected.size(0), -1});
  }
  compared_.insert(name);
  const bool integers = !expected.is_floating_point();
  if (value.sizes() != expected.sizes() || (integers && value.scalar_type() != expected.scalar_type())) {
    fail(name, "computed " + shape_text(value.sizes()) + " " + c10::toString(value.scalar_type()) + ", recorded " +
                   shape_text(expected.sizes()) + " " + c10::toString(expected.scalar_type()));
    return;
  }
  const Verdict verdict = judge(value, expected, tolerance, arithmetic_);
  const bool good = verdict.measure <= verdict.limit;
  char line[160];
  std::snprintf(line, sizeof line, "%10.3g %10.3g %10.3g %10.3g  %s", verdict.absolute, verdict.relative,
                verdict.measure, verdict.limit, good ? "ok" : "FAIL");
  print(name, line, good);
  if (!good) failures_.push_back(name);
  Group& group = groups_[group_of(name)];
  ++group.count;
  group.largest = std::max(group.largest, verdict.measure);
  group.limit = verdict.limit;
}

void Comparison::compare_exactly(const std::string& name, const at::Tensor& computed, const at::Tensor& expected) {
  const at::Tensor a = computed.to(at::kCPU), b = expected.to(at::kCPU);
  if (a.sizes() != b.sizes() || a.scalar_type() != b.scalar_type()) {
    fail(name, "computed " + shape_text(a.sizes()) + " " + c10::toString(a.scalar_type()) + ", expected " +
                   shape_text(b.sizes()) + " " + c10::toString(b.scalar_type()));
    return;
  }
  const auto different = a.ne(b).sum().item<std::int64_t>();
  char line[160];
  std::snprintf(line, sizeof line, "%10lld of %lld values differ  %s", static_cast<long long>(different),
                static_cast<long long>(a.numel()), different == 0 ? "ok" : "FAIL");
  print(name, line, different == 0);
  if (different != 0) failures_.push_back(name);
  Group& group = groups_[group_of(name)];
  ++group.count;
  group.largest = std::max(group.largest, static_cast<double>(different));
}

Probe Comparison::probe(const std::string& prefix, Tolerance otherwise) {
  return [this, prefix, otherwise](const std::string& name, const at::Tensor& value) {
    compare(prefix + name, value, tolerance_of(name, otherwise));
  };
}

void Comparison::fail(const std::string& name, const std::string& why) {
  print(name, why + "  FAIL", false);
  failures_.push_back(name);
}

bool Comparison::finish(bool strict) const {
  std::printf("\n%-44s %6s %10s %10s\n", "group", "count", arithmetic_ == Arithmetic::fp32 ? "max abs" : "measure",
              "limit");
  for (const auto& [name, group] : groups_) {
    std::printf("%-44s %6zu %10.3g %10.3g\n", name.c_str(), group.count, group.largest, group.limit);
  }
  std::size_t left = 0;
  for (const auto& [name, entry] : recorded_.entries()) {
    if (compared_.count(name) != 0 || inputs_.count(name) != 0) continue;
    std::printf("%s%s\n", left++ == 0 ? "\nrecorded, but neither an input nor computed:\n  " : "  ", name.c_str());
  }
  const bool good = failures_.empty() && !compared_.empty() && !(strict && left > 0);
  std::printf("\n%zu recorded tensors: %zu inputs, %zu compared, %zu left over; %zu failures: %s\n",
              recorded_.entries().size(), inputs_.size(), compared_.size(), left, failures_.size(),
              compared_.empty() ? "NOTHING COMPARED" : (good ? "PASS" : "FAIL"));
  return good;
}

}  // namespace hunyuan_generate
