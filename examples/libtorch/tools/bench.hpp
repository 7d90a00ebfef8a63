// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_BENCH_HPP
#define HUNYUAN_GENERATE_BENCH_HPP

#include <ATen/ATen.h>  // Device

#include <cstdint>     // int64_t
#include <functional>  // function
#include <map>         // map
#include <memory>      // shared_ptr, unique_ptr
#include <string>      // string
#include <vector>      // vector

#include "pipeline/generator.hpp"
#include "tools/program.hpp"

namespace hunyuan_generate {

inline constexpr double gib = 1024.0 * 1024.0 * 1024.0;

struct BenchArguments {
  std::int32_t layers = 8, base = 1024, steps = 20, rounds = 3;
  std::int64_t hidden = 4096;
  std::string dtype = "both", out;
  bool max_base = false, only_best = false, whole = false, kernels = false, vae = false, error = false, tries = false;
  std::vector<at::Device> devices;
  std::shared_ptr<const Parallel> share = Parallel::alone();  // of this process
};

double median(std::vector<double> values);

/// Peak memory of a device since it was last reset.
inline double peak_gib(at::Device device) { return static_cast<double>(peak_memory(device)) / gib; }

/// Which halves of the autoencoder a configuration has.
enum class Coder { none, decoder, both };
/// The configuration of a published release with `layers` decoder layers of width `hidden`.
ModelConfig published_shape(std::int64_t layers, std::int64_t hidden, Coder coder);

/// Random weights with all that a request needs.
class RandomModel {
 public:
  /// `precision` is that of the decoder layers' products.
  RandomModel(const ModelConfig& config, const std::vector<at::Device>& devices, Precision precision,
              const std::shared_ptr<const Parallel>& share = Parallel::alone(), bool graph = true);
  RandomModel(const BenchArguments& arguments, Precision precision, Coder coder = Coder::none)
      : RandomModel(published_shape(arguments.layers, arguments.hidden, coder), arguments.devices, precision,
                    arguments.share) {}

  [[nodiscard]] const Generator& generator() const { return *generator_; }
  [[nodiscard]] const Folder& folder() const { return folder_; }
  /// A square picture of the base size.
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

/// What a step's kernels are for, by their names.
enum class KernelKind { product, attention, glue, copy, exchange };

// What LibTorch's profiler saw on the GPU between start and stop.
struct KernelTime {
  double busy = 0;       ///< seconds in which a kernel, copy or fill ran; overlaps count once
  double span = 0;       ///< seconds from the first one's start to the last one's end
  long long events = 0;  ///< their number; 0: nothing could be measured

  struct Kernel {
    double seconds = 0;
    long long count = 0;
  };
  std::map<std::string, Kernel> kernels;  ///< by name
  [[nodiscard]] Kernel sum(KernelKind kind) const;
  /// Prints the `most` kernels that took longest, per step of `steps`.
  void print_longest(std::size_t most, double steps) const;
};
/// Starts to record; one recording at a time.
void start_kernel_time();
/// Ends it.
KernelTime stop_kernel_time();

/// Each kernel and its twin at the published shape, with its bytes and floor; each product in bfloat16 and e4m3.
void bench_kernels(at::Device device);
/// The decoder of the autoencoder at full size.
void bench_vae(const BenchArguments& arguments);
/// Noise to PNG: 50 steps in two rows, then the distilled release's 8.
void bench_whole(const BenchArguments& arguments);
/// How far e4m3 products are from bfloat16 ones, by tensor and over a whole loop; false where a limit is exceeded.
bool bench_error(const BenchArguments& arguments);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_BENCH_HPP
