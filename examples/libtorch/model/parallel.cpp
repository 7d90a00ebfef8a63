// SPDX-License-Identifier: MIT
#include "model/parallel.hpp"

#include "adapter/error.hpp"

namespace hunyuan_generate {

std::int64_t Share::part(std::int64_t whole, const std::string& what) const {
  if (whole % count != 0) {
    throw Error(what + ": " + std::to_string(whole) + " cannot be shared by " + std::to_string(count) + " processes");
  }
  return whole / count;
}

at::Tensor Share::of(const at::Tensor& whole, std::int64_t axis, const std::string& what) const {
  const std::int64_t size = part(whole.size(axis), what);
  return count == 1 ? whole : whole.narrow(axis, index * size, size);
}

const std::shared_ptr<const Parallel>& Parallel::alone() {
  static const std::shared_ptr<const Parallel> one = std::make_shared<const Parallel>();
  return one;
}

at::Tensor Parallel::sum(at::Tensor part) const {
  if (!tensor_team) return part;
  at::Tensor values = part.contiguous();
  tensor_team->add_up(values);
  return values;
}

// Zeros in place of the others' rows, then a sum: exact, and small beside what the layers exchange.
at::Tensor Parallel::all_rows(const at::Tensor& rows) const {
  if (!guidance_team) return rows;
  std::vector<std::int64_t> shape = rows.sizes().vec();
  shape[0] *= guidance.count;
  at::Tensor all = at::zeros(shape, rows.options());
  guidance.of(all, 0, "rows").copy_(rows);
  guidance_team->add_up(all);
  return all;
}

void Parallel::agree(at::Tensor& values) const {
  if (tensor_team) tensor_team->copy_from_first(values);
  if (guidance_team) guidance_team->copy_from_first(values);
}

std::int64_t Parallel::agreed(std::int64_t value) const {
  if (is_alone()) return value;
  at::Tensor shared = at::full({1}, value, at::TensorOptions().dtype(at::kLong).device(device));
  agree(shared);
  return shared.item<std::int64_t>();
}

void Parallel::require_same(const at::Tensor& values, const std::string& what) const {
  if (is_alone()) return;
  at::Tensor shared = values.to(device).clone(at::MemoryFormat::Contiguous);
  agree(shared);
  at::Tensor differ = values.to(device).ne(shared).any().to(at::kLong).view({1});
  for (const std::shared_ptr<Team>& team : {tensor_team, guidance_team}) {
    if (team) team->add_up(differ);
  }
  if (differ.item<std::int64_t>() != 0) throw Error(what + " is not the same on every process");
}

void Parallel::get_on() const {
  for (const std::shared_ptr<Team>& team : {tensor_team, guidance_team}) {
    if (team) team->get_on();
  }
}

}  // namespace hunyuan_generate
