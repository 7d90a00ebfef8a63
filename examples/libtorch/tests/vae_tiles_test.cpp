// SPDX-License-Identifier: MIT
// hunyuan-generate-vae-tiles-test DIR: image encoder and decoder by tiles, with the recorded decoder of DIR (tiny_a: a
// latent is 8 pixels wide).

#include <cmath>  // INFINITY

#include "adapter/adapter.hpp"
#include "model/vae.hpp"
#include "pipeline/conditioning.hpp"
#include "pipeline/folder.hpp"
#include "pipeline/vae_tiles.hpp"
#include "tests/test_support.hpp"

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;

// Bytes that the process has had resident at most since the last reset; 0 where the system does not tell.
std::int64_t peak_resident(bool reset) {
  if (reset) {
    std::ofstream refs("/proc/self/clear_refs");
    refs << "5" << std::flush;
    if (!refs) return 0;
  }
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib * 1024;
  }
  return 0;
}

class VaeTilesTest : TestReport {
 public:
  explicit VaeTilesTest(const std::filesystem::path& path)
      : config_(read_config(path)),
        checkpoint_(path),
        decoder_(WeightLoader(checkpoint_, at::kFloat, at::kCPU), config_.vae) {}

  int run() {
    flat_memory();  // first, while the heap is small
    decoded_tiles();
    encoded_tiles();
    wrapped();
    refusals();
    return finish();
  }

 private:
  [[nodiscard]] TileDecoder decoder() const {
    return [this](const at::Tensor& latents) { return decoder_.decode(latents); };
  }

  void decoded_tiles() {
    const std::int64_t channels = config_.vae.latent_channels;
    const auto whole = [&](const at::Tensor& latents) { return to_pixels(decoder()(latents)).squeeze(0); };
    const at::Tensor small = at::randn({1, channels, 6, 7});
    check(at::equal(decode_tiles(layout_of({48, 56}, {64, 64}, 16, 8), 8, small, decoder()), whole(small)),
          "one tile is the whole decoder, bit for bit");

    const hr::TileLayout tiles = layout_of({80, 112}, {48, 48}, 16, 8);
    const at::Tensor latents = at::randn({1, channels, 10, 14});
    const at::Tensor pixels = decode_tiles(tiles, 8, latents, decoder());
    check(tiles.rows() == 2 && tiles.columns() == 3, "six tiles");
    // Where a single tile covers a pixel it is that tile's own.
    std::int64_t own = 0;
    for (std::int32_t i = 0; i < tiles.size(); ++i) {
      const hr::Tile tile = tiles[i], cells = tiles.tile_cells(i);
      const at::Tensor alone =
          whole(latents.narrow(2, cells.top, cells.height).narrow(3, cells.left, cells.width).contiguous());
      const hr::TileLayout fine = require(tiles.with_cells_of(1), "pixels");
      for (std::int32_t row = tile.top; row < tile.top + tile.height; row += 3) {
        for (std::int32_t column = tile.left; column < tile.left + tile.width; column += 3) {
          if (fine.weight(i, row, column) != hr::TileLayout::weight_one) continue;
          ++own;
          if (!at::equal(pixels[row][column], alone[row - tile.top][column - tile.left])) {
            check(false, "a pixel of one tile");
            return;
          }
        }
      }
    }
    check(own > 100, "pixels of one tile are that tile's, bit for bit");
    // Against the whole decoder: norms and attention see a tile in place of everything.
    const at::Tensor difference = (pixels.to(at::kFloat) - whole(latents).to(at::kFloat)).abs();
    const double mean = difference.mean().item<double>(), most = difference.max().item<double>();
    const double contrast = whole(latents).to(at::kFloat).std().item<double>();
    std::printf("decoded by tiles and whole: %.3g levels apart in the mean, %.3g at most (contrast %.3g)\n", mean, most,
                contrast);
    check(mean <= 0.15 * contrast, "decoded by tiles is near to the whole");

    // A decoder that gives constants, and one that gives each pixel's own place: no seam, whatever the layout.
    const auto constant = [](const at::Tensor& x) { return at::full({1, 3, x.size(2) * 8, x.size(3) * 8}, 0.2468F); };
    check(
        at::equal(decode_tiles(tiles, 8, latents, constant), to_pixels(at::full({1, 3, 80, 112}, 0.2468F)).squeeze(0)),
        "constant tiles");
    at::Tensor places = at::arange(80 * 112, at::kFloat).view({1, 1, 80, 112}).expand({1, 3, 80, 112}) / 5000 - 0.9;
    const at::Tensor numbered = at::arange(10 * 14, at::kFloat).view({1, 1, 10, 14});
    const auto by_place = [&](const at::Tensor& x) {
      const auto first = x[0][0][0][0].item<std::int64_t>();
      return places.narrow(2, first / 14 * 8, x.size(2) * 8).narrow(3, first % 14 * 8, x.size(3) * 8);
    };
    check(at::equal(decode_tiles(tiles, 8, numbered, by_place), to_pixels(places).squeeze(0)),
          "tiles of places: each where it belongs, without a seam");
  }

