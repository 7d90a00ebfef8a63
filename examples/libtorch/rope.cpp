// SPDX-License-Identifier: MIT
#include "rope.hpp"

namespace hunyuan_generate {

RotaryTable RotaryTable::select(const at::Tensor& positions) const {
  const at::Tensor index = positions.unsqueeze(-1).expand({-1, -1, cos.size(-1)});
  const auto pick = [&](const at::Tensor& table) { return table.expand({positions.size(0), -1, -1}).gather(1, index); };
  return {pick(cos), pick(sin)};
}

RotaryTable rotary_table(const at::Tensor& positions_yx, std::int64_t head_dim, double theta, at::Device device) {
  const std::int64_t half = head_dim / 2;
  const at::Tensor exponents = at::arange(0, head_dim, 2, at::kFloat).div_(static_cast<double>(head_dim));
  // Powers in double, rounded once: the last bit of a frequency shows at large positions.
  const at::Tensor frequencies = at::pow(at::Scalar(theta), exponents.to(at::kDouble)).to(at::kFloat).reciprocal_();
  const at::Tensor axis = at::arange(half, at::kLong).remainder_(2);  // 0 = y, 1 = x
  const at::Tensor positions = positions_yx.to(at::kCPU, at::kFloat).index_select(1, axis);
  const at::Tensor angles = (positions * frequencies).repeat({1, 2}).unsqueeze(0);
  return {angles.cos().to(device), angles.sin().to(device)};
}

at::Tensor rotate(const at::Tensor& v, const at::Tensor& cos, const at::Tensor& sin) {
  const std::vector<at::Tensor> halves = v.chunk(2, -1);
  return v * cos + at::cat({halves[1].neg(), halves[0]}, -1) * sin;
}

}  // namespace hunyuan_generate
