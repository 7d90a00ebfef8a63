// SPDX-License-Identifier: MIT
// Writes random sizes and their ratio indices to a file: count (int64), widths and heights (int32), indices (uint8), in
// the machine's byte order. For peer_numpy.py.
#include <cstdio>
#include <cstdlib>

#include <hunyuan_reso/model.hpp>
#include <hunyuan_reso/snap_batch.hpp>

#include "support/data.hpp"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: hunyuan_reso_peer_data COUNT FILE\n", stderr);
    return 2;
  }
  const auto count = static_cast<std::size_t>(std::strtoull(argv[1], nullptr, 10));
  const hunyuan_reso_bench::Sizes sizes = hunyuan_reso_bench::random_sizes(count);
  std::vector<std::uint8_t> indices(count);
  const hunyuan_reso::ResolutionGroup group = *hunyuan_reso::make_group(hunyuan_reso::profiles::instruct);
  hunyuan_reso::snap_batch(group, sizes.widths.data(), sizes.heights.data(), indices.data(), count);

  std::FILE* file = std::fopen(argv[2], "wb");
  if (file == nullptr) {
    std::perror(argv[2]);
    return 1;
  }
  const auto number = static_cast<std::int64_t>(count);
  const bool is_written = std::fwrite(&number, sizeof number, 1, file) == 1 &&
                          std::fwrite(sizes.widths.data(), sizeof(std::int32_t), count, file) == count &&
                          std::fwrite(sizes.heights.data(), sizeof(std::int32_t), count, file) == count &&
                          std::fwrite(indices.data(), 1, count, file) == count;
  if (std::fclose(file) != 0 || !is_written) {
    std::perror(argv[2]);
    return 1;
  }
  return 0;
}
