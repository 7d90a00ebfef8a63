// SPDX-License-Identifier: MIT
// Checks and measures the device code; writes JSON that report.py reads, and a short table at the end.
// Exit status 77 without a device, 1 where an answer is wrong or a call fails.
#include <cstring>

#include "common.hpp"

namespace hunyuan_reso_bench {
namespace {

void write_json(const char* path, const cudaDeviceProp& device, const std::vector<Measurement>& results) {
  std::FILE* file = std::fopen(path, "w");
  if (file == nullptr) {
    std::perror(path);
    std::exit(1);
  }
  std::fprintf(file, "{\n  \"context\": {\"processor\": \"%s\", \"compiler\": \"nvcc %d.%d\", \"flags\": \"%s\"},\n",
               device.name, __CUDACC_VER_MAJOR__, __CUDACC_VER_MINOR__, HUNYUAN_RESO_BENCH_FLAGS);
  std::fputs("  \"benchmarks\": [\n", file);
  bool is_first = true;
  for (const Measurement& result : results) {
    for (const float milliseconds : result.milliseconds) {
      const double seconds = static_cast<double>(milliseconds) / 1e3;
      std::fprintf(file,
                   "%s    {\"name\": \"%s/%s/%zu\", \"run_type\": \"iteration\", \"real_time\": %.9g, \"cpu_time\": "
                   "%.9g, \"time_unit\": \"ns\", \"items_per_second\": %.9g, \"bytes_per_second\": %.9g}",
                   is_first ? "" : ",\n", result.family.c_str(), result.variant.c_str(), result.size, seconds * 1e9,
                   seconds * 1e9, result.items / seconds, result.bytes / seconds);
      is_first = false;
    }
  }
  std::fputs("\n  ]\n}\n", file);
  if (std::fclose(file) != 0) {
    std::perror(path);
    std::exit(1);
  }
}

void print_table(const std::vector<Measurement>& results) {
  std::printf("%-24s %-16s %10s %9s %17s %8s\n", "family", "variant", "size", "median ms", "quartiles", "GB/s");
  for (const Measurement& result : results) {
    std::printf("%-24s %-16s %10zu %9.4f %8.4f %8.4f %8.0f\n", result.family.c_str(), result.variant.c_str(),
                result.size, static_cast<double>(result.median()), static_cast<double>(result.quantile(0.25)),
                static_cast<double>(result.quantile(0.75)), result.bytes / static_cast<double>(result.median()) / 1e6);
  }
}

const Measurement* find(const std::vector<Measurement>& results, const char* family, const char* variant) {
  for (const Measurement& result : results) {
    if (result.family == family && result.variant == variant) return &result;
  }
  return nullptr;
}

/// The time of a floor over the time of the library: the share of what is possible.
void print_share(const std::vector<Measurement>& results, const char* family, const char* floor) {
  const Measurement* library = find(results, family, "library");
  const Measurement* other = find(results, family, floor);
  if (library == nullptr || other == nullptr) return;
  std::printf("%s: %.1f %% of %s\n", family, 100.0 * static_cast<double>(other->median() / library->median()), floor);
}

}  // namespace
}  // namespace hunyuan_reso_bench

int main(int argc, char** argv) {
  using namespace hunyuan_reso_bench;
  const char* path = argc > 1 ? argv[1] : "cuda.json";
  const unsigned long bits = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 28;
  if (argc > 3 || bits < 20 || bits > 30) {
    std::fputs("usage: cuda_bench [FILE.json [LOG2_PAIRS]]   (20 .. 30, default 28)\n", stderr);
    return 2;
  }
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::fputs("no CUDA device\n", stderr);
    return 77;
  }
  cudaDeviceProp device{};
  check(cudaGetDeviceProperties(&device, 0), "cudaGetDeviceProperties");
  constexpr std::uint64_t seed = 20240229;

  std::vector<Measurement> results;
  measure_snap_batch(std::size_t{1} << bits, seed, results);
  std::printf("snap_batch: all answers of 2 x 2^%lu pairs equal the host's\n", bits);
  measure_rope(results);
  std::printf("rope: all positions equal the host's, all of the table within 5e-7\n");
  measure_mask(seed, results);
  std::printf("mask: all row sums within 2e-5 of binary64\n");

  write_json(path, device, results);
  print_table(results);
  for (const char* floor : {"floor_copy", "floor_memcpy", "floor_traffic"}) {
    print_share(results, "cuda_snap_batch", floor);
  }
  for (const char* floor : {"floor_fill", "floor_memset"}) print_share(results, "cuda_rope_table", floor);
  print_share(results, "cuda_mask", "floor_no_mask");
  // The same launches twice in every round, after different neighbours: the slower one counts.
  const float library = std::max(find(results, "cuda_snap_batch", "library")->median(),
                                 find(results, "cuda_snap_batch_again", "library")->median());
  const float copy = std::min(find(results, "cuda_snap_batch", "floor_copy")->median(),
                              find(results, "cuda_snap_batch", "floor_memcpy")->median());
  std::printf("target, 90 %% of the faster copy's bandwidth: %s (%.1f %%)\n", library * 0.9F <= copy ? "met" : "MISSED",
              100.0 * static_cast<double>(copy / library));
  return 0;
}
