// SPDX-License-Identifier: MIT
// The kernels against their ATen twins, bit by bit where the arithmetic is the same, and e4m3 numbers against their
// definition. Without kernels or a GPU only the latter.
#include <cmath>  // ldexp

#include "model/fused.hpp"
#include "pipeline/devices.hpp"
#include "tests/test_support.hpp"

namespace hunyuan_generate {
namespace {

class FusedTest : TestReport {
 public:
  int run(bool cuda) {
    small_numbers();
    small_rows();
    if (!cuda || !kernels_built()) {
      std::printf("no kernels to compare: %s\n", kernels_built() ? "run with --cuda" : "built without them");
      return finish();
    }
    prepare_device(at::Device(at::kCUDA, 0));
    options_ = at::TensorOptions().dtype(at::kBFloat16).device(at::Device(at::kCUDA, 0));
    for (const std::int64_t width : {64, 48, 1024, 3072, 4096, 8192}) rows(width);
    for (const std::int64_t head : {16, 64, 128, 256}) heads(head);
    for (const auto& [experts, choices] :
         std::vector<std::pair<std::int64_t, std::int64_t>>{{8, 2}, {7, 3}, {64, 8}, {128, 8}, {200, 16}, {5, 1}}) {
      for (const std::int64_t tokens : {1, 37, 1500}) experts_of(experts, choices, tokens);
    }
    for (const std::int64_t channels : {32, 128, 1024, 4096}) group_norms(channels);
    grids();
    return finish();
  }

 private:
  // Every e4m3 number, and what lies between two of them: nearest, ties to even.
  void small_numbers() {
    std::vector<float> all{0};
    for (int code = 1; code < 0x7F; ++code) {
      const int exponent = code >> 3, mantissa = code & 7;
      all.push_back(exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -9)
                                  : std::ldexp(static_cast<float>(8 + mantissa), exponent - 10));
    }
    check(all.size() == 127 && all.back() == 448, "the largest is 448");
    std::vector<float> given, expected;
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
      const float low = all[i], high = all[i + 1], middle = (low + high) / 2;
      for (const auto& [x, y] : std::vector<std::pair<float, float>>{{low, low},
                                                                     {middle, i % 2 == 0 ? low : high},
                                                                     {std::nextafter(middle, low), low},
                                                                     {std::nextafter(middle, high), high}}) {
        given.push_back(x), expected.push_back(y);
        given.push_back(-x), expected.push_back(-y);
      }
    }
    // 448 as the largest of the row: scale 1.
    given.push_back(448), expected.push_back(448);
    const Small made = make_small(at::tensor(given));
    check(made.scale.item<float>() == 1, "a scale of 1");
    check(at::equal(made.values.to(at::kFloat), at::tensor(expected)), "rounding to e4m3");
  }

  void small_rows() {
    const at::Tensor x = at::randn({50, 64}) * at::pow(10, at::arange(-25, 25, at::kFloat) / 2).unsqueeze(1);
    const Small made = make_small(x);
    const at::Tensor back = value_of(made);
    const at::Tensor largest = x.abs().amax(-1, true);
    check(((back - x).abs() <= x.abs() * (1.0001 / 16) + largest / (448 * 1024)).all().item<bool>(),
          "half a step of three bits of mantissa, or half a step of the smallest numbers");
    const Small zeros = make_small(at::zeros({2, 32}));
    check(value_of(zeros).eq(0).all().item<bool>(), "zeros stay zeros");
    const Weight weight(at::randn({24, 64}), Precision::fp8);
    const at::Tensor y = at::randn({5, 64});
    const at::Tensor rounded = value_of(make_small(y));
    check((weight(y) - weight(rounded)).abs().max().item<double>() < 0.2, "a product of rounded numbers");
  }

  at::Tensor random(c10::IntArrayRef shape) const { return at::randn(shape, options_); }

