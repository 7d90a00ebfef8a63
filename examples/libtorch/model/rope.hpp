// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_ROPE_HPP
#define HUNYUAN_GENERATE_ROPE_HPP

#include <ATen/ATen.h>  // Tensor

namespace hunyuan_generate {

/// v cos + rot(v) sin with rot(v) = [-second half, first half]. `v` ends in [tokens, .., D]; `cos` and `sin` must
/// broadcast to it. The result is float32 when v is narrower.
at::Tensor rotate(const at::Tensor& v, const at::Tensor& cos, const at::Tensor& sin);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_ROPE_HPP
