// SPDX-License-Identifier: MIT
// The same questions to a kernel and to the host, answer by answer: all sizes up to 2048 a side, sizes around every
// threshold up to the longest sides, random ones, and sizes that are none.
//
//   nvcc -std=c++17 -O2 -arch=sm_90 -Iinclude tests/cuda/device_answers.cu -o device_answers && ./device_answers
//
// The last line sums up. Exit status: 0 where all agree, 1 where one differs or CUDA fails, 77 (skipped) without a
// device.
#include <cuda_runtime.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "answer.hpp"
#include "enlargement_questions.hpp"
#include "questions.hpp"
#include "sizes.hpp"

namespace hunyuan_reso_test {
namespace {

constexpr unsigned threads_per_block = 128;

void require(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(status));
  std::exit(1);
}

/// An array in device memory.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t count) {
    require(cudaMalloc(reinterpret_cast<void**>(&data_), count * sizeof(T)), "cudaMalloc");
  }
  ~DeviceArray() { require(cudaFree(data_), "cudaFree"); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() const { return data_; }
  void copy_from(const T* source, std::size_t count) {
    require(cudaMemcpy(data_, source, count * sizeof(T), cudaMemcpyHostToDevice), "cudaMemcpy to the device");
  }
  void copy_to(T* target, std::size_t count) const {
    require(cudaMemcpy(target, data_, count * sizeof(T), cudaMemcpyDeviceToHost), "cudaMemcpy from the device");
  }

 private:
  T* data_ = nullptr;
};

/// The model travels by value, the table through shared memory. `whole` is for a single size: its answer in full.
template <class Question>
__global__ void ask_all(const __grid_constant__ hr::Model model, const hr::SnapTable* table,
                        const hr::Resolution* sizes, std::size_t count, std::uint64_t* digests, Answer* whole) {
  __shared__ hr::SnapTable shared;
  if (threadIdx.x == 0) shared = *table;
  __syncthreads();
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= count) return;
  Answer answer;
  Question::ask(model, shared, sizes[i], answer);
  digests[i] = answer.digest();
  if (whole != nullptr) *whole = answer;
}

/// A kind of questions: how the host is asked, and how the device.
struct Family {
  const char* name;
  void (*ask_host)(const hr::Model&, const hr::SnapTable&, hr::Resolution, Answer&);
  void (*ask_device)(hr::Model, const hr::SnapTable*, const hr::Resolution*, std::size_t, std::uint64_t*, Answer*);
};
template <class Question>
constexpr Family family_of() {
  return {Question::name, Question::ask, ask_all<Question>};
}

/// Asked for sizes, and for specifications of groups.
const Family families[] = {family_of<Snapping>(),
                           family_of<ConstantModel>(),
                           family_of<Tokens>(),
                           family_of<GeneratedImages>(),
                           family_of<ConditioningImages>(),
                           family_of<Geometry>(),
                           family_of<Presets>(),
                           family_of<Rope>(),
                           family_of<Attention>(),
                           family_of<Logits>(),
                           family_of<TextStages>(),
                           family_of<Schedules>(),
                           family_of<Tiles>(),
                           family_of<RescaledRope>()};
const Family building_families[] = {family_of<Building>(), family_of<OwnRows>()};

/// Compares the device's answers with the host's, and counts.
class Comparison {
 public:
  explicit Comparison(const hr::Model& model)
      : model_(model), table_(*hr::SnapTable::create(model.group)), device_table_(1) {
    device_table_.copy_from(&table_, 1);
  }

  void run(const Family& family, const std::vector<hr::Resolution>& sizes) {
    const std::vector<std::uint64_t> digests = ask_device(family, sizes);
    std::size_t differing = 0;
    for (const std::size_t i : differing_places(family, sizes, digests)) {
      if (differing++ < 3) print_difference(family, sizes[i]);
    }
    std::printf("%-30s %-16s base size %5d: %8zu sizes, %zu differences\n", family.name, model_.profile.name,
                static_cast<int>(model_.group.base_size()), sizes.size(), differing);
    asked_ += sizes.size();
    differences_ += differing;
  }

  [[nodiscard]] std::size_t asked() const { return asked_; }
  [[nodiscard]] std::size_t differences() const { return differences_; }

 private:
  std::vector<std::uint64_t> ask_device(const Family& family, const std::vector<hr::Resolution>& sizes,
                                        Answer* whole = nullptr) const {
    DeviceArray<hr::Resolution> device_sizes(sizes.size());
    DeviceArray<std::uint64_t> device_digests(sizes.size());
    device_sizes.copy_from(sizes.data(), sizes.size());
    const auto blocks = static_cast<unsigned>((sizes.size() + threads_per_block - 1) / threads_per_block);
    family.ask_device<<<blocks, threads_per_block>>>(model_, device_table_.data(), device_sizes.data(), sizes.size(),
                                                     device_digests.data(), whole);
    require(cudaGetLastError(), family.name);
    require(cudaDeviceSynchronize(), family.name);
    std::vector<std::uint64_t> digests(sizes.size());
    device_digests.copy_to(digests.data(), sizes.size());
    return digests;
  }

