// SPDX-License-Identifier: MIT
// The same questions to a kernel and to the host, answer by answer: all sizes up to 2048 a side, sizes around every
// threshold up to the longest sides, random ones, and sizes that are none.
//
//   nvcc -std=c++17 -O2 -arch=sm_90 -Iinclude tests/cuda/device_answers.cu -o device_answers && ./device_answers
//
// Exit status: 0 where all agree, 1 where one differs or CUDA fails, 77 (skipped) without a device.
#include <cuda_runtime.h>

#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <hunyuan_reso/hunyuan_reso.hpp>
#include <thread>
#include <vector>

namespace hr = hunyuan_reso;

namespace {

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

/// What a question answers for one size, as numbers in a row.
class Answer {
 public:
  static constexpr int capacity = 64;

  template <class T>
  HUNYUAN_RESO_HD void add(T value) {
    if (count_ < capacity) values_[count_++] = static_cast<std::int64_t>(value);
  }
  HUNYUAN_RESO_HD void add(hr::Resolution size) {
    add(size.height);
    add(size.width);
  }
  HUNYUAN_RESO_HD void add(double value) {
    std::int64_t bits = 0;
    memcpy(&bits, &value, sizeof(bits));
    add(bits);
  }
  template <class T>
  HUNYUAN_RESO_HD void add_error(const hr::Result<T>& result) {
    add(static_cast<int>(result.error()));
    add(result.position());
  }

  /// FNV-1a over the numbers: small enough to bring back for every size.
  HUNYUAN_RESO_HD std::uint64_t digest() const {
    std::uint64_t state = 0xCBF29CE484222325u;
    for (int i = 0; i < count_; ++i) {
      for (int shift = 0; shift < 64; shift += 8) {
        state = (state ^ (static_cast<std::uint64_t>(values_[i]) >> shift & 0xFF)) * 0x100000001B3u;
      }
    }
    return state;
  }
  int count() const { return count_; }
  std::int64_t operator[](int i) const { return values_[i]; }

