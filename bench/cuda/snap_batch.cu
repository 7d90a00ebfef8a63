// SPDX-License-Identifier: MIT
// snap_batch on the device. The bound is memory: 8 bytes read and 1 written a pair.
#include <cstring>
#include <numeric>

#include <hunyuan_reso/model.hpp>
#include <hunyuan_reso/snap_batch.hpp>

#include "common.hpp"

namespace hunyuan_reso_bench {
namespace {

using namespace hunyuan_reso;

constexpr int threads_per_block = 256;
constexpr int fours_per_thread = 4;  // loads of four widths and of four heights in flight

__device__ std::uint32_t snap_four(const SnapTable& table, int4 width, int4 height) {
  std::uint8_t a = table.look_up({height.x, width.x});
  std::uint8_t b = table.look_up({height.y, width.y});
  std::uint8_t c = table.look_up({height.z, width.z});
  std::uint8_t d = table.look_up({height.w, width.w});
  if (SnapTable::is_open(a | b | c | d)) {
    if (SnapTable::is_open(a)) a = table.decide(a, {height.x, width.x});
    if (SnapTable::is_open(b)) b = table.decide(b, {height.y, width.y});
    if (SnapTable::is_open(c)) c = table.decide(c, {height.z, width.z});
    if (SnapTable::is_open(d)) d = table.decide(d, {height.w, width.w});
  }
  return std::uint32_t{a} | std::uint32_t{b} << 8 | std::uint32_t{c} << 16 | std::uint32_t{d} << 24;
}

constexpr std::size_t fours_per_block = std::size_t{threads_per_block} * fours_per_thread;

/// Blocks for that many fours, one tile each. Tiles taken in turn by as many blocks as the device holds at once took up
/// to 16 % longer (NOTES.md).
unsigned blocks_of_tiles(std::size_t fours) {
  return static_cast<unsigned>((fours + fours_per_block - 1) / fours_per_block);
}

/// A block takes a tile of 4096 pairs. A warp's loads and stores lie side by side: 16 bytes a thread in, 4 out. The
/// loads of a tile are under way while the table is brought into shared memory.
__global__ void __launch_bounds__(threads_per_block)
    snap_by_table(const SnapTable* from, const std::int32_t* widths, const std::int32_t* heights,
                  std::uint8_t* ratio_indices, std::size_t count) {
  __shared__ SnapTable table;
  const auto* fours_of_widths = reinterpret_cast<const int4*>(widths);
  const auto* fours_of_heights = reinterpret_cast<const int4*>(heights);
  auto* fours_of_indices = reinterpret_cast<std::uint32_t*>(ratio_indices);
  const std::size_t fours = count / 4;
  const std::size_t begin = blockIdx.x * fours_per_block;
  const std::size_t first = begin + threadIdx.x;
  const bool is_whole = begin + fours_per_block <= fours;
  int4 width[fours_per_thread];
  int4 height[fours_per_thread];
  if (is_whole) {
#pragma unroll
    for (int i = 0; i < fours_per_thread; ++i) {
      width[i] = __ldcs(fours_of_widths + first + i * threads_per_block);
      height[i] = __ldcs(fours_of_heights + first + i * threads_per_block);
    }
  }
  for (std::size_t i = threadIdx.x; i < sizeof(SnapTable) / sizeof(uint4); i += threads_per_block) {
    reinterpret_cast<uint4*>(&table)[i] = reinterpret_cast<const uint4*>(from)[i];
  }
  __syncthreads();
  if (is_whole) {
#pragma unroll
    for (int i = 0; i < fours_per_thread; ++i) {
      __stcs(fours_of_indices + first + i * threads_per_block, snap_four(table, width[i], height[i]));
    }
    return;
  }
  for (std::size_t i = first; i < fours; i += threads_per_block) {
    fours_of_indices[i] = snap_four(table, fours_of_widths[i], fours_of_heights[i]);
  }
  const std::size_t rest = fours * 4 + threadIdx.x;
  if (rest < count) {
    ratio_indices[rest] = table.snap({heights[rest], widths[rest]});
  }
}

/// The library's function for one size.
HUNYUAN_RESO_HD std::uint8_t snap_one(const ResolutionGroup& group, std::int32_t width, std::int32_t height) {
  return width > 0 && height > 0 ? static_cast<std::uint8_t>(group.snap({height, width})) : snap_refused;
}

/// That function, with the group as a kernel argument: the least to write.
__global__ void __launch_bounds__(threads_per_block)
    snap_by_value(const __grid_constant__ ResolutionGroup group, const std::int32_t* widths,
                  const std::int32_t* heights, std::uint8_t* ratio_indices, std::size_t count) {
  const std::size_t stride = std::size_t{gridDim.x} * threads_per_block;
  for (std::size_t i = blockIdx.x * std::size_t{threads_per_block} + threadIdx.x; i < count; i += stride) {
    ratio_indices[i] = snap_one(group, widths[i], heights[i]);
  }
}

/// The same with the group in shared memory, four sizes at a time.
__global__ void __launch_bounds__(threads_per_block)
    snap_from_shared(const ResolutionGroup* from, const std::int32_t* widths, const std::int32_t* heights,
                     std::uint8_t* ratio_indices, std::size_t count) {
  __shared__ alignas(ResolutionGroup) unsigned char bytes[sizeof(ResolutionGroup)];
  for (std::size_t i = threadIdx.x; i < sizeof(ResolutionGroup); i += threads_per_block) {
    bytes[i] = reinterpret_cast<const unsigned char*>(from)[i];
  }
  __syncthreads();
  const auto& group = *reinterpret_cast<const ResolutionGroup*>(bytes);
  const std::size_t stride = std::size_t{gridDim.x} * threads_per_block;
  for (std::size_t i = blockIdx.x * std::size_t{threads_per_block} + threadIdx.x; i < count / 4; i += stride) {
    const int4 width = reinterpret_cast<const int4*>(widths)[i];
    const int4 height = reinterpret_cast<const int4*>(heights)[i];
    const std::uint32_t a = snap_one(group, width.x, height.x);
    const std::uint32_t b = snap_one(group, width.y, height.y);
    const std::uint32_t c = snap_one(group, width.z, height.z);
    const std::uint32_t d = snap_one(group, width.w, height.w);
    reinterpret_cast<std::uint32_t*>(ratio_indices)[i] = a | b << 8 | c << 16 | d << 24;
  }
  const std::size_t rest = count / 4 * 4 + threadIdx.x;
  if (blockIdx.x == 0 && rest < count) ratio_indices[rest] = snap_one(group, widths[rest], heights[rest]);
}

struct Ratios {
  double of[ResolutionGroup::capacity()];
  int count;
};

/// What a user writes without the library: a scan over the ratios as doubles.
__global__ void __launch_bounds__(threads_per_block)
    snap_plain(const __grid_constant__ Ratios ratios, const std::int32_t* widths, const std::int32_t* heights,
               std::uint8_t* ratio_indices, std::size_t count) {
  const std::size_t stride = std::size_t{gridDim.x} * threads_per_block;
  for (std::size_t i = blockIdx.x * std::size_t{threads_per_block} + threadIdx.x; i < count; i += stride) {
    const double ratio = static_cast<double>(heights[i]) / widths[i];
    int best = 0;
    double best_distance = fabs(ratios.of[0] - ratio);
    for (int k = 1; k < ratios.count; ++k) {
      const double distance = fabs(ratios.of[k] - ratio);
      if (distance < best_distance) {
        best = k;
        best_distance = distance;
      }
    }
    ratio_indices[i] = static_cast<std::uint8_t>(best);
  }
}

/// Floor: as many bytes as snap_batch moves, half read, half written, by tiles of the same kind.
__global__ void __launch_bounds__(threads_per_block) copy(const uint4* from, uint4* to, std::size_t count) {
  const std::size_t first = blockIdx.x * fours_per_block + threadIdx.x;
  uint4 value[fours_per_thread];
#pragma unroll
  for (int i = 0; i < fours_per_thread; ++i) {
    if (first + i * threads_per_block < count) value[i] = __ldcs(from + first + i * threads_per_block);
  }
#pragma unroll
  for (int i = 0; i < fours_per_thread; ++i) {
    if (first + i * threads_per_block < count) __stcs(to + first + i * threads_per_block, value[i]);
  }
}

/// Floor: the same loads and stores as snap_batch without the work.
__global__ void __launch_bounds__(threads_per_block)
    same_traffic(const int4* widths, const int4* heights, std::uint32_t* out, std::size_t fours) {
  const std::size_t first = blockIdx.x * fours_per_block + threadIdx.x;
  int4 width[fours_per_thread];
  int4 height[fours_per_thread];
#pragma unroll
  for (int i = 0; i < fours_per_thread; ++i) {
    if (first + i * threads_per_block >= fours) continue;
    width[i] = __ldcs(widths + first + i * threads_per_block);
    height[i] = __ldcs(heights + first + i * threads_per_block);
  }
#pragma unroll
  for (int i = 0; i < fours_per_thread; ++i) {
    if (first + i * threads_per_block >= fours) continue;
    const int mixed = (width[i].x ^ height[i].x) + (width[i].y ^ height[i].y) + (width[i].z ^ height[i].z) +
                      (width[i].w ^ height[i].w);
    __stcs(out + first + i * threads_per_block, static_cast<std::uint32_t>(mixed));
  }
}

struct Sizes {
  std::vector<std::int32_t> widths;
  std::vector<std::int32_t> heights;
};

/// Sides of 64 .. 4096 pixels, as the benchmarks of the host draw them.
Sizes photographs(std::size_t count, std::uint64_t seed) {
  Sizes sizes{std::vector<std::int32_t>(count), std::vector<std::int32_t>(count)};
  on_all_processors(count, [&sizes, seed](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      sizes.widths[i] = static_cast<std::int32_t>(64 + random_bits(seed, 2 * i) % 4033);
      sizes.heights[i] = static_cast<std::int32_t>(64 + random_bits(seed, 2 * i + 1) % 4033);
    }
  });
  return sizes;
}

/// What goes wrong first: neighbours of thresholds, sides of every length, the smallest and the largest, refused ones.
Sizes hard_sizes(const ResolutionGroup& group, std::size_t count, std::uint64_t seed) {
  Sizes sizes{std::vector<std::int32_t>(count), std::vector<std::int32_t>(count)};
  on_all_processors(count, [&sizes, &group, seed](std::size_t begin, std::size_t end) {
    constexpr std::int32_t special[] = {1, 2, 3, max_side, max_side - 1, 0, -1, -max_side - 1};
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint64_t bits = random_bits(seed, i);
      const std::uint64_t more = random_bits(seed + 1, i);
      const auto width = static_cast<std::int32_t>(1 + (more >> 33) % (std::uint64_t{1} << (1 + bits % 31)));
      std::int64_t height = static_cast<std::int64_t>(1 + (more & 0x7FFFFFFF) % (std::uint64_t{1} << (bits >> 8) % 32));
      sizes.widths[i] = width < 1 ? max_side : width;
      const std::uint64_t kind = (bits >> 16) % 16;
      if (kind < 10) {
        const Resolution last = group.threshold((bits >> 24) % group.threshold_count()).last;
        height = std::int64_t{sizes.widths[i]} * last.height / last.width + static_cast<std::int64_t>(bits >> 62) - 1;
      } else if (kind == 10) {
        sizes.widths[i] = special[(bits >> 24) % 8];
        height = special[(bits >> 32) % 8];
      } else if (kind == 11) {
        sizes.widths[i] = -sizes.widths[i];
      } else if (kind == 12) {
        height = -height;
      }
      const std::int64_t most = max_side;
      sizes.heights[i] = static_cast<std::int32_t>(height > most ? most : height < -most ? -most : height);
    }
  });
  return sizes;
}

