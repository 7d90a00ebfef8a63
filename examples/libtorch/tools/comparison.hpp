// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_COMPARISON_HPP
#define HUNYUAN_GENERATE_COMPARISON_HPP

#include <ATen/ATen.h>  // Tensor

#include <algorithm>  // max, min
#include <cctype>     // isdigit
#include <cmath>      // isfinite
#include <cstdio>     // printf, snprintf
#include <limits>     // numeric_limits
#include <map>        // map
#include <set>        // set
#include <string>     // string
#include <vector>     // vector

#include "adapter/error.hpp"

#include "model/modules.hpp"
#include "model/parallel.hpp"
#include "model/safetensors.hpp"

namespace hunyuan_generate {

/// How a computed tensor is judged. Limits are absolute.
enum class Tolerance {
  exact,   ///< integers, masks, values without rounding of their own
  chosen,  ///< chosen experts: the same set for every token
  plain,   ///< 5e-5: whatever does not depend on a sinusoid of a timestep or guidance value
  timed,   ///< 1e-3: whatever does
  guided,  ///< 1e-3: the same after guidance, whose scale multiplies an error
  sigma,   ///< 2.5e-7: noise levels; the last bits of a linear spacing depend on the vector width
  time,    ///< 2.5e-4: timesteps
  pixel,   ///< 1: 8-bit pixels
};

/// What the compared values were computed with.
enum class Arithmetic { fp32, bf16, fp8 };

// Limits by Tolerance. For arithmetic narrower than float32: of the share that differs (chosen), of the mean difference
// (pixel), else of the relative error in the Euclidean norm; 0: as in float32. The recorded networks have random
// weights and a hard choice of experts, so a rounding can send a token to another expert, and the loop feeds its errors
// back from step to step; the norm over all tokens stays small all the same.
struct Limits {
  double fp32, bf16, fp8;
};
inline const std::map<Tolerance, Limits> limits{
    {Tolerance::exact, {0, 0, 0}},         {Tolerance::chosen, {0, 0.15, 0.3}},  {Tolerance::plain, {5e-5, 0.05, 0.3}},
    {Tolerance::timed, {1e-3, 0.25, 0.5}}, {Tolerance::guided, {1e-3, 0.75, 1}}, {Tolerance::sigma, {2.5e-7, 0, 0}},
    {Tolerance::time, {2.5e-4, 0, 0}},     {Tolerance::pixel, {1, 16, 32}}};

struct Verdict {
  double absolute = 0;  // largest absolute difference
  double relative = 0;  // the same, relative to the largest recorded magnitude
  double measure = 0;   // what is held against the limit
  double limit = 0;
};

// NaN anywhere must fail, and max() over a set with NaN is not reliable on every device.
inline double largest(const at::Tensor& magnitudes) {
  if (magnitudes.numel() == 0) return 0;
  if (magnitudes.isfinite().logical_not().any().item<bool>()) return std::numeric_limits<double>::infinity();
  return magnitudes.max().item<double>();
}

inline Verdict judge(const at::Tensor& computed, const at::Tensor& expected, Tolerance tolerance,
                     Arithmetic arithmetic) {
  const bool sets = tolerance == Tolerance::chosen;
  const at::Tensor a = (sets ? std::get<0>(computed.sort(-1)) : computed).to(at::kDouble);
  const at::Tensor b = (sets ? std::get<0>(expected.sort(-1)) : expected).to(at::kDouble);
  const at::Tensor difference = (a - b).abs();
  Verdict verdict;
  verdict.absolute = largest(difference);
  verdict.relative = verdict.absolute == 0 ? 0 : verdict.absolute / std::max(largest(b.abs()), 1e-30);
  verdict.measure = verdict.absolute;
  const Limits& limit = limits.at(tolerance);
  verdict.limit = limit.fp32;
  const double reduced = arithmetic == Arithmetic::bf16 ? limit.bf16 : limit.fp8;
  if (arithmetic == Arithmetic::fp32 || reduced == 0 || !std::isfinite(verdict.absolute)) return verdict;
  verdict.limit = reduced;
  if (sets) {
    verdict.measure = difference.ne(0).to(at::kDouble).mean().item<double>();
  } else if (tolerance == Tolerance::pixel) {
    verdict.measure = difference.mean().item<double>();
  } else {
    verdict.measure = (a - b).norm().item<double>() / std::max(b.norm().item<double>(), 1e-30);
  }
  return verdict;
}

inline std::string last_part(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? name : name.substr(dot + 1);
}

inline bool ends_in(const std::string& name, const std::set<std::string>& last_parts) {
  return last_parts.count(last_part(name)) != 0;
}
// Tensors of which only the first rows of the batch are recorded.
inline bool first_rows_only(const std::string& name) {
  return ends_in(name, {"rope_cos", "rope_sin", "query", "key", "attn_out", "shared_mlp_out", "mlp_out"});
}
// Tensors that are the same for every conditioning image and computed once.
inline bool shared_row(const std::string& name) { return ends_in(name, {"time_embed_cond", "timestep_emb_cond"}); }

// The group of a name: the kind of case ("t2i"), then the rest with its numbers left out.
inline std::string group_of(const std::string& name) {
  const std::size_t dot = name.find('.');
  std::string group = name.substr(0, std::min(dot, name.find('_')));
  for (const char c : dot == std::string::npos ? std::string() : name.substr(dot)) {
    const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    if (!digit) group += c;
    if (digit && group.back() != '#') group += '#';
  }
  return group;
}

/// The tolerance of an inner value by the last part of its name; `otherwise` for the values that a network computes.
inline Tolerance tolerance_of(const std::string& name, Tolerance otherwise) {
  static const std::map<std::string, Tolerance> by_name{
      {"position_ids", Tolerance::exact},   {"attention_mask", Tolerance::exact}, {"guidance_bf16", Tolerance::exact},
      {"guidance_value", Tolerance::exact}, {"topk_index", Tolerance::chosen},    {"timesteps", Tolerance::time},
      {"timesteps_r", Tolerance::time},     {"guided", Tolerance::guided},        {"rope_cos", Tolerance::plain},
      {"rope_sin", Tolerance::plain},       {"vit_embeddings", Tolerance::plain}, {"vit_last_hidden", Tolerance::plain},
      {"vit_aligned", Tolerance::plain}};
  const auto found = by_name.find(last_part(name));
  return found == by_name.end() ? otherwise : found->second;
}

/// Recorded inputs and expected outputs, and the account of what was compared with them.
class Comparison {
 public:
  /// With arithmetic narrower than float32 numbers are judged by the relative error in the Euclidean norm,
  /// chosen experts and tokens by the share that differs, pixels by the mean difference, see `limits`.
  Comparison(SafetensorsFile recorded, at::Device device, Arithmetic arithmetic, bool quiet)
      : recorded_(std::move(recorded)), device_(device), arithmetic_(arithmetic), quiet_(quiet) {}