 private:
  std::int64_t values_[capacity]{};
  int count_ = 0;
};

HUNYUAN_RESO_HD void add_image(Answer& answer, const hr::Result<hr::ImageInfo>& info) {
  answer.add_error(info);
  answer.add(info->image_size());
  answer.add(info->token_height);
  answer.add(info->token_width);
  answer.add(info->image_token_length);
  answer.add(info->base_size);
  answer.add(info->ratio_index);
  answer.add(info->add_timestep_token | info->add_guidance_token << 1 | info->add_timestep_r_token << 2 |
             info->use_front_boi_token << 3 | info->add_image_shape_token << 4);
  answer.add(info->requested);
  answer.add(static_cast<int>(info->grid_mode));
  answer.add(info->trained.base_size | info->trained.grid << 1 | info->trained.ratio_token << 2);
}

HUNYUAN_RESO_HD void add_crop(Answer& answer, const hr::Result<hr::ResizeCrop>& crop) {
  answer.add_error(crop);
  answer.add(crop->resized_height);
  answer.add(crop->resized_width);
  answer.add(crop->crop_top);
  answer.add(crop->crop_left);
}

HUNYUAN_RESO_HD void add_alignment(Answer& answer, const hr::Result<hr::OutputAlignment>& alignment) {
  answer.add_error(alignment);
  answer.add(alignment->resize);
  answer.add(alignment->height);
  answer.add(alignment->width);
  answer.add(alignment->conditioning_index);
}

/// The nearest row, in every spelling.
struct Snapping {
  static constexpr const char* name = "snapping";
  HUNYUAN_RESO_HD static Answer ask(const hr::ResolutionGroup& group, const hr::ModelProfile&, hr::Resolution size) {
    Answer answer;
    answer.add(group.nearest_index(size.width, size.height));
    answer.add(group.get_target_size(size.width, size.height));
    answer.add(group.get_base_size_and_ratio_index(size.width, size.height).ratio_index);
    answer.add(group.snap({size.width, size.height}));
    answer.add(hr::snap_or_invalid(group, size.width, size.height));
    answer.add(size.ratio());
    return answer;
  }
};

/// A table that is a constant of the kernel.
struct LocalTable {
  static constexpr const char* name = "a constexpr table in the kernel";
  HUNYUAN_RESO_HD static Answer ask(const hr::ResolutionGroup&, const hr::ModelProfile&, hr::Resolution size) {
    constexpr hr::ResolutionGroup table = hr::group_for<hr::profiles::instruct, 2048>;
    Answer answer;
    answer.add(table.nearest_index(size.width, size.height));
    answer.add(table.get_target_size(size.width, size.height));
    answer.add(hr::size_token_id<2048>());
    return answer;
  }
};

/// Token ids both ways; the height stands for an id, the width for a base size or a ratio index.
struct Tokens {
  static constexpr const char* name = "tokens";
  HUNYUAN_RESO_HD static Answer ask(const hr::ResolutionGroup& group, const hr::ModelProfile& profile,
                                    hr::Resolution size) {
    Answer answer;
    const hr::TokenId id = size.height;
    const auto ratio_index = static_cast<std::size_t>(static_cast<std::uint32_t>(size.width));
    answer.add(hr::size_token_id_or_invalid(size.width));
    answer.add(hr::base_size_or_zero(id));
    answer.add(hr::ratio_token_id_or_invalid(profile, ratio_index));
    answer.add(hr::ratio_token_id_or_invalid(profile, group.snap(size)));
    answer.add(hr::ratio_index_or_invalid(profile, id));
    answer.add_error(hr::require_ratio_token_id(profile, ratio_index));
    answer.add(*hr::require_ratio_token_id(profile, ratio_index));
    answer.add_error(hr::predicted_ratio_index(profile, id));
    answer.add(hr::ratio_index_or_square(profile, id));
    answer.add(profile.with_ratio_token_id(ratio_index, id).ratio_token_count());
    answer.add(hr::ratio_token_id_or_invalid(profile.with_ratio_token_id(37, id), 37));
    return answer;
  }
};

/// The image to generate, in each way of choosing the grid.
struct Images {
  static constexpr const char* name = "images";
  HUNYUAN_RESO_HD static Answer ask(const hr::ResolutionGroup& group, const hr::ModelProfile& profile,
                                    hr::Resolution size) {
    Answer answer;
    add_image(answer, hr::build_gen_image_info(size, profile, group));
    add_image(answer, hr::build_gen_image_info(size, profile, group, hr::GridMode::follow_request));
    add_image(answer, hr::build_gen_image_info(size, profile, group, hr::GridMode::follow_request_by_area));
    const auto base_size = hr::base_size_by_area(profile, size);
    answer.add_error(base_size);
    answer.add(*base_size);
    return answer;
  }
};

/// Resizing, cropping and output alignment.
struct Geometry {
  static constexpr const char* name = "geometry";
  HUNYUAN_RESO_HD static Answer ask(const hr::ResolutionGroup& group, const hr::ModelProfile&, hr::Resolution size) {
    Answer answer;
    const hr::Resolution row = group[group.snap(size)];
    add_crop(answer, hr::resize_and_center_crop(size, row));
    add_crop(answer, hr::resize_and_center_crop(size, {row.width, row.height}));
    add_crop(answer, hr::resize_only(size, row));
    add_alignment(answer, hr::align_output(group, row, &size, 1));
    const hr::Resolution several[] = {{size.width, size.height}, {768, 1024}, size};
    add_alignment(answer, hr::align_output(group, row, several, 3));
    return answer;
  }
};

/// Rows of a preset list.
struct Presets {
  static constexpr const char* name = "presets";
  HUNYUAN_RESO_HD static Answer ask(const hr::ResolutionGroup& group, const hr::ModelProfile& profile,
                                    hr::Resolution size) {
    Answer answer;
    const hr::CommonRatio ratio = hr::nearest_common_ratio(size);
    answer.add(ratio.width);
    answer.add(ratio.height);
    answer.add(ratio.exact);
    answer.add(static_cast<int>(hr::orientation_of(size)));
    const auto preset = hr::preset_of_row(static_cast<std::size_t>(size.width) % 64, profile, group);
    answer.add_error(preset);
    answer.add(preset->size);
    answer.add(preset->common_ratio.width * 256 + preset->common_ratio.height);
    answer.add(preset->pixel_count);
    answer.add(preset->image_token_length);
    answer.add(preset->ratio_index);
    answer.add(preset->ratio_token_id);
    answer.add(preset->trained.all());
    return answer;
  }
};

/// Rotary positions and attention of a sequence with two images; the size chooses the images and the token.
struct Layouts {
  static constexpr const char* name = "layouts";
  HUNYUAN_RESO_HD static Answer ask(const hr::ResolutionGroup& group, const hr::ModelProfile&, hr::Resolution size) {
    Answer answer;
    const hr::Resolution first = group[static_cast<std::uint32_t>(size.height) % group.size()];
    const hr::Resolution second = group[static_cast<std::uint32_t>(size.width) % group.size()];
    const auto start = static_cast<std::int32_t>(static_cast<std::uint32_t>(size.height) % 1000);
    const std::int32_t first_stop = start + first.height / 16 * (first.width / 16);
    const std::int32_t second_start = first_stop + 3;
    const std::int32_t second_stop = second_start + second.height / 16 * (second.width / 16);
    const hr::RopeImage images[] = {{start, first.height / 16, first.width / 16},
                                    {second_start, second.height / 16, second.width / 16}};
    const auto rope = hr::RopeLayout::create(images, 2, second_stop + 10);
    const hr::Slice slices[] = {{start, first_stop}, {second_start, second_stop}};
    const auto attention = hr::AttentionLayout::create(slices, 2);
    answer.add_error(rope);
    answer.add_error(attention);
    answer.add(rope->image_count());
    answer.add(attention->allowed_pairs(second_stop));
    for (int i = 0; i < 8; ++i) {
      const auto index = static_cast<std::int32_t>(static_cast<std::uint32_t>(size.width + 1237 * i) % 20000);
      const hr::RopePosition position = hr::rope_position(*rope, index);
      answer.add(position.y);
      answer.add(position.x);
      answer.add(attention->allowed_end(index));
      answer.add(attention->allows(index, size.height));
    }
    const hr::RopeImage tiny_image{1, 2, 1};
    hr::RopePosition positions[6];
    answer.add(static_cast<int>(hr::write_rope_positions(*hr::RopeLayout::create(&tiny_image, 1, 6), positions, 6)));
    for (const hr::RopePosition& position : positions) answer.add(position.y * 64 + position.x);
    const hr::Slice tiny_slice{1, 3};
    unsigned char mask[16] = {};
    answer.add(static_cast<int>(hr::AttentionLayout::create(&tiny_slice, 1)->write_mask(4, mask, 16)));
    std::uint32_t bits = 0;
    for (const unsigned char allowed : mask) bits = bits << 1 | allowed;
    answer.add(bits);
    return answer;
  }
};

/// Rules on a small row of logits, with infinities among them.
struct Logits {
  static constexpr const char* name = "logits";
  HUNYUAN_RESO_HD static Answer ask(const hr::ResolutionGroup&, const hr::ModelProfile& profile, hr::Resolution size) {
    constexpr std::size_t vocabulary_size = 24;
    float logits[vocabulary_size];
    auto state = static_cast<std::uint32_t>(size.height) * 2654435761u ^ static_cast<std::uint32_t>(size.width);
    for (float& logit : logits) {
      state = state * 1664525u + 1013904223u;
      logit = static_cast<float>(static_cast<std::int32_t>(state >> 16 & 0xFF) - 128);
      if ((state >> 24) == 0) logit = -HUGE_VALF;
    }
    Answer answer;
    const hr::RatioSlices ratios = hr::ratio_slices(profile);
    answer.add(ratios.count);
    answer.add(ratios.token_count());
    answer.add(hr::argmax_logit(logits, vocabulary_size));
    const hr::VocabularySlice slices[] = {{3, 9}, {20, 40}};
    float compact[vocabulary_size] = {};
    const auto count = hr::slice_logits(logits, vocabulary_size, slices, 2, compact, vocabulary_size);
    answer.add_error(count);
    answer.add(*count);
    for (const float logit : compact) answer.add(static_cast<double>(logit));
    hr::mask_logits(logits, vocabulary_size, slices, 2);
    for (int i = 0; i < 12; ++i) answer.add(static_cast<double>(logits[2 * i]));
    hr::mask_logits(logits, vocabulary_size, slices, 2, true);
    answer.add(hr::argmax_logit(logits, vocabulary_size));
    hr::force_token(logits, vocabulary_size, size.width);
    answer.add(hr::argmax_logit(logits, vocabulary_size));
    return answer;
  }
};

/// Groups made inside the kernel; the height is the base size, the width chooses the step.
struct Building {
  static constexpr const char* name = "groups made in the kernel";
  HUNYUAN_RESO_HD static Answer ask(const hr::ResolutionGroup&, const hr::ModelProfile& profile, hr::Resolution size) {
    Answer answer;
    const hr::GroupSpec spec = profile.group_spec(size.height, hr::ExtraScaling::scaled).with_step(size.width);
    const auto group = hr::ResolutionGroup::create(spec);
    answer.add_error(group);
    answer.add(group->size());
    answer.add(group->threshold_count());
    answer.add(group->separable());
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < group->size(); ++i) {
      const hr::SnapThreshold threshold = group->threshold(i);
      const hr::Resolution row = (*group)[i];
      sum = sum * 31 + static_cast<std::uint64_t>(row.height) * 65599 + static_cast<std::uint64_t>(row.width);
      sum = sum * 31 + static_cast<std::uint64_t>(threshold.last.height) * 65599;
      sum += static_cast<std::uint64_t>(threshold.last.width) + threshold.lower + threshold.upper;
    }
    answer.add(sum);
    return answer;
  }
};