/// Right answers: the host's exact function, one size at a time, which uses no table.
std::vector<std::uint8_t> reference(const ResolutionGroup& group, const Sizes& sizes) {
  std::vector<std::uint8_t> indices(sizes.widths.size());
  on_all_processors(indices.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) indices[i] = snap_one(group, sizes.widths[i], sizes.heights[i]);
  });
  return indices;
}

/// The device's arrays, and launches over the first `count` pairs of them.
struct Device {
  ResolutionGroup group;
  Ratios ratios{};
  DeviceArray<SnapTable> table;
  DeviceArray<ResolutionGroup> group_copy;
  DeviceArray<std::int32_t> widths;
  DeviceArray<std::int32_t> heights;
  DeviceArray<std::uint8_t> indices;

  Device(const ResolutionGroup& of, std::size_t count)
      : group(of),
        table(std::vector<SnapTable>{*SnapTable::create(of)}),
        group_copy(std::vector<ResolutionGroup>{of}),
        widths(count),
        heights(count),
        indices(count + 16) {
    ratios.count = static_cast<int>(of.size());
    for (std::size_t i = 0; i < of.size(); ++i) ratios.of[i] = of[i].ratio();
  }

  void by_table(std::size_t count) const {
    const unsigned blocks = blocks_of_tiles(count / 4 + 1);  // one at least, for the last three
    snap_by_table<<<blocks, threads_per_block>>>(table.data(), widths.data(), heights.data(), indices.data(), count);
  }
  void by_value(std::size_t count) const {
    static const int blocks = blocks_that_fill(snap_by_value, threads_per_block);
    snap_by_value<<<blocks, threads_per_block>>>(group, widths.data(), heights.data(), indices.data(), count);
  }
  void from_shared(std::size_t count) const {
    static const int blocks = blocks_that_fill(snap_from_shared, threads_per_block);
    snap_from_shared<<<blocks, threads_per_block>>>(group_copy.data(), widths.data(), heights.data(), indices.data(),
                                                    count);
  }
  void plain(std::size_t count) const {
    static const int blocks = blocks_that_fill(snap_plain, threads_per_block);
    snap_plain<<<blocks, threads_per_block>>>(ratios, widths.data(), heights.data(), indices.data(), count);
  }