  void encoded_tiles() {
    const hr::TileLayout tiles = layout_of({80, 112}, {48, 48}, 16, 8);
    const at::Tensor pixels = at::randint(0, 256, {80, 112, 3}, at::kByte);
    // An encoder that reads the first pixel of each latent: what it sees is the picture's own part.
    const auto corner = [](const at::Tensor& image) {
      return image.slice(2, 0, image.size(2), 8).slice(3, 0, image.size(3), 8).contiguous();
    };
    const at::Tensor expected = corner(vae_input(pixels));
    check(at::equal(encode_tiles(tiles, 8, pixels, corner), expected), "encoded tiles lie where they belong");
    check(at::equal(encode_tiles(layout_of({80, 112}, {256, 256}, 0, 8), 8, pixels, corner), expected),
          "and so does one");
  }

  // What the decoder needs does not grow with the canvas.
  void flat_memory() {
    const std::int64_t channels = config_.vae.latent_channels;
    const auto peak = [&](std::int32_t side, std::int32_t tile) {
      const at::Tensor latents = at::randn({1, channels, side / 8, side / 8});
      const std::int64_t before = peak_resident(true);
      (void)decode_tiles(layout_of({side, side}, {tile, tile}, tile / 4, 8), 8, latents, decoder());
      return before == 0 ? 0 : peak_resident(false) - before;
    };
    (void)peak(32, 32);  // what the libraries keep for themselves
    const std::int64_t small = peak(64, 32), large = peak(160, 32), whole = peak(160, 160);
    std::printf("peak memory: %.1f MB for 64 x 64 in tiles of 32, %.1f for 160 x 160; %.1f for 160 x 160 at once\n",
                static_cast<double>(small) / 1e6, static_cast<double>(large) / 1e6, static_cast<double>(whole) / 1e6);
    if (whole == 0) return;
    // The band of sums is what grows, 24 bytes for each of 32 x 160 pixels, and the picture itself.
    check(large - small < 4'000'000 && large < whole / 4, "memory is flat");
  }

  void wrapped() {
    // Four columns, the last two of which go on behind the right edge of a ring of 2.
    const at::Tensor ring = at::tensor({10, 20, 110, 60}, at::kByte).view({1, 4, 1}).expand({1, 4, 3}).contiguous();
    check(at::equal(wrap_round(ring, 2).select(2, 0), at::tensor({110, 40}, at::kByte).view({1, 2})),
          "the edge is what went on behind it, then the mean");
    check(at::equal(wrap_round(ring, 0), ring), "nothing to wrap");
    const at::Tensor flat = at::full({3, 9, 3}, 77, at::kByte);
    check(at::equal(wrap_round(flat, 3), flat.narrow(1, 0, 6)), "flat stays flat");
  }

  void refusals() {
    refused([&] { (void)wrap_round(at::zeros({2, 6, 3}, at::kByte), 4); }, "narrower");
    const hr::TileLayout pixels = layout_of({64, 64}, {32, 32}, 16, 8);
    const at::Tensor latents = at::zeros({1, 2, 8, 8});
    const auto wrong_size = [](const at::Tensor& x) { return at::zeros({1, 3, x.size(2) * 4, x.size(3) * 8}); };
    refused([&] { (void)decode_tiles(pixels, 8, latents, wrong_size); }, "expected a height and width");
    const auto infinite = [](const at::Tensor& x) { return at::full({1, 3, x.size(2) * 8, x.size(3) * 8}, INFINITY); };
    refused([&] { (void)decode_tiles(pixels, 8, latents, infinite); }, "not finite");
    refused([&] { (void)decode_tiles(pixels, 3, latents, infinite); }, "tiles of the image");
  }

  ModelConfig config_;
  Checkpoint checkpoint_;
  VaeDecoder decoder_;
};

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  return hunyuan_generate::run_on_folder<hunyuan_generate::VaeTilesTest>("hunyuan-generate-vae-tiles-test", count,
                                                                         values);
}
