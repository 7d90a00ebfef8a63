// SPDX-License-Identifier: MIT
#include "model/products.hpp"

#include <torch/version.h>  // TORCH_VERSION_MAJOR

#include "adapter/error.hpp"

#if HUNYUAN_GENERATE_CUDA
#include <ATen/cuda/CUDAContext.h>  // getDeviceProperties
#endif

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 8)
#define HUNYUAN_GENERATE_HAS_GROUPED_MM 1
#else
#define HUNYUAN_GENERATE_HAS_GROUPED_MM 0
#endif
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 1)
#define HUNYUAN_GENERATE_HAS_E4M3 1
#else
#define HUNYUAN_GENERATE_HAS_E4M3 0
#endif

namespace hunyuan_generate {
namespace {

constexpr double e4m3_largest = 448, smallest = 1e-12;

// float32 numbers up to 448 rounded to e4m3.
at::Tensor to_e4m3(const at::Tensor& x) {
#if HUNYUAN_GENERATE_HAS_E4M3
  return x.to(at::kFloat8_e4m3fn);
#else
  // Steps of 2^(e - 3) in the binade of 2^e; below 2^-6 the step stays.
  const at::Tensor exponent = std::get<1>(at::frexp(x)).sub(1).clamp_min(-6);
  const at::Tensor step = at::ldexp(at::ones_like(x), exponent.sub(3));
  return x.div(step).round_().mul_(step).to(at::kBFloat16);
#endif
}

// e4m3 numbers from their bytes.
at::Tensor from_bytes(const at::Tensor& bytes) {
#if HUNYUAN_GENERATE_HAS_E4M3
  return bytes.view(at::kFloat8_e4m3fn);
#else
  if (bytes.is_meta()) return at::empty_like(bytes, bytes.options().dtype(at::kBFloat16));
  const at::Tensor code = at::arange(256, bytes.options().dtype(at::kInt));
  const at::Tensor exponent = code.div(8, "floor").remainder(16), mantissa = code.remainder(8).to(at::kFloat);
  // m 2^-9 where the exponent is 0, else (8 + m) 2^(e - 10).
  const at::Tensor size = at::ldexp(mantissa + exponent.gt(0) * 8, exponent.clamp_min(1).sub(10));
  const at::Tensor values = at::where(code.ge(128), -size, size).to(at::kBFloat16);
  return values.index_select(0, bytes.reshape({-1}).to(at::kInt)).view(bytes.sizes());
#endif
}

void require_sixteens(const at::Tensor& values) {
  if (values.is_cuda() && (values.size(-2) % 16 != 0 || values.size(-1) % 16 != 0)) {
    throw Error("fp8: a weight of " + shape_text(values.sizes()) + "; on a GPU both must be multiples of 16");
  }
}

}  // namespace

at::ScalarType small_type() noexcept {
#if HUNYUAN_GENERATE_HAS_E4M3
  return at::kFloat8_e4m3fn;
#else
  return at::kBFloat16;
#endif
}

Small make_small(const at::Tensor& x) {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor largest = wide.abs().amax(-1, /*keepdim=*/true).clamp_min_(smallest);
  const at::Tensor scaled = wide.mul(at::full_like(largest, e4m3_largest).div_(largest));
  return {to_e4m3(scaled.clamp_(-e4m3_largest, e4m3_largest)), largest.mul(1 / e4m3_largest).squeeze(-1)};
}

at::Tensor value_of(const Small& x) { return x.values.to(at::kFloat).mul_(x.scale.unsqueeze(-1)); }

bool grouped_available() noexcept { return HUNYUAN_GENERATE_HAS_GROUPED_MM != 0; }

bool small_products([[maybe_unused]] at::Device device) {
#if HUNYUAN_GENERATE_CUDA
  if (!device.is_cuda() || !grouped_available()) return false;
  const auto* properties = at::cuda::getDeviceProperties(device.index());
  if (properties->major == 9 && properties->minor == 0) return true;
#endif
  return false;
}

Weight::Weight(at::Tensor values, Precision precision) : type_(values.scalar_type()) {
  if (precision == Precision::plain) {
    plain_ = std::move(values);
  } else {
    require_sixteens(values);
    small_ = make_small(values);
  }
}

Weight::Weight(const WeightLoader& loader, const std::string& name, c10::IntArrayRef shape, Precision precision) {
  if (!loader.is_quantised(name)) {
    *this = Weight(loader.tensor(name, shape), precision);
    return;
  }
  const WeightLoader::Quantised stored = loader.quantised(name, shape);
  type_ = loader.dtype();
  small_ = {from_bytes(stored.bytes), stored.scale};
  if (precision == Precision::plain) {
    plain_ = value_of(small_).to(type_);
    small_ = {};
  } else {
    require_sixteens(small_.values);
  }
}

Weight Weight::stacked(const WeightLoader& loader, const std::string& name, std::int64_t count, c10::IntArrayRef shape,
                       Precision precision) {
  if (!loader.is_quantised("0." + name)) return stacked(loader.stacked(name, count, shape), precision);
  const Share& share = loader.parallel()->tensor;
  const std::int64_t part = share.part(count, "experts"), first = share.index * part;
  Weight all;
  for (std::int64_t i = 0; i < part; ++i) {
    const Weight one(loader, std::to_string(first + i) + "." + name, shape, precision);
    const auto put = [&](at::Tensor& into, const at::Tensor& from) {
      if (!from.defined()) return;
      std::vector<std::int64_t> sizes = from.sizes().vec();
      sizes.insert(sizes.begin(), part);
      if (!into.defined()) into = at::empty(sizes, from.options());
      into.select(0, i).copy_(from);
    };
    all.type_ = one.type_;
    put(all.plain_, one.plain_);
    put(all.small_.values, one.small_.values);
    put(all.small_.scale, one.small_.scale);
  }
  return all;
}

Weight Weight::stacked(const at::Tensor& values, Precision precision) {
  if (precision == Precision::plain) return {values, precision};
  Weight all;
  all.type_ = values.scalar_type();
  all.small_ = {at::empty(values.sizes(), values.options().dtype(small_type())),
                at::empty(values.sizes().slice(0, 2), values.options().dtype(at::kFloat))};
  for (std::int64_t i = 0; i < values.size(0); ++i) {
    const Small one = make_small(values.select(0, i));
    all.small_.values.select(0, i).copy_(one.values);
    all.small_.scale.select(0, i).copy_(one.scale);
  }
  return all;
}

at::Tensor Weight::operator()(const Rows& rows) const {
  if (!is_small()) return at::linear(rows.plain.reshape({-1, rows.width()}).to(type_), plain_);
  const Small x = rows.small.defined() ? rows.small : make_small(rows.plain.reshape({-1, rows.width()}));
#if HUNYUAN_GENERATE_HAS_GROUPED_MM
  if (small_products(x.values.device())) {
    return at::_scaled_mm(x.values, small_.values.t(), x.scale.unsqueeze(1), small_.scale.unsqueeze(0), {}, {}, type_,
                          /*use_fast_accum=*/true);
  }
#endif
  return at::linear(value_of(x), value_of(small_)).to(type_);
}

at::Tensor Weight::operator()(const at::Tensor& x) const {
  if (!is_small()) return at::linear(x.to(type_), plain_);
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = outputs();
  return (*this)(Rows{x, {}}).view(shape);
}

at::Tensor Weight::grouped([[maybe_unused]] const Rows& rows, [[maybe_unused]] const at::Tensor& stops) const {
#if HUNYUAN_GENERATE_HAS_GROUPED_MM
  if (!is_small()) return at::_grouped_mm(rows.plain, plain_.transpose(1, 2), stops);
  return at::_scaled_grouped_mm(rows.small.values, small_.values.transpose(1, 2), rows.small.scale, small_.scale, stops,
                                {}, {}, type_, /*use_fast_accum=*/true);
#else
  throw Error("grouped expert products need LibTorch 2.8 or later");
#endif
}

Weight Weight::select(std::int64_t expert) const {
  Weight one;
  one.type_ = type_;
  if (is_small()) {
    one.small_ = {small_.values.select(0, expert), small_.scale.select(0, expert)};
  } else {
    one.plain_ = plain_.select(0, expert);
  }
  return one;
}

std::vector<at::Tensor*> tensors_of(std::initializer_list<Weight*> weights) {
  std::vector<at::Tensor*> all;
  for (Weight* weight : weights) {
    for (at::Tensor* tensor : {&weight->plain_, &weight->small_.values, &weight->small_.scale}) {
      if (tensor->defined()) all.push_back(tensor);
    }
  }
  return all;
}

at::Tensor split_product(const at::Tensor& x, const at::Tensor& parts) {
#if HUNYUAN_GENERATE_HAS_GROUPED_MM
  return at::mm(x, parts.t(), at::kFloat);
#else
  return at::linear(x.to(at::kFloat), parts.to(at::kFloat));
#endif
}

at::Tensor split_parts(const at::Tensor& w) {
  if (!grouped_available() || !w.is_cuda()) return {};
  std::vector<at::Tensor> parts;
  at::Tensor rest = w.to(at::kFloat);
  for (int i = 0; i < 3; ++i) {
    parts.push_back(rest.to(at::kBFloat16));
    rest = rest - parts.back().to(at::kFloat);
  }
  return at::cat(parts);
}

}  // namespace hunyuan_generate