  /// All `count` answers and none beyond them.
  template <class Launch>
  void require_answers(Launch launch, const std::vector<std::uint8_t>& expected, std::size_t count, const char* what) {
    constexpr int untouched = 0x77;  // no row, and not the answer for a refused size
    indices.poison(untouched);
    launch(count);
    check(cudaGetLastError(), what);
    check(cudaDeviceSynchronize(), what);
    const std::vector<std::uint8_t> answers = indices.download();
    require(std::memcmp(answers.data(), expected.data(), count) == 0, what);
    for (std::size_t i = count; i < answers.size(); ++i) require(answers[i] == untouched, "write beyond the end");
  }
};

void check_all(Device& device, const Sizes& sizes, bool has_refused) {
  const std::size_t count = sizes.widths.size();
  device.widths.upload(sizes.widths);
  device.heights.upload(sizes.heights);
  const std::vector<std::uint8_t> expected = reference(device.group, sizes);
  const auto by_table = [&device](std::size_t n) { device.by_table(n); };
  for (std::size_t n : {count, count / 2 + 1, std::size_t{4097}, std::size_t{1023}, std::size_t{3}}) {
    device.require_answers(by_table, expected, n, "snap_by_table");
  }
  device.require_answers([&device](std::size_t n) { device.by_value(n); }, expected, count, "snap_by_value");
  device.require_answers([&device](std::size_t n) { device.from_shared(n); }, expected, count, "snap_from_shared");
  if (!has_refused) device.require_answers([&device](std::size_t n) { device.plain(n); }, expected, count, "plain");
  std::vector<std::uint8_t> batch(count);
  on_all_processors(count, [&](std::size_t begin, std::size_t end) {
    snap_batch(device.group, sizes.widths.data() + begin, sizes.heights.data() + begin, batch.data() + begin,
               end - begin);
  });
  require(batch == expected, "snap_batch on the host");
}

}  // namespace