  /// What this process computes of the recorded values: rows of the batch, and heads of `query` and `key`.
  void share(const Share& rows, const Share& heads) {
    rows_ = rows;
    heads_ = heads;
  }

  [[nodiscard]] const SafetensorsFile& recorded() const noexcept { return recorded_; }
  [[nodiscard]] bool has(const std::string& name) const { return recorded_.contains(name); }
  /// A recorded input on the device; it counts as used. Throws Error when it is missing.
  [[nodiscard]] at::Tensor input(const std::string& name) {
    const at::Tensor value = recorded_.tensor(name).to(device_);
    inputs_.insert(name);
    return value;
  }

  /// The same, or an undefined tensor when nothing of that name was recorded.
  [[nodiscard]] at::Tensor optional_input(const std::string& name) { return has(name) ? input(name) : at::Tensor(); }

  /// Compares with the recorded tensor of that name and prints a line. Does nothing when nothing was recorded under the
  /// name or when it was taken as an input. A different shape or type of integers is a failure, so is NaN.
  void compare(const std::string& name, const at::Tensor& computed, Tolerance tolerance) {
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
    if (!alike(name, value, expected, !expected.is_floating_point(), "recorded")) return;
    const Verdict verdict = judge(value, expected, tolerance, arithmetic_);
    char line[160];
    std::snprintf(line, sizeof line, "%10.3g %10.3g %10.3g %10.3g", verdict.absolute, verdict.relative, verdict.measure,
                  verdict.limit);
    note(name, line, verdict.measure, verdict.limit);
  }

