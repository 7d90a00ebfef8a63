// SPDX-License-Identifier: MIT
// Each function is a kernel where there is one for its arguments, and below that its twin in ATen operations: for the
// CPU, for other types, and to compare with.
#include "model/fused.hpp"

#include <atomic>  // atomic

#include "model/kernels.hpp"
#include "model/vae.hpp"

#if HUNYUAN_GENERATE_KERNELS
#include <c10/cuda/CUDAException.h>  // C10_CUDA_KERNEL_LAUNCH_CHECK
#include <c10/cuda/CUDAGuard.h>      // CUDAGuard
#include <c10/cuda/CUDAStream.h>     // getCurrentCUDAStream
#endif

namespace hunyuan_generate {
namespace {

constexpr double smallest_divisor = 1.1920929e-7;
constexpr std::int64_t norm_groups = 32;

std::atomic<bool>& switched_on() {
  static std::atomic<bool> on{true};
  return on;
}

#if HUNYUAN_GENERATE_KERNELS

constexpr bool has_kernels = true;

// The device and the stream of a launch; reports a launch that failed.
class Launch {
 public:
  explicit Launch(const at::Tensor& x) : guard_(x.device()), stream_(c10::cuda::getCurrentCUDAStream().stream()) {}
  ~Launch() noexcept(false) { C10_CUDA_KERNEL_LAUNCH_CHECK(); }
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;
  operator kernels::Stream() const { return stream_; }

