// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_TILED_LOOP_HPP
#define HUNYUAN_GENERATE_TILED_LOOP_HPP

#include <ATen/ATen.h>  // Tensor, Device

#include <cstdint>     // int64_t
#include <functional>  // function

#include "adapter/adapter.hpp"
#include "pipeline/graph.hpp"
#include "pipeline/vae_tiles.hpp"

namespace hunyuan_generate {

/// The latents of a canvas whose tiles are refined together: in each step every tile gets a prediction of its own, the
/// predictions are summed with the layout's weights, and then the whole canvas moves. Weights are whole numbers and
/// sums are binary64, so a prediction in which all tiles agree comes out as it went in, to the last bit.
///
/// All buffers are made by the constructor. `batch` and `add` read and write at fixed addresses, the number of the
/// batch included, so that one captured call serves all tiles.
class TiledCanvas {
 public:
  /// `tiles` with one cell a latent; they go in batches of `at_once`, which must divide their number.
  TiledCanvas(const hunyuan_reso::TileLayout& tiles, std::int64_t channels, std::int64_t at_once,
              const ScheduleTensors& schedule, at::Device device)
      : at_once_(at_once) {
    const hunyuan_reso::Resolution canvas = tiles.canvas_cells();
    const hunyuan_reso::Tile size = tiles.tile_cells(0);
    height_ = size.height;
    width_ = size.width;
    if (at_once < 1 || tiles.size() % at_once != 0) {
      throw Error(std::to_string(tiles.size()) + " tiles do not make whole batches of " + std::to_string(at_once));
    }
    const std::int64_t batches = tiles.size() / at_once;
    std::vector<at::Tensor> cells, weights;
    for (std::int32_t i = 0; i < tiles.size(); ++i) {
      const hunyuan_reso::Tile tile = tiles.tile_cells(i);
      const at::Tensor rows = at::arange(tile.top, tile.top + height_, at::kLong).unsqueeze(1) * canvas.width;
      cells.push_back((rows + at::arange(tile.left, tile.left + width_, at::kLong)).flatten());
      weights.push_back(tile_weights(tiles, i).flatten());
    }
    cells_ = at::stack(cells).view({batches, -1}).to(device);
    weights_ = at::stack(weights).view({batches, at_once, -1}).to(device);
    which_ = at::zeros({1}, cells_.options());
    step_ = at::zeros({1}, cells_.options());
    sigma_steps_ = schedule.sigma_steps().to(device);
    latents_ = at::zeros({1, channels, canvas.height, canvas.width}, sigma_steps_.options());
    sums_ = at::zeros({channels, canvas.pixel_count()}, weights_.options());
  }

  /// Sets the latents [1, C, H, W] and the step of the schedule.
  void start(const at::Tensor& latents, std::int64_t step) {
    if (latents.sizes() != latents_.sizes()) {
      throw Error("the canvas's latents are " + shape_text(latents.sizes()) + ", expected " +
                  shape_text(latents_.sizes()));
    }
    latents_.copy_(latents);
    sums_.zero_();
    which_.zero_();
    step_.fill_(step);
  }

  /// The latents of the next tiles, [at once, C, h, w].
  [[nodiscard]] at::Tensor batch() const {
    const at::Tensor cells = cells_.index_select(0, which_).squeeze(0);
    const at::Tensor found = latents_.flatten(2).squeeze(0).index_select(1, cells);
    return found.view({found.size(0), at_once_, height_, width_}).transpose(0, 1).contiguous();
  }

  /// Takes the predicted directions of these tiles, and goes on to those after them.
  void add(const at::Tensor& directions) {
    const at::Tensor cells = cells_.index_select(0, which_).view({at_once_, -1});
    const at::Tensor weighted =
        directions.flatten(2).to(at::kDouble) * weights_.index_select(0, which_).view({at_once_, 1, -1});
    // Tile by tile: cells of one tile differ, so the order of every sum is known.
    for (std::int64_t i = 0; i < at_once_; ++i) sums_.index_add_(1, cells.select(0, i), weighted.select(0, i));
    which_.add_(1);
  }

  /// After the last batch of a step: moves the latents along the summed directions.
  void finish_step() {
    const at::Tensor direction = (sums_ / static_cast<double>(hunyuan_reso::TileLayout::weight_one)).to(at::kFloat);
    latents_.add_(direction.view(latents_.sizes()) * sigma_steps_.index_select(0, step_));
    sums_.zero_();
    which_.zero_();
    step_.add_(1);
  }

  [[nodiscard]] std::int64_t batches() const { return cells_.size(0); }
  [[nodiscard]] std::int64_t at_once() const { return at_once_; }
  /// Current latents [1, C, H, W], float32.
  [[nodiscard]] const at::Tensor& latents() const noexcept { return latents_; }

 private:
  std::int64_t at_once_, height_, width_;  // of a tile, in latents
  at::Tensor cells_;                       // [batches, at once * h w], int64: where a batch's latents lie in the canvas
  at::Tensor weights_;                     // [batches, at once, h w], binary64 whole numbers
  at::Tensor which_, step_;                // [1], int64
  at::Tensor sigma_steps_;                 // [steps]
  at::Tensor latents_, sums_;              // [1, C, H, W] float32, [C, H W] binary64
};

/// What predicts directions for a canvas.
struct TileModel {
  /// Latents of some tiles, [at once, C, h, w], to their directions at the current step. `first`: the very first call.
  std::function<at::Tensor(const at::Tensor& latents, bool first)> direction;
  std::function<void()> next_step = {};  ///< all tiles of a step are done
  std::function<void()> get_on = {};     ///< this process does not wait for another one: see Team::get_on
};
/// The model itself. The denoiser must have as many pictures as tiles go at once, and outlive what is returned.
inline TileModel tile_model(Denoiser& denoiser) {
  return {[&](const at::Tensor& latents, bool first) { return denoiser.direction(latents, first); },
          [&] { denoiser.next_step(); }, [&] { denoiser.parallel().get_on(); }};
}

/// Refines a canvas that was started, through `steps` steps, by run_calls. The report hears of each finished call, from
/// 0 on; `times.steps` has the seconds of each.
inline LoopTimes run_tiles(TiledCanvas& canvas, const TileModel& model, std::int64_t steps, at::Device device,
                           bool graph, const StepReport& report) {
  CallLoop loop{steps * canvas.batches(),
                [&](std::int64_t number) { canvas.add(model.direction(canvas.batch(), number == 0)); }};
  loop.ended = model.get_on;
  loop.between = [&](std::int64_t number) {
    if (model.get_on) model.get_on();
    if ((number + 1) % canvas.batches() != 0) return;
    canvas.finish_step();
    if (model.next_step) model.next_step();
  };
  loop.ahead = 4;
  return run_calls(loop, device, graph, report);
}

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_TILED_LOOP_HPP
