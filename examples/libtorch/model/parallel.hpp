// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_PARALLEL_HPP
#define HUNYUAN_GENERATE_PARALLEL_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t
#include <memory>   // shared_ptr
#include <string>   // string

namespace hunyuan_generate {

/// One process's part of something that several share in equal, consecutive parts.
struct Share {
  std::int64_t index = 0, count = 1;

  /// How much of `whole` a part is; throws Error naming `what` when the parts would not be equal.
  [[nodiscard]] std::int64_t part(std::int64_t whole, const std::string& what) const;
  /// This process's part of a tensor along an axis, as a view.
  [[nodiscard]] at::Tensor of(const at::Tensor& whole, std::int64_t axis, const std::string& what) const;
};

/// Processes that compute together. All members call the same functions in the same order with the same shapes; both
/// work in place, on contiguous tensors.
class Team {
 public:
  virtual ~Team() = default;
  /// Adds up the values of all members; each gets the same sum.
  virtual void add_up(at::Tensor& values) = 0;
  /// Takes the values of the first member over.
  virtual void copy_from_first(at::Tensor& values) = 0;
  /// Tells whoever watches that this process gets on although it waits for nobody.
  virtual void get_on() {}
};

/// What this process has of a model: a share of every layer's heads and experts, and a share of the batch's rows. The
/// teams are null where there is nobody to share with; then every function below returns what it was given.
struct Parallel {
  Share tensor, guidance;
  std::shared_ptr<Team> tensor_team;    ///< the processes with other heads and experts for the same rows
  std::shared_ptr<Team> guidance_team;  ///< those with the same heads and experts for other rows
  at::Device device = at::kCPU;         ///< where tensors must be that the teams are given

  /// One process that has everything.
  [[nodiscard]] static const std::shared_ptr<const Parallel>& alone();
  [[nodiscard]] bool is_alone() const noexcept { return tensor_team == nullptr && guidance_team == nullptr; }

  /// The sum over the shares of heads or experts, in place where `part` is contiguous.
  [[nodiscard]] at::Tensor sum(at::Tensor part) const;
  /// All rows of the batch from this process's rows [rows, ..].
  [[nodiscard]] at::Tensor all_rows(const at::Tensor& rows) const;
  /// Gives every process the first one's values, in place.
  void agree(at::Tensor& values) const;
  [[nodiscard]] std::int64_t agreed(std::int64_t value) const;
  /// Throws Error on every process when the values differ anywhere.
  void require_same(const at::Tensor& values, const std::string& what) const;
  /// See Team::get_on.
  void get_on() const;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_PARALLEL_HPP
