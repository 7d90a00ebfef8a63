// SPDX-License-Identifier: MIT
#include "model/fused.hpp"

#include <atomic>  // atomic

#if HUNYUAN_GENERATE_KERNELS
#include <c10/cuda/CUDAException.h>  // C10_CUDA_KERNEL_LAUNCH_CHECK
#include <c10/cuda/CUDAGuard.h>      // CUDAGuard
#include <c10/cuda/CUDAStream.h>     // getCurrentCUDAStream

#include "model/kernels.hpp"
#endif

namespace hunyuan_generate {
namespace {

std::atomic<bool>& switched_on() {
  static std::atomic<bool> on{true};
  return on;
}

}  // namespace

void use_kernels(bool used) noexcept { switched_on() = used; }

#if !HUNYUAN_GENERATE_KERNELS

bool kernels_built() noexcept { return false; }
bool kernels_used() noexcept { return false; }
bool kernels_take(const at::Tensor&) { return false; }

NormedSum add_rms_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight, double eps, Form form) {
  return twin::add_rms_norm(x, delta, weight, eps, form);
}
Rows gated_silu(const at::Tensor& packed, Form form, const at::Tensor&) { return twin::gated_silu(packed, form); }
std::vector<at::Tensor> rotate_norm_store(const at::Tensor& packed, const RotaryTable& rope, const QkNorm& norm,
                                          const LayerCache& cache, std::int64_t start,
                                          const std::vector<AttentionSegment>& segments) {
  return twin::rotate_norm_store(packed, rope, norm, cache, start, segments);
}
Rows heads_to_rows(const std::vector<at::Tensor>& mixed, Form form) { return twin::heads_to_rows(mixed, form); }
Chosen route(const at::Tensor& logits, const RouteRule& rule) { return twin::route(logits, rule); }
ExpertPlaces place_by_expert(const at::Tensor& index, std::int64_t experts) {
  return twin::place_by_expert(index, experts);
}
Rows gather(const Rows& rows, const at::Tensor& place, Form form, const at::Tensor&) {
  return twin::gather(rows, place, form);
}
at::Tensor combine(const at::Tensor& parts, const at::Tensor& place, const at::Tensor& weight, const at::Tensor& shared,
                   const at::Tensor& residual) {
  return twin::combine(parts, place, weight, shared, residual);
}
bool grid_kernels_take(const at::Tensor&) { return false; }
at::Tensor group_norm(const at::Tensor& x, const GroupNormRule& rule, const at::Tensor& scale_shift,
                      const at::Tensor& added) {
  return twin::group_norm(x, rule, scale_shift, added);
}
at::Tensor add_bias(const at::Tensor& a, const at::Tensor& b, const at::Tensor& bias) {
  return twin::add_bias(a, b, bias);
}
at::Tensor expand_channels(const at::Tensor& moved, const at::Tensor& bias, const at::Tensor& x, std::int64_t frames) {
  return twin::expand_channels(moved, bias, x, frames);
}

#else

namespace {

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

}  // namespace

bool kernels_built() noexcept { return true; }
bool kernels_used() noexcept { return switched_on(); }
bool kernels_take(const at::Tensor& x) { return switched_on() && x.is_cuda() && x.scalar_type() == at::kBFloat16; }

NormedSum add_rms_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight, double eps, Form form) {
  const std::int64_t width = x.size(-1);
  if (!kernels_take(x) || !good_width(width, form) || x.numel() == 0 || weight.scalar_type() != at::kBFloat16) {
    return twin::add_rms_norm(x, delta, weight, eps, form);
  }
  const at::Tensor in = x.contiguous(), added = delta.defined() ? delta.contiguous() : delta;
  NormedSum result{delta.defined() ? at::empty_like(in) : in, make_rows(in, in.sizes().vec(), form)};
  kernels::add_rms_norm(in.data_ptr(), pointer(added), result.sum.data_ptr(), weight.data_ptr(),
                        static_cast<float>(eps), out_of(result.normed), in.numel() / width, width, Launch(x));
  return result;
}

Rows gated_silu(const at::Tensor& packed, Form form, const at::Tensor& limit) {
  const std::int64_t width = packed.size(-1) / 2;
  if (!kernels_take(packed) || !good_width(width, form) || packed.numel() == 0) return twin::gated_silu(packed, form);
  const at::Tensor in = packed.contiguous();
  std::vector<std::int64_t> shape = in.sizes().vec();
  shape.back() = width;
  Rows rows = make_rows(in, shape, form);
  kernels::gated_silu(in.data_ptr(), out_of(rows), in.numel() / (2 * width), width, limit_of(limit), Launch(packed));
  return rows;
}