  // `ulps` in bfloat16; 0: every bit.
  void same(const at::Tensor& kernel, const at::Tensor& twin, double ulps, const std::string& what) {
    if (!kernel.defined() && !twin.defined()) return;
    if (!check(kernel.defined() && twin.defined() && kernel.sizes() == twin.sizes(), what + ": shape")) return;
    const at::Tensor a = kernel.to(at::kFloat), b = twin.to(at::kFloat);
    if (ulps == 0) {
      check(at::equal(a, b), what + ": " + std::to_string(a.ne(b).sum().item<std::int64_t>()) + " differ");
      return;
    }
    const at::Tensor limit = b.abs() * (ulps / 128) + 1e-6;
    const auto far = (a - b).abs().gt(limit).logical_or(a.isfinite().logical_not()).sum().item<std::int64_t>();
    const auto different = a.ne(b).to(at::kFloat).mean().item<double>();
    check(far == 0 && different < 0.05,
          what + ": " + std::to_string(far) + " far off, share that differs " + std::to_string(different));
  }
  void same(const Rows& kernel, const Rows& twin, double ulps, const std::string& what) {
    same(kernel.plain, twin.plain, ulps, what);
    if (!twin.small.defined()) return;
    same(kernel.small.scale, twin.small.scale, ulps, what + ", scale");
    same(value_of(kernel.small), value_of(twin.small), ulps == 0 ? 0 : 16, what + ", e4m3");
  }

  // What a call gives without kernels.
  template <class Call>
  static auto twin(Call&& call) {
    use_kernels(false);
    const auto result = call();
    use_kernels(true);
    return result;
  }
  template <class Call>
  void same_as_twin(Call&& call, double ulps, const std::string& what) {
    same(call(), twin(call), ulps, what);
  }

  void rows(std::int64_t width) {
    const std::string name = " of width " + std::to_string(width);
    const at::Tensor x = random({3, 19, width}), delta = random({3, 19, width}), gain = random({width});
    for (const Form form : {Form{true, false}, Form{false, true}, Form{true, true}}) {
      same_as_twin([&] { return add_rms_norm(x, {}, gain, 1e-5, form).normed; }, 1, "norm" + name);
      const auto add = [&] { return add_rms_norm(x, delta, gain, 1e-5, form); };
      const NormedSum a = add(), b = twin(add), again = add();
      same(a.sum, b.sum, 0, "sum" + name);
      same(a.normed, b.normed, 1, "norm of a sum" + name);
      if (form.plain) check(at::equal(again.normed.plain, a.normed.plain), "the same bits again" + name);
      const at::Tensor packed = random({57, 2 * width});
      same_as_twin([&] { return gated_silu(packed, form); }, 0, "gated silu" + name);
    }
  }

  void heads(std::int64_t head) {
    const std::string name = " with heads of " + std::to_string(head);
    const std::int64_t batch = 2, tokens = 33, groups = 3, group = 2, start = 5, length = 45;
    const at::Tensor packed = random({batch, tokens, groups, group + 2, head});
    const at::Tensor angles = at::rand({1, tokens + 4, head}, options_.dtype(at::kFloat)) * 6;
    const RotaryTable rope = RotaryTable{angles.cos(), angles.sin()}.narrow(3, tokens);
    const QkNorm norm{random({head}), random({head}), 1e-5};
    std::vector<AttentionSegment> segments(2);
    segments[0].count = 2, segments[1].start = 2, segments[1].count = tokens - 2;
    const LayerCache a{random({batch, groups, length, head}), random({batch, groups, length, head})};
    const LayerCache b{a.keys.clone(), a.values.clone()};
    const auto stored = [&](const LayerCache& to) {
      return rotate_norm_store(packed, rope, norm, to, start, segments);
    };
    const auto kernel = stored(a), expected = twin([&] { return stored(b); });
    same(a.keys, b.keys, 1, "keys" + name);
    same(a.values, b.values, 0, "values" + name);
    for (std::size_t i = 0; i < segments.size(); ++i) same(kernel[i], expected[i], 1, "queries" + name);
    for (const Form form : {Form{true, false}, Form{false, true}}) {
      if (form.small && groups * group * head % 16 != 0) continue;
      same_as_twin([&] { return heads_to_rows(kernel, form); }, 0, "heads to rows" + name);
    }
  }

