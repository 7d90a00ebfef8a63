// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_BENCH_HPP
#define HUNYUAN_GENERATE_BENCH_HPP

#include <ATen/ATen.h>  // Device

#include <cstdint>     // int64_t
#include <functional>  // function
#include <memory>      // shared_ptr, unique_ptr
#include <string>      // string
#include <vector>      // vector

#include "pipeline/generator.hpp"
#include "tools/kernel_time.hpp"

namespace hunyuan_generate {

inline constexpr double gib = 1024.0 * 1024.0 * 1024.0;

struct BenchArguments {
  std::int32_t layers = 8, base = 1024, steps = 20, rounds = 3;
  std::int64_t hidden = 4096;
  std::string devices = "0", dtype = "both", out;
  bool max_base = false, only_best = false, whole = false, kernels = false, vae = false, error = false, tries = false;
  std::string parallel;                                       // tpN, cfgN, tpNcfgM
  std::shared_ptr<const Parallel> share = Parallel::alone();  // of this process
};

double now();
double median(std::vector<double> values);

/// The configuration of a published release with random weights: its decoder layers at `layers` and `hidden`.
ModelConfig published_shape(const BenchArguments& arguments, bool distilled, bool decoder);

/// Random weights with all that a request needs.
class RandomModel {
 public:
  /// `precision` is that of the decoder layers' products.
  RandomModel(const BenchArguments& arguments, const std::vector<at::Device>& devices, Precision precision,
              bool distilled = false, bool decoder = false);

  [[nodiscard]] const Generator& generator() const { return *generator_; }
  [[nodiscard]] const Folder& folder() const { return folder_; }
  [[nodiscard]] Request request(std::int32_t base, std::int32_t steps) const;
  /// Without the limits of the sequence, which are the plan's business: the loop itself is to run as far as it can.
  [[nodiscard]] std::unique_ptr<Denoiser> denoiser(const Request& request, const ComputeOptions& compute) const;
  [[nodiscard]] double seconds() const { return seconds_; }

 private:
  Folder folder_, open_;
  Checkpoint checkpoint_;
  RunOptions run_;
  std::unique_ptr<Generator> generator_;
  double seconds_ = 0;  // to make it
};

/// What a card can do, measured: FLOP/s of a product of two 8192 x 8192 matrices, bytes read and written by a copy.
struct Ceilings {
  double bf16 = 0, fp8 = 0, copy = 0;
};
Ceilings measure_ceilings(at::Device device);

/// What one later step must compute and move.
struct StepWork {
  double products = 0, attention = 0, other_products = 0;  ///< FLOP: of the layers, their attention, all else
  double glue = 0;                                         ///< bytes between the products
};
StepWork work_of_step(const ModelConfig& config, std::int64_t rows, std::int64_t grid, std::int64_t keys, bool small);

/// Median milliseconds of a call on the device's current stream.
double time_call(const std::function<void()>& call, int repeats = 20);

/// Each kernel and its twin at the published shape, with its bytes and floor; each product in bfloat16 and e4m3.
void bench_kernels(at::Device device);
/// The decoder of the autoencoder at full size.
void bench_vae(const BenchArguments& arguments, at::Device device);
/// Noise to PNG: 50 steps in two rows, then the distilled release's 8.
void bench_whole(const BenchArguments& arguments, const std::vector<at::Device>& devices);
/// How far e4m3 products are from bfloat16 ones, by tensor and over a whole loop; false where a limit is exceeded.
bool bench_error(const BenchArguments& arguments, const std::vector<at::Device>& devices);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_BENCH_HPP