std::vector<at::Tensor> rotate_norm_store(const at::Tensor& packed, const RotaryTable& rope, const QkNorm& norm,
                                          const LayerCache& cache, std::int64_t start,
                                          const std::vector<AttentionSegment>& segments) {
  const std::int64_t batch = packed.size(0), tokens = packed.size(1), groups = packed.size(2);
  const std::int64_t group = packed.size(3) - 2, width = packed.size(4);
  const at::Tensor &keys = cache.keys, &values = cache.values;
  const bool good = kernels_take(packed) && packed.is_contiguous() && keys.is_contiguous() && values.is_contiguous() &&
                    keys.scalar_type() == at::kBFloat16 && kernels::head_fits(width) &&
                    norm.query.scalar_type() == at::kBFloat16 && rope.cos.size(0) == 1;
  if (!good) return twin::rotate_norm_store(packed, rope, norm, cache, start, segments);
  const at::Tensor cos = rope.cos.contiguous(), sin = rope.sin.contiguous();
  std::vector<at::Tensor> queries;
  for (const AttentionSegment& segment : segments) {
    queries.push_back(at::empty({batch, groups * group, segment.count, width}, packed.options()));
    const kernels::QkShape shape{batch, tokens, segment.start, segment.count,        groups,
                                 group, width,  keys.size(2),  start + segment.start};
    kernels::rotate_norm_store(packed.data_ptr(), cos.data_ptr<float>(), sin.data_ptr<float>(), norm.query.data_ptr(),
                               norm.key.data_ptr(), static_cast<float>(norm.eps), shape,
                               {queries.back().data_ptr(), keys.data_ptr(), values.data_ptr()}, Launch(packed));
  }
  return queries;
}

Rows heads_to_rows(const std::vector<at::Tensor>& mixed, Form form) {
  const at::Tensor& first = mixed.front();
  const std::int64_t batch = first.size(0), heads = first.size(1), width = first.size(3);
  if (!kernels_take(first) || !good_width(heads * width, form) || width % 8 != 0) {
    return twin::heads_to_rows(mixed, form);
  }
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

Chosen route(const at::Tensor& logits, const RouteRule& rule) {
  const std::int64_t tokens = logits.size(0);
  const bool good = switched_on() && logits.is_cuda() && logits.scalar_type() == at::kFloat && tokens > 0 &&
                    rule.experts <= kernels::most_experts && rule.choices <= kernels::most_choices &&
                    rule.choices <= rule.experts;
  if (!good) return twin::route(logits, rule);
  const at::Tensor in = logits.contiguous();
  Chosen chosen{at::empty({tokens, rule.choices}, in.options().dtype(at::kInt)),
                at::empty({tokens, rule.choices}, in.options())};
  kernels::route(
      in.data_ptr<float>(),
      {tokens, in.size(1) / rule.experts, rule.experts, rule.choices, rule.normalise, static_cast<float>(rule.scaling)},
      chosen.index.data_ptr<std::int32_t>(), chosen.weight.data_ptr<float>(), Launch(logits));
  return chosen;
}

ExpertPlaces place_by_expert(const at::Tensor& index, std::int64_t experts) {
  const bool good = switched_on() && index.is_cuda() && index.scalar_type() == at::kInt && index.is_contiguous() &&
                    index.numel() < (std::int64_t{1} << 31);
  if (!good) return twin::place_by_expert(index, experts);
  ExpertPlaces places{at::empty_like(index), at::empty({experts}, index.options())};
  kernels::place_by_expert(index.data_ptr<std::int32_t>(), index.numel(), experts,
                           places.place.data_ptr<std::int32_t>(), places.stops.data_ptr<std::int32_t>(), Launch(index));
  return places;
}

Rows gather(const Rows& rows, const at::Tensor& place, Form form, const at::Tensor& limit) {
  const std::int64_t width = rows.width(), tokens = place.size(0), choices = place.size(1);
  const at::Tensor& source = form.plain ? rows.plain : rows.small.values;
  const bool one_form = form.plain != form.small;
  const bool type = source.scalar_type() == (form.plain ? at::kBFloat16 : small_type());
  const bool good = switched_on() && source.is_cuda() && one_form && type && source.is_contiguous() && tokens > 0 &&
                    width % (form.small ? 16 : 8) == 0 && choices <= kernels::most_choices &&
                    place.scalar_type() == at::kInt && place.is_contiguous();
  if (!good) return twin::gather(rows, place, form);
  Rows out = make_rows(source, {tokens * choices, width}, form);
  const at::Tensor& to = form.plain ? out.plain : out.small.values;
  kernels::gather(source.data_ptr(), form.small ? rows.small.scale.data_ptr<float>() : nullptr,
                  place.data_ptr<std::int32_t>(), tokens, choices, width * source.element_size(), to.data_ptr(),
                  form.small ? out.small.scale.data_ptr<float>() : nullptr, limit_of(limit), Launch(source));
  return out;
}

at::Tensor combine(const at::Tensor& parts, const at::Tensor& place, const at::Tensor& weight, const at::Tensor& shared,
                   const at::Tensor& residual) {
  const std::int64_t width = parts.size(1), tokens = place.size(0), choices = place.size(1);
  const auto fits = [](const at::Tensor& x) {
    return !x.defined() || (x.scalar_type() == at::kBFloat16 && x.is_contiguous());
  };
  const bool good = kernels_take(parts) && parts.is_contiguous() && fits(shared) && fits(residual) && tokens > 0 &&
                    good_width(width, {}) && choices <= kernels::most_choices && place.scalar_type() == at::kInt &&
                    place.is_contiguous() && weight.is_contiguous() && weight.scalar_type() == at::kFloat;
  if (!good) return twin::combine(parts, place, weight, shared, residual);
  at::Tensor out = at::empty({tokens, width}, parts.options());
  kernels::combine(parts.data_ptr(), place.data_ptr<std::int32_t>(), weight.data_ptr<float>(), pointer(shared),
                   pointer(residual), tokens, choices, width, out.data_ptr(), Launch(parts));
  return out;
}

bool grid_kernels_take(const at::Tensor& x) {
  const bool sixteen = x.scalar_type() == at::kBFloat16 || x.scalar_type() == at::kHalf;
  if (!switched_on() || !x.is_cuda() || !sixteen || x.size(1) % 32 != 0 || x.size(1) > 4096) return false;
  return (x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast)) ||
         (x.dim() == 5 && x.is_contiguous(at::MemoryFormat::ChannelsLast3d));
}