  /// The host is asked on all processors.
  std::vector<std::size_t> differing_places(const Family& family, const std::vector<hr::Resolution>& sizes,
                                            const std::vector<std::uint64_t>& digests) const {
    const std::size_t count = std::thread::hardware_concurrency() > 1 ? std::thread::hardware_concurrency() : 1;
    std::vector<std::vector<std::size_t>> found(count);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < count; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = t; i < sizes.size(); i += count) {
          Answer answer;
          family.ask_host(model_, table_, sizes[i], answer);
          if (answer.digest() != digests[i]) found[t].push_back(i);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    std::vector<std::size_t> all;
    for (const std::vector<std::size_t>& some : found) all.insert(all.end(), some.begin(), some.end());
    return all;
  }

  /// Both answers, number by number.
  void print_difference(const Family& family, hr::Resolution size) const {
    const DeviceArray<Answer> device_answer(1);
    ask_device(family, {size}, device_answer.data());
    Answer device;
    device_answer.copy_to(&device, 1);
    Answer host;
    family.ask_host(model_, table_, size, host);
    std::printf("  height %d, width %d:\n", static_cast<int>(size.height), static_cast<int>(size.width));
    for (int i = 0; i < host.count(); ++i) {
      if (host[i] == device[i]) continue;
      std::printf("    number %d: host %" PRId64 ", device %" PRId64 "\n", i, host[i], device[i]);
    }
  }

  hr::Model model_;
  hr::SnapTable table_;
  DeviceArray<hr::SnapTable> device_table_;
  std::size_t asked_ = 0;
  std::size_t differences_ = 0;
};

hr::Model with_conditioning(hr::Model model, const char* name, hr::ConditioningImageType type,
                            hr::ConditioningAttention attention) {
  model.profile.name = name;
  model.profile.conditioning_image_type = type;
  model.profile.conditioning_attention = attention;
  return model;
}

/// Published models, and models with what those do not have: other ways to attend, a ratio token of one's own, rows so
/// close that no threshold decides, rows of one's own, no rows.
std::vector<hr::Model> models() {
  using Type = hr::ConditioningImageType;
  using Attention = hr::ConditioningAttention;
  const hr::Model base = hr::model_for<hr::profiles::base>;
  const hr::Model instruct = hr::model_for<hr::profiles::instruct>;
  const auto distil = hr::Model::create(hr::profiles::instruct_distil, 1536, hr::ExtraScaling::scaled);
  const auto panorama = hr::Model::create(*hr::profiles::panorama.with_ratio_token_id(37, 131000), 2048);
  std::vector<hr::Model> all = {base, instruct, *distil, *panorama};
  all.push_back(with_conditioning(base, "full, vae", Type::vae, Attention::full));
  all.push_back(with_conditioning(instruct, "full causal", Type::vae_vit, Attention::full_causal));

  hr::Model close = with_conditioning(base, "close rows", Type::vit, Attention::causal);
  const hr::Resolution close_rows[] = {{768, 1344}, {1000001, 1000000}, {1024, 1024}, {1000000, 999999}};
  close.group = *hr::ResolutionGroup::from_rows(close_rows, 4);
  all.push_back(close);

  hr::Model own = instruct;
  own.profile.name = "rows of one's own";
  const hr::Resolution own_rows[] = {{1024, 1024}, {1536, 640}, {640, 1536}, {768, 1344}, {512, 512}, {1344, 768}};
  own.group = *hr::ResolutionGroup::from_rows(own_rows, 6);
  all.push_back(own);

  hr::Model none = instruct;
  none.profile.name = "no rows";
  none.group = *hr::ResolutionGroup::from_rows(own_rows, 0);
  all.push_back(none);
  return all;
}

}  // namespace
}  // namespace hunyuan_reso_test

int main() {
  using namespace hunyuan_reso_test;
  int device_count = 0;
  const cudaError_t status = cudaGetDeviceCount(&device_count);
  if (status == cudaErrorNoDevice || status == cudaErrorInsufficientDriver || device_count == 0) {
    std::printf("skipped: no CUDA device (%s)\n", cudaGetErrorString(status));
    return 77;
  }
  require(status, "cudaGetDeviceCount");
  cudaDeviceProp properties;
  require(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  std::printf("device: %s\n", properties.name);

  const std::vector<hr::Resolution> small = all_sizes(2048);
  const std::vector<hr::Resolution> specs = group_specs();
  std::size_t asked = 0;
  std::size_t differences = 0;
  std::size_t model_count = 0;
  for (const hr::Model& model : models()) {
    Comparison comparison(model);
    const HardSizes hard(model.group);
    for (const Family& family : families) {
      comparison.run(family, small);
      comparison.run(family, hard.all());
    }
    for (const Family& family : building_families) comparison.run(family, specs);
    asked += comparison.asked();
    differences += comparison.differences();
    ++model_count;
  }
  const std::size_t family_count =
      sizeof(families) / sizeof(families[0]) + sizeof(building_families) / sizeof(building_families[0]);
  std::printf("SUMMARY: %s: %zu families of questions, %zu models, %zu answers compared, %zu differences\n",
              differences == 0 ? "device and host agree" : "DEVICE AND HOST DIFFER", family_count, model_count, asked,
              differences);
  return differences == 0 ? 0 : 1;
}