 private:
  c10::cuda::CUDAGuard guard_;
  kernels::Stream stream_;
};

#else

constexpr bool has_kernels = false;

// Stands in the code that is left out.
struct Launch {
  explicit Launch(const at::Tensor&) {}
  operator kernels::Stream() const { return nullptr; }
};

#endif

Rows make_rows(const at::Tensor& like, std::vector<std::int64_t> shape, Form form) {
  Rows rows;
  const std::int64_t width = shape.back();
  if (form.plain) rows.plain = at::empty(shape, like.options());
  if (form.small) {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    rows.small = {at::empty({count / width, width}, like.options().dtype(small_type())),
                  at::empty({count / width}, like.options().dtype(at::kFloat))};
  }
  return rows;
}

kernels::RowOut out_of(const Rows& rows) {
  kernels::RowOut out;
  if (rows.plain.defined()) out.plain = rows.plain.data_ptr();
  if (rows.small.defined()) {
    out.small = rows.small.values.data_ptr();
    out.scale = rows.small.scale.data_ptr<float>();
  }
  return out;
}

const std::int32_t* limit_of(const at::Tensor& x) { return x.defined() ? x.data_ptr<std::int32_t>() : nullptr; }

const void* pointer(const at::Tensor& x) { return x.defined() ? x.data_ptr() : nullptr; }

bool good_width(std::int64_t width, Form form) {
  return width % (form.small ? 16 : 8) == 0 && width <= kernels::largest_width;
}

Rows in_form(const at::Tensor& x, Form form) {
  Rows rows;
  if (form.small) rows.small = make_small(x.reshape({-1, x.size(-1)}));
  if (form.plain) rows.plain = x;
  return rows;
}

// v cos + rot(v) sin with rot(v) = [-second half, first half]. `v` ends in [tokens, .., D]; `cos` and `sin` must
// broadcast to it. The result is float32 when v is narrower.
at::Tensor rotate(const at::Tensor& v, const at::Tensor& cos, const at::Tensor& sin) {
  const std::vector<at::Tensor> halves = v.chunk(2, -1);
  return v * cos + at::cat({halves[1].neg(), halves[0]}, -1) * sin;
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

bool kernels_built() noexcept { return has_kernels; }
void use_kernels(bool used) noexcept { switched_on() = used; }
bool kernels_used() noexcept { return has_kernels && switched_on(); }
bool kernels_take(const at::Tensor& x) { return kernels_used() && x.is_cuda() && x.scalar_type() == at::kBFloat16; }

bool grid_kernels_take(const at::Tensor& x) {
  const bool sixteen = x.scalar_type() == at::kBFloat16 || x.scalar_type() == at::kHalf;
  if (!kernels_used() || !x.is_cuda() || !sixteen || x.size(1) % 32 != 0 || x.size(1) > 4096) return false;
  return (x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast)) ||
         (x.dim() == 5 && x.is_contiguous(at::MemoryFormat::ChannelsLast3d));
}

NormedSum add_rms_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight, double eps, Form form) {
  const std::int64_t width = x.size(-1);
  if constexpr (has_kernels) {
    if (kernels_take(x) && good_width(width, form) && x.numel() > 0 && weight.scalar_type() == at::kBFloat16) {
      const at::Tensor in = x.contiguous(), added = delta.defined() ? delta.contiguous() : delta;
      NormedSum result{delta.defined() ? at::empty_like(in) : in, make_rows(in, in.sizes().vec(), form)};
      kernels::add_rms_norm(in.data_ptr(), pointer(added), result.sum.data_ptr(), weight.data_ptr(),
                            static_cast<float>(eps), out_of(result.normed), in.numel() / width, width, Launch(x));
      return result;
    }
  }
  const at::Tensor sum = delta.defined() ? x + delta : x;
  return {sum, in_form(rms_norm(sum, weight, eps), form)};
}

Rows gated_silu(const at::Tensor& packed, Form form, const at::Tensor& limit) {
  const std::int64_t width = packed.size(-1) / 2;
  if constexpr (has_kernels) {
    if (kernels_take(packed) && good_width(width, form) && packed.numel() > 0) {
      const at::Tensor in = packed.contiguous();
      std::vector<std::int64_t> shape = in.sizes().vec();
      shape.back() = width;
      Rows rows = make_rows(in, shape, form);
      kernels::gated_silu(in.data_ptr(), out_of(rows), in.numel() / (2 * width), width, limit_of(limit),
                          Launch(packed));
      return rows;
    }
  }
  const std::vector<at::Tensor> halves = packed.chunk(2, -1);
  return in_form(halves[0] * at::silu(halves[1]), form);
}

std::vector<at::Tensor> rotate_norm_store(const at::Tensor& packed, const RotaryTable& rope, const QkNorm& norm,
                                          const LayerCache& cache, std::int64_t start,
                                          const std::vector<AttentionSegment>& segments) {
  const std::int64_t batch = packed.size(0), tokens = packed.size(1), groups = packed.size(2);
  const std::int64_t group = packed.size(3) - 2, width = packed.size(4);
  const at::Tensor &keys = cache.keys, &values = cache.values;
  std::vector<at::Tensor> queries;
  if constexpr (has_kernels) {
    if (kernels_take(packed) && packed.is_contiguous() && keys.is_contiguous() && values.is_contiguous() &&
        keys.scalar_type() == at::kBFloat16 && kernels::head_fits(width) && norm.query.scalar_type() == at::kBFloat16 &&
        rope.cos.size(0) == 1) {
      const at::Tensor cos = rope.cos.contiguous(), sin = rope.sin.contiguous();
      for (const AttentionSegment& segment : segments) {
        queries.push_back(at::empty({batch, groups * group, segment.count, width}, packed.options()));
        const kernels::QkShape shape{batch, tokens, segment.start, segment.count,        groups,
                                     group, width,  keys.size(2),  start + segment.start};
        kernels::rotate_norm_store(packed.data_ptr(), cos.data_ptr<float>(), sin.data_ptr<float>(),
                                   norm.query.data_ptr(), norm.key.data_ptr(), static_cast<float>(norm.eps), shape,
                                   {queries.back().data_ptr(), keys.data_ptr(), values.data_ptr()}, Launch(packed));
      }
      return queries;
    }
  }
  const at::Tensor cos = rope.cos.unsqueeze(2), sin = rope.sin.unsqueeze(2), v = packed.select(3, group + 1);
  const auto normed = [&](const at::Tensor& x, const at::Tensor& weight) {
    return rms_norm(rotate(x, cos, sin), weight, norm.eps).to(packed.scalar_type()).transpose(1, 2);
  };
  const at::Tensor q = normed(packed.narrow(3, 0, group).reshape({batch, tokens, groups * group, width}), norm.query);
  keys.narrow(2, start, tokens).copy_(normed(packed.select(3, group), norm.key));
  values.narrow(2, start, tokens).copy_(v.transpose(1, 2));
  for (const AttentionSegment& segment : segments) queries.push_back(q.narrow(2, segment.start, segment.count));
  return queries;
}

Rows heads_to_rows(const std::vector<at::Tensor>& mixed, Form form) {
  const at::Tensor& first = mixed.front();
  const std::int64_t batch = first.size(0), heads = first.size(1), width = first.size(3);
  if constexpr (has_kernels) {
    if (kernels_take(first) && good_width(heads * width, form) && width % 8 == 0) {
      std::int64_t tokens = 0, start = 0;
      for (const at::Tensor& part : mixed) tokens += part.size(2);
      Rows rows = make_rows(first, {batch, tokens, heads * width}, form);
      for (const at::Tensor& part : mixed) {
        const at::Tensor in = part.contiguous();
        kernels::heads_to_rows(in.data_ptr(), {batch, heads, part.size(2), width, tokens, start}, out_of(rows),
                               Launch(first));
        start += part.size(2);
      }
      return rows;
    }
  }
  const at::Tensor all = mixed.size() == 1 ? first : at::cat(mixed, 2);
  return in_form(all.transpose(1, 2).reshape({batch, all.size(2), heads * width}), form);
}

Chosen route(const at::Tensor& logits, const RouteRule& rule) {
  const std::int64_t tokens = logits.size(0);
  if constexpr (has_kernels) {
    if (kernels_used() && logits.is_cuda() && logits.scalar_type() == at::kFloat && tokens > 0 &&
        rule.experts <= kernels::most_experts && rule.choices <= kernels::most_choices &&
        rule.choices <= rule.experts) {
      const at::Tensor in = logits.contiguous();
      const kernels::RouteShape shape{tokens,         in.size(1) / rule.experts,       rule.experts, rule.choices,
                                      rule.normalise, static_cast<float>(rule.scaling)};
      Chosen chosen{at::empty({tokens, rule.choices}, in.options().dtype(at::kInt)),
                    at::empty({tokens, rule.choices}, in.options())};
      kernels::route(in.data_ptr<float>(), shape, chosen.index.data_ptr<std::int32_t>(),
                     chosen.weight.data_ptr<float>(), Launch(logits));
      return chosen;
    }
  }
  const at::Tensor sum =
      logits.size(1) == rule.experts ? logits : logits.view({tokens, -1, rule.experts}).flip(1).sum(1);
  const auto best = at::topk(at::softmax(sum, -1), rule.choices, /*dim=*/-1, /*largest=*/true, /*sorted=*/true);
  const at::Tensor& chosen = std::get<0>(best);
  return {std::get<1>(best), rule.normalise ? chosen / chosen.sum(-1, /*keepdim=*/true).clamp_min(smallest_divisor)
                                            : chosen * rule.scaling};
}

ExpertPlaces place_by_expert(const at::Tensor& index, std::int64_t experts) {
  if constexpr (has_kernels) {
    if (kernels_used() && index.is_cuda() && index.scalar_type() == at::kInt && index.is_contiguous() &&
        index.numel() < (std::int64_t{1} << 31)) {
      ExpertPlaces places{at::empty_like(index), at::empty({experts}, index.options())};
      kernels::place_by_expert(index.data_ptr<std::int32_t>(), index.numel(), experts,
                               places.place.data_ptr<std::int32_t>(), places.stops.data_ptr<std::int32_t>(),
                               Launch(index));
      return places;
    }
  }
  const auto sorted = at::sort(index.reshape({-1}), /*stable=*/true, /*dim=*/0, /*descending=*/false);
  const at::Tensor &expert = std::get<0>(sorted), &entry = std::get<1>(sorted);
  const at::Tensor numbers = at::arange(entry.size(0), entry.options().dtype(at::kInt));
  const at::Tensor stops = at::searchsorted(expert, at::arange(experts, expert.options()), /*out_int32=*/true,
                                            /*right=*/true);
  return {at::empty_like(numbers).scatter_(0, entry, numbers).view(index.sizes()), stops};
}

Rows gather(const Rows& rows, const at::Tensor& place, Form form, const at::Tensor& limit) {
  const std::int64_t width = rows.width(), tokens = place.size(0), choices = place.size(1);
  if constexpr (has_kernels) {
    const at::Tensor& source = form.plain ? rows.plain : rows.small.values;
    const bool one_form = form.plain != form.small;
    const bool type = source.scalar_type() == (form.plain ? at::kBFloat16 : small_type());
    if (kernels_used() && source.is_cuda() && one_form && type && source.is_contiguous() && tokens > 0 &&
        width % (form.small ? 16 : 8) == 0 && choices <= kernels::most_choices && place.scalar_type() == at::kInt &&
        place.is_contiguous()) {
      Rows out = make_rows(source, {tokens * choices, width}, form);
      const at::Tensor& to = form.plain ? out.plain : out.small.values;
      kernels::gather(source.data_ptr(), form.small ? rows.small.scale.data_ptr<float>() : nullptr,
                      place.data_ptr<std::int32_t>(), tokens, choices, width * source.element_size(), to.data_ptr(),
                      form.small ? out.small.scale.data_ptr<float>() : nullptr, limit_of(limit), Launch(source));
      return out;
    }
  }
  const std::int64_t entries = tokens * choices;
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
  const std::int64_t width = parts.size(1), tokens = place.size(0), choices = place.size(1);
  if constexpr (has_kernels) {
    const auto fits = [](const at::Tensor& x) {
      return !x.defined() || (x.scalar_type() == at::kBFloat16 && x.is_contiguous());
    };
    if (kernels_take(parts) && parts.is_contiguous() && fits(shared) && fits(residual) && tokens > 0 &&
        good_width(width, {}) && choices <= kernels::most_choices && place.scalar_type() == at::kInt &&
        place.is_contiguous() && weight.is_contiguous() && weight.scalar_type() == at::kFloat) {
      at::Tensor out = at::empty({tokens, width}, parts.options());
      kernels::combine(parts.data_ptr(), place.data_ptr<std::int32_t>(), weight.data_ptr<float>(), pointer(shared),
                       pointer(residual), tokens, choices, width, out.data_ptr(), Launch(parts));
      return out;
    }
  }
  // Gathering instead of adding in place keeps the sum's order fixed.
  at::Tensor sum = at::zeros({tokens, width}, parts.options().dtype(at::kFloat));
  for (std::int64_t choice = 0; choice < choices; ++choice) {
    const at::Tensor share = weight.select(1, choice).unsqueeze(-1);
    sum.add_((parts.index_select(0, place.select(1, choice)) * share).masked_fill_(share.eq(0), 0));
  }
  at::Tensor out = sum.to(parts.scalar_type());
  if (shared.defined()) out = shared + out;
  return residual.defined() ? residual + out : out;
}

at::Tensor group_norm(const at::Tensor& x, const GroupNormRule& rule, const at::Tensor& scale_shift,
                      const at::Tensor& added) {
  if constexpr (has_kernels) {
    if (grid_kernels_take(x) && (!added.defined() || added.scalar_type() == x.scalar_type())) {
      const kernels::GroupNormShape shape{x.size(0), x.numel() / (x.size(0) * x.size(1)),
                                          x.size(1), static_cast<float>(rule.eps),
                                          rule.silu, x.scalar_type() == at::kHalf};
      const at::Tensor modulation =
          scale_shift.defined() ? scale_shift.to(at::kFloat).expand({x.size(0), -1}).contiguous() : scale_shift;
      at::Tensor out = at::empty_like(x);
      const at::Tensor work = at::empty({kernels::group_norm_work(shape)}, x.options().dtype(at::kDouble));
      kernels::group_norm(x.data_ptr(), pointer(added), rule.weight.data_ptr<float>(), rule.bias.data_ptr<float>(),
                          static_cast<const float*>(pointer(modulation)), shape, work.data_ptr<double>(),
                          out.data_ptr(), Launch(x));
      return out;
    }
  }
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
  if constexpr (has_kernels) {
    if (grid_kernels_take(a) && grid_kernels_take(b) && a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type() &&
        bias.scalar_type() == a.scalar_type()) {
      at::Tensor out = at::empty_like(a);
      kernels::add_bias(a.data_ptr(), b.data_ptr(), bias.data_ptr(), a.numel() / a.size(1), a.size(1),
                        a.scalar_type() == at::kHalf, out.data_ptr(), Launch(a));
      return out;
    }
  }
  return a + (b + along_channels(bias, b.dim()));
}

at::Tensor expand_channels(const at::Tensor& moved, const at::Tensor& bias, const at::Tensor& x, std::int64_t frames) {
  if constexpr (has_kernels) {
    // Not grid_kernels_take(moved): it has up to 8192 channels.
    if (grid_kernels_take(x) && x.dim() == 5 && moved.is_contiguous(at::MemoryFormat::ChannelsLast3d) &&
        moved.scalar_type() == x.scalar_type() && bias.scalar_type() == x.scalar_type() &&
        moved.size(1) % (32 * frames) == 0 && moved.size(1) % x.size(1) == 0) {
      const kernels::ExpandShape shape{x.size(0), x.size(2), x.size(3), x.size(4), frames, moved.size(1) / (4 * frames),
                                       x.size(1)};
      at::Tensor out = at::empty({shape.batch, shape.channels, shape.time * frames, 2 * shape.height, 2 * shape.width},
                                 x.options(), at::MemoryFormat::ChannelsLast3d);
      kernels::expand_channels(moved.data_ptr(), bias.data_ptr(), x.data_ptr(), shape, x.scalar_type() == at::kHalf,
                               out.data_ptr(), Launch(x));
      return out;
    }
  }
  const at::Tensor repeated = x.repeat_interleave(moved.size(1) / x.size(1), 1);
  return channels_to_space(moved + along_channels(bias, 5), frames) + channels_to_space(repeated, frames);
}

}  // namespace hunyuan_generate
