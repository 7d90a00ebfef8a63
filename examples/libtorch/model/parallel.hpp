// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_PARALLEL_HPP
#define HUNYUAN_GENERATE_PARALLEL_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t
#include <memory>   // shared_ptr
#include <string>   // string

#include "adapter/error.hpp"

namespace hunyuan_generate {

/// One process's part of something that several share in equal, consecutive parts.
struct Share {
  std::int64_t index = 0, count = 1;

  /// How much of `whole` a part is; throws Error naming `what` when the parts would not be equal.
  [[nodiscard]] std::int64_t part(std::int64_t whole, const std::string& what) const {
    if (whole % count != 0) {
      throw Error(what + ": " + std::to_string(whole) + " cannot be shared by " + std::to_string(count) + " processes");
    }
    return whole / count;
  }

  /// This process's part of a tensor along an axis, as a view.
  [[nodiscard]] at::Tensor of(const at::Tensor& whole, std::int64_t axis, const std::string& what) const {
    const std::int64_t size = part(whole.size(axis), what);
    return count == 1 ? whole : whole.narrow(axis, index * size, size);
  }
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
  [[nodiscard]] static const std::shared_ptr<const Parallel>& alone() {
    static const std::shared_ptr<const Parallel> one = std::make_shared<const Parallel>();
    return one;
  }

  [[nodiscard]] bool is_alone() const noexcept { return tensor_team == nullptr && guidance_team == nullptr; }

  /// The sum over the shares of heads or experts, in place where `part` is contiguous.
  [[nodiscard]] at::Tensor sum(at::Tensor part) const {
    if (!tensor_team) return part;
    at::Tensor values = part.contiguous();
    tensor_team->add_up(values);
    return values;
  }

  /// All rows of the batch from this process's rows [rows, ..].
  // Zeros in place of the others' rows, then a sum: exact, and small beside what the layers exchange.
  [[nodiscard]] at::Tensor all_rows(const at::Tensor& rows) const {
    if (!guidance_team) return rows;
    std::vector<std::int64_t> shape = rows.sizes().vec();
    shape[0] *= guidance.count;
    at::Tensor all = at::zeros(shape, rows.options());
    guidance.of(all, 0, "rows").copy_(rows);
    guidance_team->add_up(all);
    return all;
  }

  /// Gives every process the first one's values, in place.
  void agree(at::Tensor& values) const {
    if (tensor_team) tensor_team->copy_from_first(values);
    if (guidance_team) guidance_team->copy_from_first(values);
  }

  [[nodiscard]] std::int64_t agreed(std::int64_t value) const {
    if (is_alone()) return value;
    at::Tensor shared = at::full({1}, value, at::TensorOptions().dtype(at::kLong).device(device));
    agree(shared);
    return shared.item<std::int64_t>();
  }

  /// Throws Error on every process when the values differ anywhere.
  void require_same(const at::Tensor& values, const std::string& what) const {
    if (is_alone()) return;
    at::Tensor shared = values.to(device).clone(at::MemoryFormat::Contiguous);
    agree(shared);
    at::Tensor differ = values.to(device).ne(shared).any().to(at::kLong).view({1});
    for (const std::shared_ptr<Team>& team : {tensor_team, guidance_team}) {
      if (team) team->add_up(differ);
    }
    if (differ.item<std::int64_t>() != 0) throw Error(what + " is not the same on every process");
  }

  /// See Team::get_on.
  void get_on() const {
    for (const std::shared_ptr<Team>& team : {tensor_team, guidance_team}) {
      if (team) team->get_on();
    }
  }
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_PARALLEL_HPP
