// SPDX-License-Identifier: MIT
#include "model/attention.hpp"

#include <torch/version.h>  // TORCH_VERSION_MAJOR

#include <algorithm>  // max, min
#include <cmath>      // sqrt
#include <limits>     // numeric_limits

namespace hunyuan_generate {

at::Tensor chunked_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& mask,
                             std::int64_t max_scores) {
  const std::int64_t batch = q.size(0), heads = q.size(1), queries = q.size(2), width = q.size(3);
  const std::int64_t groups = k.size(1), keys = k.size(2), group = heads / groups;
  const at::Tensor grouped = q.view({batch, groups, group, queries, width}) / std::sqrt(static_cast<double>(width));
  const at::Tensor keys_t = k.transpose(2, 3);
  const std::int64_t chunk = std::max<std::int64_t>(1, max_scores / std::max<std::int64_t>(1, batch * heads * keys));

  at::Tensor out = at::empty({batch, groups, group, queries, width}, q.options());
  for (std::int64_t start = 0; start < queries; start += chunk) {
    const std::int64_t length = std::min(chunk, queries - start);
    const at::Tensor rows = grouped.narrow(3, start, length).reshape({batch, groups, group * length, width});
    at::Tensor scores = at::matmul(rows, keys_t).view({batch, groups, group, length, keys});
    if (mask.defined()) {
      const at::Tensor part = mask.size(2) == 1 ? mask : mask.narrow(2, start, length);
      scores.masked_fill_(part.logical_not().unsqueeze(2), -std::numeric_limits<double>::infinity());
    }
    const at::Tensor weights = at::softmax(scores, -1, at::kFloat).to(v.scalar_type());
    const at::Tensor values = at::matmul(weights.view({batch, groups, group * length, keys}), v);
    out.narrow(3, start, length).copy_(values.view({batch, groups, group, length, width}));
  }
  return out.view({batch, heads, queries, width});
}

#if TORCH_VERSION_MAJOR >= 2

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& mask) {
  const std::int64_t batch = q.size(0), heads = q.size(1), queries = q.size(2), width = q.size(3);
  const std::int64_t groups = k.size(1), group = heads / groups;
  if (!mask.defined()) {
    // Without a mask the query heads of a group are just more queries: no key or value is repeated.
    const at::Tensor folded = q.reshape({batch, groups, group * queries, width});
    return at::scaled_dot_product_attention(folded, k, v).reshape({batch, heads, queries, width});
  }
  const auto repeat = [&](const at::Tensor& x) {
    if (group == 1) return x;
    return x.unsqueeze(2).expand({batch, groups, group, x.size(2), width}).reshape({batch, heads, x.size(2), width});
  };
  return at::scaled_dot_product_attention(q, repeat(k), repeat(v), mask);
}

#else

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& mask) {
  return chunked_attention(q.contiguous(), k, v, mask);
}

#endif

std::vector<at::Tensor> attention(const std::vector<at::Tensor>& queries, const LayerCache& cache,
                                  const std::vector<AttentionSegment>& segments) {
  std::vector<at::Tensor> parts;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::int64_t keys = segments[i].keys;
    parts.push_back(
        attention(queries[i], cache.keys.narrow(2, 0, keys), cache.values.narrow(2, 0, keys), segments[i].mask));
  }
  return parts;
}

}  // namespace hunyuan_generate