/// The group and the profile travel by value.
template <class Question>
__global__ void ask_all(const hr::ResolutionGroup group, const hr::ModelProfile profile, const hr::Resolution* sizes,
                        std::uint64_t* digests, std::size_t count) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < count) digests[i] = Question::ask(group, profile, sizes[i]).digest();
}

template <class Question>
__global__ void ask_one(const hr::ResolutionGroup group, const hr::ModelProfile profile, hr::Resolution size,
                        Answer* answer) {
  *answer = Question::ask(group, profile, size);
}

/// Prints both answers to a question, number by number.
template <class Question>
void print_difference(const hr::ResolutionGroup& group, const hr::ModelProfile& profile, hr::Resolution size) {
  DeviceArray<Answer> device_answer(1);
  ask_one<Question><<<1, 1>>>(group, profile, size, device_answer.data());
  require(cudaGetLastError(), "launch");
  Answer device;
  device_answer.copy_to(&device, 1);
  const Answer host = Question::ask(group, profile, size);
  std::printf("  height %d, width %d:\n", static_cast<int>(size.height), static_cast<int>(size.width));
  for (int i = 0; i < host.count(); ++i) {
    if (host[i] != device[i])
      std::printf("    number %d: host %" PRId64 ", device %" PRId64 "\n", i, host[i], device[i]);
  }
}

