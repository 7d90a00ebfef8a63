// SPDX-License-Identifier: MIT
// Each kernel against its ATen twin and its floor, and the products, at the published shape: two rows of 1024 x 1024.
#include "model/attention.hpp"
#include "tools/bench.hpp"

namespace hunyuan_generate {
namespace {

constexpr std::int64_t batch = 2, fed = 4097, length = 4225, hidden = 4096, width = 3072, experts = 64, choices = 8;
constexpr std::int64_t groups = 8, group = 4, head = 128, tokens = batch * fed, entries = tokens * choices;

double numbers(const at::Tensor& x) { return static_cast<double>(x.numel()); }

class KernelBench {
 public:
  explicit KernelBench(at::Device device)
      : options_(at::TensorOptions().dtype(at::kBFloat16).device(device)), ceilings_(measure_ceilings(device)) {}

  void run() {
    std::printf("%-32s %9s %9s %9s %9s %9s\n", "between the products", "MB", "kernel ms", "ATen ms", "floor ms",
                "GB/s");
    norms();
    attention_parts();
    mixture();
    group_norms();
    products();
  }

 private:
  at::Tensor random(c10::IntArrayRef shape) const { return at::randn(shape, options_); }

  void line(const char* name, double bytes, const std::function<void()>& call) {
    use_kernels(true);
    const double kernel = time_call(call);
    use_kernels(false);
    const double aten = time_call(call, 5);
    use_kernels(true);
    std::printf("%-32s %9.0f %9.4f %9.4f %9.4f %9.0f\n", name, bytes / 1e6, kernel, aten, 1e3 * bytes / ceilings_.copy,
                bytes / kernel / 1e6);
  }

  void norms() {
    const at::Tensor x = random({batch, fed, hidden}), delta = random({batch, fed, hidden}), gain = random({hidden});
    const double row = static_cast<double>(tokens) * hidden;
    line("rms norm", 4 * row, [&] { add_rms_norm(x, {}, gain, 1e-5, {true, false}); });
    line("rms norm to e4m3", 3 * row, [&] { add_rms_norm(x, {}, gain, 1e-5, {false, true}); });
    line("add, rms norm", 8 * row, [&] { add_rms_norm(x, delta, gain, 1e-5, {true, false}); });
    line("add, rms norm, and to e4m3", 9 * row, [&] { add_rms_norm(x, delta, gain, 1e-5, {true, true}); });
  }

  void attention_parts() {
    const at::Tensor packed = random({batch, fed, groups, group + 2, head});
    const at::Tensor angles = at::rand({1, fed, head}, options_.dtype(at::kFloat));
    const RotaryTable rope{angles.cos(), angles.sin()};
    const LayerCache cache{random({batch, groups, length, head}), random({batch, groups, length, head})};
    const QkNorm norm{random({head}), random({head}), 1e-5};
    std::vector<AttentionSegment> segments(2);
    segments[0].count = 1, segments[0].keys = 101;
    segments[1].start = 1, segments[1].count = fed - 1, segments[1].keys = length - 20;
    line("rotate, norm, store", 4 * numbers(packed),
         [&] { rotate_norm_store(packed, rope, norm, cache, 100, segments); });
    const auto queries = rotate_norm_store(packed, rope, norm, cache, 100, segments);
    const auto mixed = attention(queries, cache, segments);
    const double row = static_cast<double>(tokens) * hidden;
    line("heads to rows", 4 * row, [&] { heads_to_rows(mixed, {true, false}); });
    line("heads to rows in e4m3", 3 * row, [&] { heads_to_rows(mixed, {false, true}); });
    std::printf("%-32s %9s %9.4f ms\n", "attention", "", time_call([&] { attention(queries, cache, segments); }));
  }

