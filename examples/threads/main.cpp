// SPDX-License-Identifier: MIT
// Snaps a data set on several threads and counts its buckets. snap_batch and snap_histogram have no state and write
// only what they are given, so threads need nothing but parts of the arrays: no locks, no execution policies.
//   hunyuan_reso_example_threads [COUNT [THREADS]]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include <hunyuan_reso/model.hpp>
#include <hunyuan_reso/snap_batch.hpp>

namespace {

using namespace hunyuan_reso;

using Histogram = SnapHistogram<ResolutionGroup::capacity()>;

struct DataSet {
  std::vector<std::int32_t> widths;
  std::vector<std::int32_t> heights;
};

/// Sizes as they come from a crawler: 64 .. 4096 pixels a side, and now and then a file that could not be read (0x0).
DataSet made_up_sizes(std::size_t count) {
  DataSet data;
  std::uint64_t state = 1;
  const auto next = [&state] { return state = state * 6364136223846793005U + 1442695040888963407U; };
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_readable = (next() >> 40) % 1000 != 0;
    data.widths.push_back(is_readable ? static_cast<std::int32_t>(64 + (next() >> 33) % 4033) : 0);
    data.heights.push_back(is_readable ? static_cast<std::int32_t>(64 + (next() >> 33) % 4033) : 0);
  }
  return data;
}

/// Each thread takes one part of the arrays; its histogram is joined with the others at the end.
Histogram snap_on_threads(const ResolutionGroup& group, const DataSet& data, std::uint8_t* ratio_indices,
                          std::size_t threads) {
  const std::size_t count = data.widths.size();
  std::vector<Histogram> parts(threads);
  std::vector<std::thread> running;
  for (std::size_t i = 0; i < threads; ++i) {
    const std::size_t begin = count / threads * i + std::min(i, count % threads);
    const std::size_t end = count / threads * (i + 1) + std::min(i + 1, count % threads);
    running.emplace_back([&group, &data, ratio_indices, begin, end, part = &parts[i]] {
      const std::int32_t* widths = data.widths.data() + begin;
      const std::int32_t* heights = data.heights.data() + begin;
      snap_batch(group, widths, heights, ratio_indices + begin, end - begin);
      *part = snap_histogram(group, widths, heights, end - begin);
    });
  }
  for (std::thread& thread : running) thread.join();
  Histogram all;
  for (const Histogram& part : parts) all.add(part);
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10000000;
  const std::size_t asked = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : std::thread::hardware_concurrency();
  const std::size_t threads = std::max<std::size_t>(1, asked);

  const ResolutionGroup& group = group_for<profiles::instruct>;
  const DataSet data = made_up_sizes(count);
  std::vector<std::uint8_t> indices(count);
  const Histogram histogram = snap_on_threads(group, data, indices.data(), threads);

  std::printf("%zu sizes on %zu threads\n", count, threads);
  for (std::size_t row = 0; row < group.size(); ++row) {
    const double share =
        count == 0 ? 0.0 : 100.0 * static_cast<double>(histogram.counts[row]) / static_cast<double>(count);
    std::printf("%3zu  %4d x %-4d  %5.2f %%\n", row, group[row].height, group[row].width, share);
  }
  std::printf("not snapped: %llu\n", static_cast<unsigned long long>(histogram.refused));

  // The same answers as on one thread, and the same counts.
  std::vector<std::uint8_t> alone(count);
  snap_batch(group, data.widths.data(), data.heights.data(), alone.data(), count);
  Histogram counted;
  for (const std::uint8_t index : alone) ++(index == snap_refused ? counted.refused : counted.counts[index]);
  const bool same = alone == indices && counted.refused == histogram.refused &&
                    std::equal(counted.counts, counted.counts + group.size(), histogram.counts);
  if (!same) std::fputs("the threads' answers differ from those of one thread\n", stderr);
  return same ? 0 : 1;
}