void measure_snap_batch(std::size_t count, std::uint64_t seed, std::vector<Measurement>& results) {
  const ResolutionGroup group = *make_group(profiles::instruct);
  Device device(group, count);
  Rounds rounds;
  const auto add = [&rounds](const char* family, const char* variant, std::size_t n, auto launch) {
    rounds.add(family, variant, n, static_cast<double>(n), 9.0 * static_cast<double>(n), launch);
  };

  check_all(device, hard_sizes(group, count, seed), true);
  add("cuda_snap_batch_hard", "library", count, [&] { device.by_table(count); });
  rounds.run(results);

  check_all(device, photographs(count, seed + 2), false);
  const std::size_t sixteens = count * 9 / 2 / sizeof(uint4);
  DeviceArray<uint4> from(sixteens);
  DeviceArray<uint4> to(sixteens);
  check(cudaMemcpy(from.data(), device.widths.data(), count * 4, cudaMemcpyDeviceToDevice), "fill");
  add("cuda_snap_batch", "library", count, [&] { device.by_table(count); });
  add("cuda_snap_batch", "floor_copy", count,
      [&] { copy<<<blocks_of_tiles(sixteens), threads_per_block>>>(from.data(), to.data(), sixteens); });
  add("cuda_snap_batch", "floor_memcpy", count, [&] {
    check(cudaMemcpyAsync(to.data(), from.data(), sixteens * sizeof(uint4), cudaMemcpyDeviceToDevice), "memcpy");
  });
  add("cuda_snap_batch", "floor_traffic", count, [&] {
    same_traffic<<<blocks_of_tiles(count / 4), threads_per_block>>>(
        reinterpret_cast<const int4*>(device.widths.data()), reinterpret_cast<const int4*>(device.heights.data()),
        reinterpret_cast<std::uint32_t*>(device.indices.data()), count / 4);
  });
  // Twice in every round: how far the same thing differs within one run.
  add("cuda_snap_batch_again", "library", count, [&] { device.by_table(count); });
  for (std::size_t n = std::size_t{1} << 20; n <= count; n *= 4) {
    add("cuda_scaling_snap_batch", "library", n, [&device, n] { device.by_table(n); });
  }
  add("cuda_snap_batch", "group_by_value", count, [&] { device.by_value(count); });
  add("cuda_snap_batch", "group_in_shared", count, [&] { device.from_shared(count); });
  add("cuda_snap_batch", "plain", count, [&] { device.plain(count); });
  rounds.run(results);
}

}  // namespace hunyuan_reso_bench
