// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_ATTENTION_HPP
#define HUNYUAN_GENERATE_ATTENTION_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t
#include <vector>   // vector

#include "adapter/adapter.hpp"
#include "model/fused.hpp"

namespace hunyuan_generate {

/// softmax(q k^T / sqrt(D) + mask) v with grouped heads.
/// q is [B, A, n, D], k and v are [B, K, L, D] with A a multiple of K; key head m serves query heads m A/K onwards.
/// `mask` is boolean, true = may attend, [B or 1, 1, n or 1, L]; undefined = every query sees every key. Each query
/// must see at least one key. Returns [B, A, n, D].
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& mask);

/// The same from plain matrix products, for LibTorch before 2.0. Queries go in chunks such that the scores of a chunk
/// have at most `max_scores` elements (at least one query a chunk), so that memory stays bounded for large images.
at::Tensor chunked_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& mask,
                             std::int64_t max_scores = std::int64_t{1} << 26U);

/// The same, segment by segment, so that no mask of all queries and all keys is needed: the queries of each segment see
/// the first `keys` entries of the cache.
std::vector<at::Tensor> attention(const std::vector<at::Tensor>& queries, const LayerCache& cache,
                                  const std::vector<AttentionSegment>& segments);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_ATTENTION_HPP
