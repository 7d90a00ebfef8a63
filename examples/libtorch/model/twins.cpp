// SPDX-License-Identifier: MIT
// What the kernels compute, in ATen operations: for the CPU, for other types, and to compare with.
#include "model/fused.hpp"
#include "model/rope.hpp"
#include "model/vae.hpp"

namespace hunyuan_generate::twin {
namespace {

constexpr double smallest_divisor = 1.1920929e-7;
constexpr std::int64_t norm_groups = 32;

Rows in_form(const at::Tensor& x, Form form) {
  Rows rows;
  if (form.small) rows.small = make_small(x.reshape({-1, x.size(-1)}));
  if (form.plain) rows.plain = x;
  return rows;
}

// Statistics in float32; the normed value is cast to the type of x before it is multiplied by the weight.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor scale = wide.square().mean(-1, /*keepdim=*/true).add_(eps).rsqrt_();
  return wide.mul(scale).to(x.scalar_type()).mul(weight);
}

// [C] or [B, C] to broadcast over a grid of `axes` axes.
at::Tensor along_channels(const at::Tensor& x, std::int64_t axes) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(axes), 1);
  if (x.dim() == 2) shape[0] = x.size(0);
  shape[1] = x.size(-1);
  return x.reshape(shape);
}

}  // namespace

NormedSum add_rms_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight, double eps, Form form) {
  const at::Tensor sum = delta.defined() ? x + delta : x;
  return {sum, in_form(rms_norm(sum, weight, eps), form)};
}

Rows gated_silu(const at::Tensor& packed, Form form) {
  const std::vector<at::Tensor> halves = packed.chunk(2, -1);
  return in_form(halves[0] * at::silu(halves[1]), form);
}

std::vector<at::Tensor> rotate_norm_store(const at::Tensor& packed, const RotaryTable& rope, const QkNorm& norm,
                                          const LayerCache& cache, std::int64_t start,
                                          const std::vector<AttentionSegment>& segments) {
  const std::int64_t batch = packed.size(0), tokens = packed.size(1), groups = packed.size(2);
  const std::int64_t group = packed.size(3) - 2, width = packed.size(4);
  const at::Tensor cos = rope.cos.unsqueeze(2), sin = rope.sin.unsqueeze(2), v = packed.select(3, group + 1);
  const auto normed = [&](const at::Tensor& x, const at::Tensor& weight) {
    return rms_norm(rotate(x, cos, sin), weight, norm.eps).to(packed.scalar_type()).transpose(1, 2);
  };
  const at::Tensor q = normed(packed.narrow(3, 0, group).reshape({batch, tokens, groups * group, width}), norm.query);
  cache.keys.narrow(2, start, tokens).copy_(normed(packed.select(3, group), norm.key));
  cache.values.narrow(2, start, tokens).copy_(v.transpose(1, 2));
  std::vector<at::Tensor> queries;
  for (const AttentionSegment& segment : segments) queries.push_back(q.narrow(2, segment.start, segment.count));
  return queries;
}

Rows heads_to_rows(const std::vector<at::Tensor>& mixed, Form form) {
  const at::Tensor all = mixed.size() == 1 ? mixed.front() : at::cat(mixed, 2);
  return in_form(all.transpose(1, 2).reshape({all.size(0), all.size(2), all.size(1) * all.size(3)}), form);
}

Chosen route(const at::Tensor& logits, const RouteRule& rule) {
  const at::Tensor sum =
      logits.size(1) == rule.experts ? logits : logits.view({logits.size(0), -1, rule.experts}).flip(1).sum(1);
  const auto best = at::topk(at::softmax(sum, -1), rule.choices, /*dim=*/-1, /*largest=*/true, /*sorted=*/true);
  const at::Tensor& chosen = std::get<0>(best);
  return {std::get<1>(best), rule.normalise ? chosen / chosen.sum(-1, /*keepdim=*/true).clamp_min(smallest_divisor)
                                            : chosen * rule.scaling};
}

ExpertPlaces place_by_expert(const at::Tensor& index, std::int64_t experts) {
  const auto sorted = at::sort(index.reshape({-1}), /*stable=*/true, /*dim=*/0, /*descending=*/false);
  const at::Tensor &expert = std::get<0>(sorted), &entry = std::get<1>(sorted);
  const at::Tensor numbers = at::arange(entry.size(0), entry.options().dtype(at::kInt));
  const at::Tensor stops = at::searchsorted(expert, at::arange(experts, expert.options()), /*out_int32=*/true,
                                            /*right=*/true);
  return {at::empty_like(numbers).scatter_(0, entry, numbers).view(index.sizes()), stops};
}

Rows gather(const Rows& rows, const at::Tensor& place, Form form) {
  const std::int64_t tokens = place.size(0), choices = place.size(1), entries = tokens * choices;
  const at::Tensor entry = at::arange(entries, place.options().dtype(at::kLong));
  const at::Tensor order = at::empty_like(entry).scatter_(0, place.reshape({-1}).to(at::kLong), entry);
  const at::Tensor token = at::floor_divide(order, choices);
  Rows out;
  if (form.plain) out.plain = rows.plain.reshape({tokens, -1}).index_select(0, token);
  if (form.small) {
    // As bytes or 16-bit numbers: not every device selects rows of e4m3.
    const at::Tensor bytes = rows.small.values.view(rows.small.values.element_size() == 1 ? at::kByte : at::kBFloat16);
    out.small = {bytes.index_select(0, token).view(small_type()), rows.small.scale.index_select(0, token)};
  }
  return out;
}

at::Tensor combine(const at::Tensor& parts, const at::Tensor& place, const at::Tensor& weight, const at::Tensor& shared,
                   const at::Tensor& residual) {
  // Gathering instead of adding in place keeps the sum's order fixed.
  at::Tensor sum = at::zeros({place.size(0), parts.size(1)}, parts.options().dtype(at::kFloat));
  for (std::int64_t choice = 0; choice < place.size(1); ++choice) {
    const at::Tensor share = weight.select(1, choice).unsqueeze(-1);
    sum.add_((parts.index_select(0, place.select(1, choice)) * share).masked_fill_(share.eq(0), 0));
  }
  at::Tensor out = sum.to(parts.scalar_type());
  if (shared.defined()) out = shared + out;
  return residual.defined() ? residual + out : out;
}

at::Tensor group_norm(const at::Tensor& x, const GroupNormRule& rule, const at::Tensor& scale_shift,
                      const at::Tensor& added) {
  at::Tensor y = x.to(at::kFloat);
  if (added.defined()) y = y + along_channels(added.to(at::kFloat), x.dim());
  y = at::group_norm(y, norm_groups, rule.weight, rule.bias, rule.eps);
  if (scale_shift.defined()) {
    const std::vector<at::Tensor> halves = scale_shift.to(at::kFloat).chunk(2, 1);
    y = y * (1 + along_channels(halves[0], x.dim())) + along_channels(halves[1], x.dim());
  }
  return rule.silu ? at::silu_(y) : y;  // y is nobody else's, and at the autoencoder's full size a copy is gigabytes
}

at::Tensor add_bias(const at::Tensor& a, const at::Tensor& b, const at::Tensor& bias) {
  return a + (b + along_channels(bias, b.dim()));
}

at::Tensor expand_channels(const at::Tensor& moved, const at::Tensor& bias, const at::Tensor& x, std::int64_t frames) {
  const at::Tensor repeated = x.repeat_interleave(moved.size(1) / x.size(1), 1);
  return channels_to_space(moved + along_channels(bias, 5), frames) + channels_to_space(repeated, frames);
}

}  // namespace hunyuan_generate::twin
