// SPDX-License-Identifier: MIT
// Snaps the sizes of speed.mjs and prints the time of each round, in seconds.
#include <chrono>
#include <cstdio>
#include <hunyuan_reso/model.hpp>
#include <hunyuan_reso/snap_batch.hpp>
#include <vector>

int main() {
  constexpr std::size_t count = 1000000;
  constexpr int rounds = 20;
  std::vector<std::int32_t> widths(count), heights(count);
  std::vector<std::uint8_t> rows(count);
  std::uint32_t state = 1;
  const auto side = [&] {
    state = state * 1664525U + 1013904223U;
    return static_cast<std::int32_t>(state >> 20) + 1;
  };
  for (std::size_t i = 0; i < count; ++i) {
    widths[i] = side();
    heights[i] = side();
  }
  std::uint64_t sum = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    hunyuan_reso::snap_batch(hunyuan_reso::model_for<hunyuan_reso::profiles::instruct>.group, widths.data(),
                             heights.data(), rows.data(), count);
    std::printf("%.9f\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  for (const std::uint8_t row : rows) sum += row;
  std::printf("sum %llu\n", static_cast<unsigned long long>(sum));
}
