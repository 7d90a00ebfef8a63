// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_BENCH_CUDA_COMMON_HPP
#define HUNYUAN_RESO_BENCH_CUDA_COMMON_HPP

#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace hunyuan_reso_bench {

/// Ends the program when a call of the runtime failed.
inline void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
  std::exit(1);
}

/// Ends the program when the device and the host do not agree.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "WRONG: %s\n", what);
  std::exit(1);
}

/// An array in the memory of the device.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t count) : count_(count) {
    check(cudaMalloc(reinterpret_cast<void**>(&data_), count * sizeof(T)), "cudaMalloc");
  }
  explicit DeviceArray(const std::vector<T>& from) : DeviceArray(from.size()) { upload(from); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray() { cudaFree(data_); }

  void upload(const std::vector<T>& from) {
    check(cudaMemcpy(data_, from.data(), from.size() * sizeof(T), cudaMemcpyHostToDevice), "upload");
  }
  [[nodiscard]] std::vector<T> download() const {
    std::vector<T> to(count_);
    check(cudaMemcpy(to.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost), "download");
    return to;
  }
  /// Fills every byte with a value that no right answer has.
  void poison(int byte) { check(cudaMemset(data_, byte, count_ * sizeof(T)), "poison"); }

  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  T* data_ = nullptr;
  std::size_t count_;
};

/// Calls work(begin, end) on all processors for disjoint parts of 0 .. count - 1.
template <class Work>
void on_all_processors(std::size_t count, Work work) {
  const std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::thread> running;
  for (std::size_t i = 0; i < threads; ++i) {
    running.emplace_back([=] { work(count * i / threads, count * (i + 1) / threads); });
  }
  for (std::thread& thread : running) thread.join();
}

/// The name family/variant/size, as report.py reads it, and the milliseconds of all repetitions.
struct Measurement {
  std::string family;
  std::string variant;
  std::size_t size = 0;
  double items = 0;
  double bytes = 0;  // read and written
  std::vector<float> milliseconds;

  [[nodiscard]] float median() const {
    std::vector<float> sorted = milliseconds;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
  [[nodiscard]] float quantile(double q) const {
    std::vector<float> sorted = milliseconds;
    std::sort(sorted.begin(), sorted.end());
    return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5)];
  }
};

/// Times `launch` with events, repetition by repetition, after some that are not counted.
template <class Launch>
std::vector<float> time_launches(Launch launch, int repetitions) {
  cudaEvent_t start = nullptr;
  cudaEvent_t stop = nullptr;
  check(cudaEventCreate(&start), "cudaEventCreate");
  check(cudaEventCreate(&stop), "cudaEventCreate");
  std::vector<float> milliseconds;
  for (int i = -5; i < repetitions; ++i) {
    check(cudaEventRecord(start), "cudaEventRecord");
    launch();
    check(cudaGetLastError(), "launch");
    check(cudaEventRecord(stop), "cudaEventRecord");
    check(cudaEventSynchronize(stop), "cudaEventSynchronize");
    float elapsed = 0;
    check(cudaEventElapsedTime(&elapsed, start, stop), "cudaEventElapsedTime");
    if (i >= 0) milliseconds.push_back(elapsed);
  }
  check(cudaEventDestroy(start), "cudaEventDestroy");
  check(cudaEventDestroy(stop), "cudaEventDestroy");
  return milliseconds;
}

/// Measures several launches in turn, round by round, so that a change in the device's state (its clocks, its
/// temperature) meets all of them.
class Rounds {
 public:
  void add(const char* family, const char* variant, std::size_t size, double items, double bytes,
           std::function<void()> launch) {
    launches_.push_back({{family, variant, size, items, bytes, {}}, std::move(launch)});
  }
  void run(std::vector<Measurement>& results, int rounds = 5, int repetitions = 10) {
    for (int round = 0; round < rounds; ++round) {
      for (auto& [measurement, launch] : launches_) {
        const std::vector<float> some = time_launches(launch, repetitions);
        measurement.milliseconds.insert(measurement.milliseconds.end(), some.begin(), some.end());
      }
    }
    for (auto& launch : launches_) results.push_back(std::move(launch.first));
    launches_.clear();
  }

 private:
  std::vector<std::pair<Measurement, std::function<void()>>> launches_;
};

/// Blocks that fill the device once, for kernels that go over their input in strides of the grid.
template <class Kernel>
int blocks_that_fill(Kernel kernel, int threads, std::size_t shared_bytes = 0) {
  int device = 0;
  int processors = 0;
  int blocks = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  check(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device), "cudaDeviceGetAttribute");
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, threads, shared_bytes), "occupancy");
  return processors * std::max(1, blocks);
}

/// splitmix64 at place `i` of its sequence: the same numbers in any number of threads.
inline std::uint64_t random_bits(std::uint64_t seed, std::uint64_t i) {
  std::uint64_t x = seed + (i + 1) * 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// The benchmarks; each checks its answers before it measures.
void measure_snap_batch(std::size_t count, std::uint64_t seed, std::vector<Measurement>& results);
void measure_rope(std::vector<Measurement>& results);
void measure_mask(std::uint64_t seed, std::vector<Measurement>& results);

}  // namespace hunyuan_reso_bench

#endif  // HUNYUAN_RESO_BENCH_CUDA_COMMON_HPP