  /// Compares, exactly, two values of which neither has to be recorded under this name, and prints a line.
  void compare_exactly(const std::string& name, const at::Tensor& computed, const at::Tensor& expected) {
    const at::Tensor a = computed.to(at::kCPU), b = expected.to(at::kCPU);
    if (!alike(name, a, b, true, "expected")) return;
    const auto different = a.ne(b).sum().item<std::int64_t>();
    char line[160];
    std::snprintf(line, sizeof line, "%10lld of %lld values differ", static_cast<long long>(different),
                  static_cast<long long>(a.numel()));
    note(name, line, static_cast<double>(different), 0);
  }

  /// Compares everything a module reports under `prefix` + name.
  [[nodiscard]] Probe probe(const std::string& prefix, Tolerance otherwise) {
    return [this, prefix, otherwise](const std::string& name, const at::Tensor& value) {
      compare(prefix + name, value, tolerance_of(name, otherwise));
    };
  }

  /// Counts and prints a case that could not be run.
  void fail(const std::string& name, const std::string& why) {
    print(name, why + "  FAIL", false);
    failures_.push_back(name);
  }

  /// Prints totals, the largest errors by group, and the recorded tensors that were neither input nor compared. Returns
  /// true when something was compared and nothing failed, and, if `strict`, nothing was left over.
  [[nodiscard]] bool finish(bool strict) const {
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

 private:
  struct Group {
    std::size_t count = 0;
    double largest = 0, limit = 0;
  };
  void print(const std::string& name, const std::string& result, bool good) const {
    if (!quiet_ || !good) std::printf("%-44s %s\n", name.c_str(), result.c_str());
  }

  /// Whether shapes, and types where they matter, are the same; a failure where not.
  [[nodiscard]] bool alike(const std::string& name, const at::Tensor& a, const at::Tensor& b, bool same_type,
                           const char* what) {
    if (a.sizes() == b.sizes() && (!same_type || a.scalar_type() == b.scalar_type())) return true;
    const auto text = [](const at::Tensor& x) { return shape_text(x.sizes()) + " " + c10::toString(x.scalar_type()); };
    fail(name, "computed " + text(a) + ", " + what + " " + text(b));
    return false;
  }

  void note(const std::string& name, const std::string& line, double measure, double limit) {
    const bool good = measure <= limit;
    print(name, line + (good ? "  ok" : "  FAIL"), good);
    if (!good) failures_.push_back(name);
    Group& group = groups_[group_of(name)];
    ++group.count;
    group.largest = std::max(group.largest, measure);
    group.limit = limit;
  }

  // This process's part of a recorded tensor of which it computed less; undefined where its rows were not recorded.
  [[nodiscard]] at::Tensor own_part(const std::string& name, const at::Tensor& expected,
                                    const at::Tensor& value) const {
    at::Tensor part = expected;
    if (part.dim() != value.dim() || part.dim() == 0) return part;
    const bool rows = rows_.count > 1 && part.size(0) == value.size(0) * rows_.count;
    if (rows) part = rows_.of(part, 0, name);
    if (!rows && rows_.index > 0 && first_rows_only(name)) return {};
    const bool heads = part.dim() > 1 && ends_in(name, {"query", "key"});
    return heads ? heads_.of(part, 1, name) : part;
  }

  SafetensorsFile recorded_;
  at::Device device_;
  Arithmetic arithmetic_;
  bool quiet_;
  Share rows_, heads_;
  std::set<std::string> inputs_, compared_;
  std::map<std::string, Group> groups_;
  std::vector<std::string> failures_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_COMPARISON_HPP