/// Number of sizes where device and host differ.
template <class Question>
std::size_t compare(const hr::ResolutionGroup& group, const hr::ModelProfile& profile,
                    const std::vector<hr::Resolution>& sizes) {
  std::vector<std::uint64_t> digests(sizes.size());
  DeviceArray<hr::Resolution> device_sizes(sizes.size());
  DeviceArray<std::uint64_t> device_digests(sizes.size());
  device_sizes.copy_from(sizes.data(), sizes.size());
  constexpr unsigned block = 128;
  const auto blocks = static_cast<unsigned>((sizes.size() + block - 1) / block);
  ask_all<Question><<<blocks, block>>>(group, profile, device_sizes.data(), device_digests.data(), sizes.size());
  require(cudaGetLastError(), "launch");
  require(cudaDeviceSynchronize(), Question::name);
  device_digests.copy_to(digests.data(), sizes.size());

  const std::size_t thread_count = std::thread::hardware_concurrency() > 1 ? std::thread::hardware_concurrency() : 1;
  std::vector<std::vector<std::size_t>> differing(thread_count);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < thread_count; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < sizes.size(); i += thread_count) {
        if (Question::ask(group, profile, sizes[i]).digest() != digests[i]) differing[t].push_back(i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  std::size_t differences = 0;
  for (const std::vector<std::size_t>& found : differing) {
    for (const std::size_t i : found) {
      if (differences++ < 3) print_difference<Question>(group, profile, sizes[i]);
    }
  }
  std::printf("%-32s %-16s base size %5d: %8zu sizes, %zu differences\n", Question::name, profile.name,
              static_cast<int>(group.base_size()), sizes.size(), differences);
  return differences;
}

std::vector<hr::Resolution> all_sizes(std::int32_t longest) {
  std::vector<hr::Resolution> sizes;
  for (std::int32_t height = 1; height <= longest; ++height) {
    for (std::int32_t width = 1; width <= longest; ++width) sizes.push_back({height, width});
  }
  return sizes;
}

/// Sizes within one pixel of every threshold, small and large; corners; random ones; ids of tokens; and no sizes.
std::vector<hr::Resolution> hard_sizes(const hr::ResolutionGroup& group) {
  std::vector<hr::Resolution> sizes;
  const auto add = [&](std::int64_t height, std::int64_t width) {
    for (std::int64_t h = height - 1; h <= height + 1; ++h) {
      for (std::int64_t w = width - 1; w <= width + 1; ++w) {
        if (h <= hr::max_side && w <= hr::max_side) {
          sizes.push_back({static_cast<std::int32_t>(h), static_cast<std::int32_t>(w)});
        }
      }
    }
  };
  for (std::size_t k = 0; k < group.threshold_count(); ++k) {
    const hr::Resolution last = group.threshold(k).last;
    const std::int64_t longer = last.height > last.width ? last.height : last.width;
    for (const std::int64_t factor : {std::int64_t{1}, std::int64_t{2}, std::int64_t{hr::max_side} / longer}) {
      add(last.height * factor, last.width * factor);
    }
    for (std::int64_t width = 1; width <= hr::max_side; width = width * 3 / 2 + 1) {
      add(width * last.height / last.width, width);
    }
  }
  for (const hr::Resolution row : group) {
    for (std::int64_t factor = 1; factor * 2 * group.base_size() <= hr::max_side; factor = factor * 5 + 1) {
      add(row.height * factor, row.width * factor);
    }
  }
  for (const std::int64_t height : {std::int64_t{1}, std::int64_t{1} << 23, std::int64_t{hr::max_side}}) {
    for (const std::int64_t width : {std::int64_t{1}, std::int64_t{1} << 23, std::int64_t{hr::max_side}}) {
      add(height, width);
    }
  }
  for (hr::TokenId id = 127900; id < 130200; ++id) {
    for (const std::int32_t number : {0, 16, 33, 36, 37, 256, 1024, 8192}) sizes.push_back({id, number});
  }
  std::uint64_t state = 20260101;
  const auto random_side = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const auto side = static_cast<std::int32_t>(state >> 33 >> (state >> 27 & 31));
    return side > 0 ? side : 1;
  };
  for (int i = 0; i < 400000; ++i) {
    const std::int32_t height = random_side();
    sizes.push_back({height, random_side()});
  }
  for (const std::int32_t bad : {0, -1, -1024, -2147483647 - 1}) {
    for (const std::int32_t other : {bad, 1, 1024, hr::max_side}) {
      sizes.push_back({bad, other});
      sizes.push_back({other, bad});
    }
  }
  return sizes;
}