at::Tensor group_norm(const at::Tensor& x, const GroupNormRule& rule, const at::Tensor& scale_shift,
                      const at::Tensor& added) {
  const bool good = grid_kernels_take(x) && (!added.defined() || added.scalar_type() == x.scalar_type());
  if (!good) return twin::group_norm(x, rule, scale_shift, added);
  const kernels::GroupNormShape shape{x.size(0), x.numel() / (x.size(0) * x.size(1)),
                                      x.size(1), static_cast<float>(rule.eps),
                                      rule.silu, x.scalar_type() == at::kHalf};
  const at::Tensor modulation =
      scale_shift.defined() ? scale_shift.to(at::kFloat).expand({x.size(0), -1}).contiguous() : scale_shift;
  at::Tensor out = at::empty_like(x);
  const at::Tensor work = at::empty({kernels::group_norm_work(shape)}, x.options().dtype(at::kDouble));
  kernels::group_norm(x.data_ptr(), pointer(added), rule.weight.data_ptr<float>(), rule.bias.data_ptr<float>(),
                      static_cast<const float*>(pointer(modulation)), shape, work.data_ptr<double>(), out.data_ptr(),
                      Launch(x));
  return out;
}

at::Tensor add_bias(const at::Tensor& a, const at::Tensor& b, const at::Tensor& bias) {
  const bool good = grid_kernels_take(a) && grid_kernels_take(b) && a.sizes() == b.sizes() &&
                    a.scalar_type() == b.scalar_type() && bias.scalar_type() == a.scalar_type();
  if (!good) return twin::add_bias(a, b, bias);
  at::Tensor out = at::empty_like(a);
  kernels::add_bias(a.data_ptr(), b.data_ptr(), bias.data_ptr(), a.numel() / a.size(1), a.size(1),
                    a.scalar_type() == at::kHalf, out.data_ptr(), Launch(a));
  return out;
}

at::Tensor expand_channels(const at::Tensor& moved, const at::Tensor& bias, const at::Tensor& x, std::int64_t frames) {
  // Not grid_kernels_take(moved): it has up to 8192 channels.
  const bool good = grid_kernels_take(x) && x.dim() == 5 && moved.is_contiguous(at::MemoryFormat::ChannelsLast3d) &&
                    moved.scalar_type() == x.scalar_type() && bias.scalar_type() == x.scalar_type() &&
                    moved.size(1) % (32 * frames) == 0 && moved.size(1) % x.size(1) == 0;
  if (!good) return twin::expand_channels(moved, bias, x, frames);
  const kernels::ExpandShape shape{x.size(0), x.size(2), x.size(3), x.size(4), frames, moved.size(1) / (4 * frames),
                                   x.size(1)};
  at::Tensor out = at::empty({shape.batch, shape.channels, shape.time * frames, 2 * shape.height, 2 * shape.width},
                             x.options(), at::MemoryFormat::ChannelsLast3d);
  kernels::expand_channels(moved.data_ptr(), bias.data_ptr(), x.data_ptr(), shape, x.scalar_type() == at::kHalf,
                           out.data_ptr(), Launch(x));
  return out;
}

#endif

}  // namespace hunyuan_generate