  void mixture() {
    const double row = static_cast<double>(tokens) * hidden;
    const at::Tensor x = random({tokens, hidden}), shared = random({tokens, hidden}),
                     residual = random({tokens, hidden});
    const at::Tensor router = at::randn({experts, hidden}, options_.dtype(at::kFloat)) / 64;
    const at::Tensor parts = split_parts(router);
    const RouteRule rule{experts, choices, true, 1};
    std::printf("%-32s %9s %9.4f ms; in float32 %.4f ms, difference %.2g\n", "router's product", "",
                time_call([&] { (void)split_product(x, parts); }),
                time_call([&] { at::linear(x.to(at::kFloat), router); }),
                (split_product(x, parts).view({tokens, 3, experts}).sum(1) - at::linear(x.to(at::kFloat), router))
                    .abs()
                    .max()
                    .item<double>());
    const at::Tensor logits = split_product(x, parts);
    const Chosen chosen = route(logits, rule);
    const ExpertPlaces places = place_by_expert(chosen.index, experts);
    line("choose experts", 4 * numbers(logits), [&] { route(logits, rule); });
    line("places by expert", 8.0 * entries, [&] { place_by_expert(chosen.index, experts); });
    const Rows both{x, make_small(x)};
    line("gather", 2 * row * (1 + choices), [&] { gather(both, places.place, {true, false}); });
    line("gather e4m3", row * (1 + choices), [&] { gather(both, places.place, {false, true}); });
    {
      const at::Tensor packed = random({entries, 2 * width});
      line("gated silu", 6.0 * entries * width, [&] { gated_silu(packed, {true, false}); });
      line("gated silu to e4m3", 5.0 * entries * width, [&] { gated_silu(packed, {false, true}); });
    }
    const at::Tensor out = random({entries, hidden});
    line("weighted sum, shared, residual", 2 * row * (choices + 3),
         [&] { combine(out, places.place, chosen.weight, shared, residual); });
  }

  void group_norms() {
    for (const std::int64_t channels : {4096, 1024}) {
      const at::Tensor x = random({batch, channels, 64, 64}).contiguous(at::MemoryFormat::ChannelsLast);
      const at::Tensor modulation = random({1, 2 * channels}), gain = random({channels}).to(at::kFloat);
      const GroupNormRule rule{gain, gain, 1e-5, true};
      line(channels == 4096 ? "group norm, 4096 channels" : "group norm, 1024 channels", 6 * numbers(x),
           [&] { group_norm(x, rule, modulation); });
    }
  }

  void product(const char* name, const Rows& rows, at::Tensor weight, const at::Tensor& stops) {
    const double flop = 2 * numbers(rows.plain) * static_cast<double>(weight.size(-2));
    const double floor = 1e3 * flop / ceilings_.bf16, small_floor = 1e3 * flop / ceilings_.fp8;
    const Weight plain(weight, Precision::plain);
    const auto call = [&](const Weight& w) { return stops.defined() ? w.grouped(rows, stops) : w(rows); };
    const double bf16 = time_call([&] { call(plain); }, 10);
    if (rows.small.defined()) {
      Weight small(weight.dim() == 2 ? weight : weight.select(0, 0), Precision::fp8);
      if (weight.dim() == 3) small = Weight::stacked(weight, Precision::fp8);
      const double fp8 = time_call([&] { call(small); }, 10);
      std::printf("%-32s %9.4f %9.4f %9.0f %9.4f %9.4f %9.0f\n", name, bf16, floor, flop / bf16 / 1e9, fp8, small_floor,
                  flop / fp8 / 1e9);
    } else {
      std::printf("%-32s %9.4f %9.4f %9.0f\n", name, bf16, floor, flop / bf16 / 1e9);
    }
  }

  void products() {
    std::printf("ceilings: bf16 %.0f TFLOP/s, fp8 %.0f, copy %.0f GB/s\n", ceilings_.bf16 / 1e12, ceilings_.fp8 / 1e12,
                ceilings_.copy / 1e9);
    std::printf("%-32s %9s %9s %9s %9s %9s %9s\n", "products", "bf16 ms", "floor", "TFLOP/s", "fp8 ms", "floor",
                "TFLOP/s");
    const auto rows_of = [&](std::int64_t count, std::int64_t columns) {
      const at::Tensor x = random({count, columns});
      return Rows{x, make_small(x)};
    };
    const Rows x = rows_of(tokens, hidden);
    product("queries, keys, values", x, random({6144, hidden}), {});
    product("output", x, random({hidden, hidden}), {});
    product("shared gate and up", x, random({2 * width, hidden}), {});
    product("shared down", rows_of(tokens, width), random({hidden, width}), {});
    const at::Tensor stops = at::arange(1, experts + 1, options_.dtype(at::kInt)).mul(entries / experts);
    stops.select(0, experts - 1).fill_(entries);
    product("experts' gate and up", rows_of(entries, hidden), random({experts, 2 * width, hidden}), stops);
    product("experts' down", rows_of(entries, width), random({experts, hidden, width}), stops);
  }

  at::TensorOptions options_;
  Ceilings ceilings_;
};

}  // namespace

void bench_kernels(at::Device device) { KernelBench(device).run(); }

}  // namespace hunyuan_generate
