// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_COMPARISON_HPP
#define HUNYUAN_GENERATE_COMPARISON_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstddef>  // size_t
#include <map>      // map
#include <set>      // set
#include <string>   // string
#include <vector>   // vector

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

/// The tolerance of an inner value by the last part of its name; `otherwise` for the values that a network computes.
Tolerance tolerance_of(const std::string& name, Tolerance otherwise);

/// What the compared values were computed with.
enum class Arithmetic { fp32, bf16, fp8 };

/// Recorded inputs and expected outputs, and the account of what was compared with them.
class Comparison {
 public:
  /// With arithmetic narrower than float32 numbers are judged by the relative error in the Euclidean norm,
  /// chosen experts and tokens by the share that differs, pixels by the mean difference; see the .cpp for the limits.
  Comparison(SafetensorsFile recorded, at::Device device, Arithmetic arithmetic, bool quiet);

  /// What this process computes of the recorded values: rows of the batch, and heads of `query` and `key`.
  void share(const Share& rows, const Share& heads) {
    rows_ = rows;
    heads_ = heads;
  }

  [[nodiscard]] const SafetensorsFile& recorded() const noexcept { return recorded_; }
  [[nodiscard]] bool has(const std::string& name) const { return recorded_.contains(name); }
  /// A recorded input on the device; it counts as used. Throws Error when it is missing.
  [[nodiscard]] at::Tensor input(const std::string& name);
  /// The same, or an undefined tensor when nothing of that name was recorded.
  [[nodiscard]] at::Tensor optional_input(const std::string& name);

  /// Compares with the recorded tensor of that name and prints a line. Does nothing when nothing was recorded under the
  /// name or when it was taken as an input. A different shape or type of integers is a failure, so is NaN.
  void compare(const std::string& name, const at::Tensor& computed, Tolerance tolerance);
  /// Compares, exactly, two values of which neither has to be recorded under this name, and prints a line.
  void compare_exactly(const std::string& name, const at::Tensor& computed, const at::Tensor& expected);
  /// Compares everything a module reports under `prefix` + name.
  [[nodiscard]] Probe probe(const std::string& prefix, Tolerance otherwise);
  /// Counts and prints a case that could not be run.
  void fail(const std::string& name, const std::string& why);

  /// Prints totals, the largest errors by group, and the recorded tensors that were neither input nor compared. Returns
  /// true when something was compared and nothing failed, and, if `strict`, nothing was left over.
  [[nodiscard]] bool finish(bool strict) const;

 private:
  struct Group {
    std::size_t count = 0;
    double largest = 0, limit = 0;
  };
  void print(const std::string& name, const std::string& result, bool good) const;
  [[nodiscard]] at::Tensor own_part(const std::string& name, const at::Tensor& expected, const at::Tensor& value) const;

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