std::size_t compare_everything(const hr::ResolutionGroup& group, const hr::ModelProfile& profile) {
  const std::vector<hr::Resolution> small = all_sizes(2048);
  const std::vector<hr::Resolution> hard = hard_sizes(group);
  std::size_t differences = 0;
  for (const std::vector<hr::Resolution>* sizes : {&small, &hard}) {
    differences += compare<Snapping>(group, profile, *sizes);
    differences += compare<LocalTable>(group, profile, *sizes);
    differences += compare<Tokens>(group, profile, *sizes);
    differences += compare<Images>(group, profile, *sizes);
    differences += compare<Geometry>(group, profile, *sizes);
    differences += compare<Presets>(group, profile, *sizes);
    differences += compare<Layouts>(group, profile, *sizes);
    differences += compare<Logits>(group, profile, *sizes);
  }
  std::vector<hr::Resolution> specs;  // base size and step; a step of 0 is the default
  for (std::int32_t base_size = -16; base_size <= 8192; base_size += 8) {
    for (const std::int32_t step : {0, 1, 16, 100, base_size / 2, base_size}) specs.push_back({base_size, step});
  }
  specs.push_back({1073741808, 0});
  specs.push_back({1073741823, 0});
  specs.push_back({1073741824, 0});
  return differences + compare<Building>(group, profile, specs);
}

}  // namespace

int main() {
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

  std::size_t differences = 0;
  differences += compare_everything(hr::group_for<hr::profiles::base>, hr::profiles::base);
  differences += compare_everything(hr::group_for<hr::profiles::instruct>, hr::profiles::instruct);
  differences += compare_everything(*hr::make_group(hr::profiles::instruct_distil, 1536, hr::ExtraScaling::scaled),
                                    hr::profiles::instruct_distil);
  differences += compare_everything(hr::group_for<hr::profiles::panorama, 2048>,
                                    hr::profiles::panorama.with_ratio_token_id(37, 131000));
  // Rows so close that the definition itself decides, not thresholds.
  hr::ModelProfile close = hr::profiles::base;
  close.name = "close rows";
  close.extras.append({1000001, 1000000});
  close.extras.append({1000000, 999999});
  const auto close_group = hr::make_group(close);
  if (!close_group || close_group->separable()) {
    std::puts("the group of close rows is not what it should be");
    return 1;
  }
  differences += compare_everything(*close_group, close);

  std::printf("%s: %zu differences\n", differences == 0 ? "device and host agree" : "device and host differ",
              differences);
  return differences == 0 ? 0 : 1;
}
