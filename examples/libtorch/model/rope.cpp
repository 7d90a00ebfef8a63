// SPDX-License-Identifier: MIT
#include "model/rope.hpp"

namespace hunyuan_generate {

at::Tensor rotate(const at::Tensor& v, const at::Tensor& cos, const at::Tensor& sin) {
  const std::vector<at::Tensor> halves = v.chunk(2, -1);
  return v * cos + at::cat({halves[1].neg(), halves[0]}, -1) * sin;
}

}  // namespace hunyuan_generate