  void experts_of(std::int64_t experts, std::int64_t choices, std::int64_t tokens) {
    const std::string name = " of " + std::to_string(experts) + " experts, " + std::to_string(tokens) + " tokens";
    const std::int64_t width = 64;
    for (const std::int64_t parts : {1, 3}) {
      const at::Tensor logits = at::randn({tokens, parts * experts}, options_.dtype(at::kFloat));
      for (const bool normalise : {true, false}) {
        const auto choose = [&] { return route(logits, {experts, choices, normalise, 2.5}); };
        const Chosen a = choose(), b = twin(choose);
        same(a.index, b.index, 0, "chosen" + name);
        near(a.weight, b.weight, 1e-6, "weights" + name);
      }
    }
    const Chosen chosen = route(at::randn({tokens, experts}, options_.dtype(at::kFloat)), {experts, choices, true, 1});
    const auto sort = [&] { return place_by_expert(chosen.index, experts); };
    const ExpertPlaces a = sort(), b = twin(sort);
    same(a.place, b.place, 0, "places" + name);
    same(a.stops, b.stops, 0, "stops" + name);
    const at::Tensor x = random({tokens, width});
    const Rows both{x, make_small(x)};
    for (const Form form : {Form{true, false}, Form{false, true}}) {
      same_as_twin([&] { return gather(both, a.place, form); }, 0, "gathered" + name);
    }
    const at::Tensor out = random({tokens * choices, width}), shared = random({tokens, width});
    const at::Tensor residual = random({tokens, width});
    for (const at::Tensor& added : {shared, at::Tensor()}) {
      for (const at::Tensor& more : {residual, at::Tensor()}) {
        same_as_twin([&] { return combine(out, a.place, chosen.weight, added, more); }, 0, "combined" + name);
      }
    }
    at::Tensor weight = chosen.weight.clone();
    weight.select(0, 0).zero_();
    at::Tensor broken = out.clone();
    broken.index_fill_(0, a.place.select(0, 0).to(at::kLong), std::numeric_limits<double>::quiet_NaN());
    check(combine(broken, a.place, weight, shared, residual).isfinite().all().item<bool>(), "rows of weight 0" + name);
  }

  void group_norms(std::int64_t channels) {
    for (const at::ScalarType type : {at::kBFloat16, at::kHalf}) {
      const std::string name = " of " + std::to_string(channels) + " channels in " + c10::toString(type);
      const at::Tensor gain = random({channels}).to(at::kFloat), bias = random({channels}).to(at::kFloat);
      const at::Tensor flat = (random({2, channels, 9, 31}) * 3 + 1).to(type);
      const at::Tensor deep = random({1, channels, 3, 9, 31}).to(type);
      const at::Tensor last = flat.contiguous(at::MemoryFormat::ChannelsLast);
      const at::Tensor deep_last = deep.contiguous(at::MemoryFormat::ChannelsLast3d);
      for (const bool silu : {true, false}) {
        const auto norm = [&](const at::Tensor& x, const at::Tensor& modulation, const at::Tensor& added) {
          return group_norm(x, {gain, bias, 1e-6, silu}, modulation, added);
        };
        for (const at::Tensor& modulation : {at::Tensor(), random({1, 2 * channels}), random({2, 2 * channels})}) {
          const at::Tensor made = norm(last, modulation, {});
          check(made.scalar_type() == type && made.is_contiguous(at::MemoryFormat::ChannelsLast),
                "the kernel ran" + name);
          close(made, twin([&] { return norm(flat, modulation, {}); }), "group norm" + name);
        }
        const at::Tensor added = random({channels}).to(type);
        close(norm(last, {}, added), twin([&] { return norm(flat, {}, added); }), "with an addition" + name);
        close(norm(deep_last, {}, {}), twin([&] { return norm(deep, {}, {}); }), "group norm over frames" + name);
      }
    }
  }

  void grids() {
    const std::int64_t source = 64;
    // Whole numbers, so that no sum is rounded and every bit must agree.
    const auto whole = [&](c10::IntArrayRef shape) { return random(shape).mul(8).round(); };
    const auto grid = [&](std::int64_t channels) {
      return whole({1, channels, 3, 5, 7}).contiguous(at::MemoryFormat::ChannelsLast3d);
    };
    const at::Tensor x = grid(source), y = grid(source), bias = whole({source});
    same_as_twin([&] { return add_bias(x, y, bias); }, 0, "sum with a bias");
    for (const std::int64_t frames : {1, 2}) {
      for (const std::int64_t channels : {32, 64, 8}) {
        const std::int64_t all = 4 * frames * channels;
        if (all % source != 0) continue;
        const at::Tensor moved = grid(all), added = whole({all});
        same_as_twin([&] { return expand_channels(moved, added, x, frames); }, 0,
                     "into space, " + std::to_string(channels) + " channels, " + std::to_string(frames) + " frames");
      }
    }
  }

  void close(const at::Tensor& kernel, const at::Tensor& twin, const std::string& what) {
    const at::Tensor b = twin.to(at::kFloat);
    const at::Tensor limit = b.abs() / 128 + 1e-4;
    check((kernel.to(at::kFloat) - b).abs().le(limit).all().item<bool>(), what);
  }

  at::TensorOptions options_;
};

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  const bool cuda = count > 1 && std::string(values[1]) == "--cuda";
  return hunyuan_generate::run_test("hunyuan-generate-fused-test",
                                    [&] { return hunyuan_generate::FusedTest().run(cuda); });
}
