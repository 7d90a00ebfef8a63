// SPDX-License-Identifier: MIT
// hunyuan-generate-tiled-test DIR: pictures beyond the trained scale, on the CPU, with the recorded network of DIR
// (tiny_a: a base size of 64, tokens of 8 pixels, no image encoder).

#include <cmath>  // abs

#include "pipeline/generator.hpp"
#include "pipeline/refine.hpp"
#include "pipeline/tiled_loop.hpp"
#include "tests/test_support.hpp"

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;

// Layouts in cells: overlap 0, more than half, prime canvases, one tile, wide and high ones.
std::vector<hr::TileLayout> layouts() {
  return {layout_of({8, 8}, {8, 8}, 4),   layout_of({8, 13}, {8, 8}, 0),   layout_of({23, 17}, {8, 8}, 2),
          layout_of({31, 29}, {8, 8}, 7), layout_of({40, 9}, {16, 16}, 4), layout_of({13, 64}, {9, 10}, 5)};
}

std::vector<std::int64_t> divisors(std::int64_t count) {
  std::vector<std::int64_t> found;
  for (std::int64_t i = 1; i <= count; ++i) {
    if (count % i == 0) found.push_back(i);
  }
  return found;
}

class TiledTest : TestReport {
 public:
  explicit TiledTest(const std::filesystem::path& path)
      : folder_(read_folder(path)),
        checkpoint_(path),
        generator_(folder_, *folder_.encoder, checkpoint_, RunOptions{}) {}

  int run() {
    constants();
    coordinates();
    different_tiles();
    refusals();
    one_tile();
    two_tiles_by_hand();
    scaled_rope();
    requests();
    return finish();
  }

 private:
  // Steps of a canvas with predictions that `predict` gives for each tile, by its number.
  template <class Predict>
  at::Tensor run_canvas(const hr::TileLayout& tiles, std::int64_t at_once, const at::Tensor& start, Predict&& predict) {
    const ScheduleTensors schedule = schedule_tensors(steps_, 3.0);
    TiledCanvas canvas(tiles, start.size(1), at_once, schedule, at::kCPU);
    std::int32_t next = 0;
    std::int64_t step = first_;
    TileModel model;
    model.direction = [&](const at::Tensor& latents, bool) {
      std::vector<at::Tensor> directions;
      for (std::int64_t i = 0; i < latents.size(0); ++i, ++next) {
        directions.push_back(predict(next, latents.narrow(0, i, 1), step));
      }
      return at::cat(directions);
    };
    model.next_step = [&] {
      next = 0;
      ++step;
    };
    canvas.start(start, first_);
    std::int64_t heard = 0;
    const LoopTimes times =
        run_tiles(canvas, model, steps_ - first_, at::kCPU, false, [&](std::int64_t, double) { ++heard; });
    check(heard == (steps_ - first_) * tiles.size() / at_once && heard == static_cast<std::int64_t>(times.steps.size()),
          "each call is reported");
    return canvas.latents().clone();
  }

  // What a canvas becomes whose cells all move along `directions` [1, C, H, W] of each step, without any tile.
  template <class Directions>
  at::Tensor run_plain(at::Tensor latents, Directions&& directions) const {
    const at::Tensor factors = schedule_tensors(steps_, 3.0).sigma_steps();
    for (std::int64_t step = first_; step < steps_; ++step) {
      latents = latents + directions(step) * factors.narrow(0, step, 1);
    }
    return latents;
  }

  void constants() {
    for (const hr::TileLayout& tiles : layouts()) {
      const hr::Resolution cells = tiles.canvas_cells();
      const at::Tensor start = at::full({1, 3, cells.height, cells.width}, 0.3F);
      const at::Tensor values = at::tensor({0.7320508F, -1e-6F, 123.45F}).view({1, 3, 1, 1});
      const auto predict = [&](std::int32_t, const at::Tensor& latents, std::int64_t step) {
        return values.expand_as(latents) * (step + 1);
      };
      const at::Tensor expected =
          run_plain(start, [&](std::int64_t step) { return values.expand_as(start) * (step + 1); });
      for (const std::int64_t at_once : divisors(tiles.size())) {
        check(at::equal(run_canvas(tiles, at_once, start, predict), expected),
              "constant predictions: no seam, to the last bit");
      }
    }
  }

  // Each cell's own coordinates on the canvas, from the tile's place alone.
  void coordinates() {
    const auto place = [](const hr::Tile& tile) {
      const at::Tensor rows = at::arange(tile.top, tile.top + tile.height, at::kFloat).view({1, 1, -1, 1}) * 0.37F;
      const at::Tensor columns = at::arange(tile.left, tile.left + tile.width, at::kFloat).view({1, 1, 1, -1}) * -1.1F;
      return at::cat({rows.expand({1, 1, tile.height, tile.width}), columns.expand({1, 1, tile.height, tile.width}),
                      rows * columns},
                     1);
    };
    for (const hr::TileLayout& tiles : layouts()) {
      const hr::Resolution cells = tiles.canvas_cells();
      const at::Tensor start = at::randn({1, 3, cells.height, cells.width});
      const at::Tensor whole = place({0, 0, cells.height, cells.width});
      const at::Tensor expected = run_plain(start, [&](std::int64_t) { return whole; });
      for (const std::int64_t at_once : divisors(tiles.size())) {
        const at::Tensor found =
            run_canvas(tiles, at_once, start, [&](std::int32_t i, const at::Tensor& latents, std::int64_t) {
              check(latents.sizes() == place(tiles.tile_cells(i)).sizes(), "a tile's latents");
              return place(tiles.tile_cells(i));
            });
        check(at::equal(found, expected), "coordinates: no seam, to the last bit");
      }
    }
  }

  // Tiles that disagree: the mean by the layout's weights, cell by cell. What a tile sees is its part of the canvas.
  void different_tiles() {
    for (const hr::TileLayout& tiles : layouts()) {
      const hr::Resolution cells = tiles.canvas_cells();
      at::Tensor expected = at::randn({1, 2, cells.height, cells.width});
      const at::Tensor start = expected.clone();
      const at::Tensor factors = schedule_tensors(steps_, 3.0).sigma_steps();
      for (std::int64_t step = first_; step < steps_; ++step) {
        at::Tensor next = expected.clone();
        for (std::int32_t row = 0; row < cells.height; ++row) {
          for (std::int32_t column = 0; column < cells.width; ++column) {
            for (std::int64_t channel = 0; channel < 2; ++channel) {
              const float value = expected[0][channel][row][column].item<float>();
              double sum = 0;
              for (std::int32_t i = 0; i < tiles.size(); ++i) {
                sum += static_cast<double>(value * static_cast<float>(i + 1)) * tiles.weight(i, row, column);
              }
              const auto direction = static_cast<float>(sum / hr::TileLayout::weight_one);
              next[0][channel][row][column] = value + direction * factors[step].item<float>();
            }
          }
        }
        expected = next;
      }
      const at::Tensor found = run_canvas(tiles, 1, start, [](std::int32_t i, const at::Tensor& latents, std::int64_t) {
        return latents * static_cast<float>(i + 1);
      });
      // A fused multiplication and addition may differ in the last bit of each step.
      const double size = expected.abs().max().item<double>();
      check(distance(found, expected) <= 1e-6 * size, "tiles that disagree are weighted");
    }
  }

  void refusals() {
    const ScheduleTensors schedule = schedule_tensors(steps_, 3.0);
    const hr::TileLayout tiles = layout_of({8, 13}, {8, 8}, 0);
    refused([&] { TiledCanvas(tiles, 2, 3, schedule, at::kCPU); }, "whole batches of 3");
    TiledCanvas canvas(tiles, 2, 2, schedule, at::kCPU);
    refused([&] { canvas.start(at::zeros({1, 2, 13, 8}), 0); }, "expected [1, 2, 8, 13]");
  }

  [[nodiscard]] Request request_of(const std::string& size) const {
    Request request = small_request(folder_, size);
    request.steps = static_cast<std::int32_t>(steps_);
    return request;
  }
  [[nodiscard]] Request target_request(hr::Resolution size, std::int32_t tile, std::int32_t overlap,
                                       double strength) const {
    Request request = request_of("auto");
    request.target = Target{size, tile, overlap, strength, /*enlarges_latents=*/true, 1};
    return request;
  }

  [[nodiscard]] std::unique_ptr<Denoiser> denoiser_of(const PlannedRequest& planned, std::int32_t tiles) const {
    const ScheduleTensors schedule = schedule_tensors(planned.plan().steps, planned.plan().flow_shift);
    return std::make_unique<Denoiser>(
        generator_.model(), image_sequence(planned.profile(), planned.tile_rows({}, tiles), schedule, at::kCPU),
        std::vector<Overwrite>(), schedule, planned.plan().guidance, generator_.compute(), tiles);
  }

  // One tile, full strength: the loop that everybody knows, bit for bit, from latents to pixels.
  void one_tile() {
    const Request request = target_request({96, 88}, 128, 32, 1.0);
    const PlannedRequest planned(folder_, *folder_.encoder, request);
    const hr::EnlargementPlan& plan = *planned.enlargement();
    check(plan.tiles.size() == 1 && plan.first_step == 0 && plan.canvas == hr::Resolution{96, 88}, "one tile");
    const at::Tensor noise = at::randn(canvas_shape(planned));
    const auto loop = denoiser_of(planned, 1);
    run_loop(*loop, noise, plan.tile.steps, at::kCPU, false, {});
    const auto in_tiles = denoiser_of(planned, 1);
    TiledCanvas canvas(plan.tiles, noise.size(1), 1, schedule_tensors(plan.tile.steps, plan.tile.flow_shift), at::kCPU);
    in_tiles->start(noise);
    canvas.start(noise, 0);
    run_tiles(canvas, tile_model(*in_tiles), plan.refinement_steps, at::kCPU, false, {});
    check(at::equal(canvas.latents(), loop->latents()), "one tile is the plain loop, bit for bit");
    check(distance(canvas.latents(), noise) > 0.1, "and something happened");

    Request plain = request_of("96x88");
    plain.grid_mode = hr::GridMode::follow_request;
    const at::Tensor expected = generator_.generate(plain).pictures.front();
    const Outcome outcome = generator_.generate(request);
    check(at::equal(outcome.pictures.front(), expected), "so is the whole request's picture");
  }

  // Two tiles, and the same with nothing of the canvas: a loop of one's own for each tile and step, the weights of each
  // cell asked for one by one.
  void two_tiles_by_hand() {
    Request request = target_request({64, 96}, 64, 32, 0.6);
    const PlannedRequest planned(folder_, *folder_.encoder, request);
    const hr::EnlargementPlan& plan = *planned.enlargement();
    check(plan.tiles.size() == 2 && plan.tiles.columns() == 2, "two tiles");
    check(plan.first_step == 3 && plan.refinement_steps == 3, "strength 0.6 of 6 steps: 2.4 are left out, so 3");
    const at::Tensor start = at::randn(canvas_shape(planned));
    const ScheduleTensors schedule = schedule_tensors(plan.tile.steps, plan.tile.flow_shift);

    at::Tensor expected = start.clone();
    const auto alone = denoiser_of(planned, 1);
    const std::int64_t lefts[] = {0, 4};
    for (std::int64_t step = plan.first_step; step < plan.tile.steps; ++step) {
      at::Tensor sum = at::zeros_like(expected, at::kDouble), weights = at::zeros({8, 12}, at::kDouble);
      for (std::int32_t i = 0; i < 2; ++i) {
        const at::Tensor seen = expected.narrow(3, lefts[i], 8).contiguous();
        alone->start(seen, step);
        alone->first_step();  // the whole sequence, so that nothing is left of the other tile
        const at::Tensor direction =
            (alone->latents() - seen).to(at::kDouble) / schedule.sigma_steps()[step].item<double>();
        for (std::int64_t row = 0; row < 8; ++row) {
          for (std::int64_t column = 0; column < 8; ++column) {
            const double x =
                static_cast<double>(std::min(column + 1, 8 - column)) / 4.0;  // of an overlap of four cells
            const double weight = 0.5 - 0.5 * std::cos(M_PI * std::min(1.0, x));
            sum.select(2, row).select(2, lefts[i] + column).add_(direction.select(2, row).select(2, column) * weight);
            weights[row][lefts[i] + column] += weight;
          }
        }
      }
      expected = (expected + sum / weights * schedule.sigma_steps()[step].item<double>()).to(at::kFloat);
    }

    for (const std::int32_t at_once : {1, 2}) {
      const auto loop = denoiser_of(planned, at_once);
      TiledCanvas canvas(plan.tiles, start.size(1), at_once, schedule, at::kCPU);
      loop->start(at::zeros_like(loop->latents()), plan.first_step);
      canvas.start(start, plan.first_step);
      run_tiles(canvas, tile_model(*loop), plan.refinement_steps, at::kCPU, false, {});
      const double found = distance(canvas.latents(), expected);
      std::printf("two tiles, %d at once: %.3g from the plain computation (moved by %.3g)\n", at_once, found,
                  distance(start, expected));
      check(found <= 2e-4 && distance(start, expected) > 0.1, "two tiles as by hand");
    }
  }

  // The angles of each step, and what the plan says of them.
  void scaled_rope() {
    Request request = request_of("auto");
    request.size = "96x96";
    request.grid_mode = hr::GridMode::follow_request;
    const auto first_directions = [&](hr::RopeScaling scaling, std::int64_t step, bool whole) {
      request.rope_scaling = scaling;
      const PlannedRequest planned(folder_, *folder_.encoder, request);
      const auto loop = generator_.denoiser(planned, generator_.compute());
      const at::Tensor latents = generator_.noise(planned.plan(), 5);
      loop->start(latents, step);
      if (!whole) (void)loop->direction(latents, true);
      return loop->direction(latents, whole);
    };
    using hr::RopeScaling;
    const at::Tensor none = first_directions(RopeScaling::none, 0, true);
    const at::Tensor area = first_directions(RopeScaling::area, 0, true);
    check(distance(none, area) > 1e-4, "rescaling by area changes the prediction");
    check(at::equal(first_directions(RopeScaling::area_by_sigma, 0, true), area), "at full noise it is by area");
    check(at::equal(first_directions(RopeScaling::area_by_sigma, 3, false),
                    first_directions(RopeScaling::area_by_sigma, 3, true)),
          "by noise level every step feeds everything");
    // Step 3 by hand: the angles of a base that is multiplied by itself, factor^(sigma^2 D / (D - 2)).
    request.rope_scaling = RopeScaling::area_by_sigma;
    const PlannedRequest planned(folder_, *folder_.encoder, request);
    check(planned.plan().every_step_feeds_all && planned.plan().rope_area_factor == 2.25, "the plan says so");
    const ScheduleTensors schedule = schedule_tensors(planned.plan().steps, planned.plan().flow_shift);
    hr::ModelProfile by_hand = planned.profile();
    const double sigma = schedule.sigmas[3].item<double>(), width = by_hand.head_dimension;
    by_hand.rope_theta *= std::pow(std::pow(2.25, sigma * sigma), width / (width - 2));
    by_hand.rope_scaling = RopeScaling::none;
    Denoiser loop(generator_.model(), image_sequence(by_hand, planned.image_rows({}, 1), at::kCPU), {}, schedule,
                  planned.plan().guidance, generator_.compute());
    const at::Tensor latents = generator_.noise(planned.plan(), 5);
    loop.start(latents, 3);
    check(distance(loop.direction(latents, true), first_directions(RopeScaling::area_by_sigma, 3, true)) < 1e-5,
          "the angles of a step in the middle");
    check(distance(loop.direction(latents, true), first_directions(RopeScaling::area, 3, true)) > 1e-5,
          "which are not those of full noise");
    // At the trained size nothing changes.
    request.size = "64x64";
    const at::Tensor small = first_directions(RopeScaling::none, 2, true);
    check(at::equal(small, first_directions(RopeScaling::area, 2, true)) &&
              at::equal(small, first_directions(RopeScaling::area_by_sigma, 2, true)),
          "no rescaling at the trained size");
  }

  void requests() {
    Request request = target_request({100, 141}, 64, 16, 0.5);
    int heard = 0;
    std::int64_t last = -1, calls = 0;
    Listener listener;
    listener.planned = [&](const PlannedRequest& planned) { calls = planned.calls(); };
    listener.step = [&](std::int64_t step, double) {
      check(step > last || (step == 0 && last == calls - 1), "progress goes on, picture by picture");
      last = step;
      ++heard;
    };
    const Outcome outcome = generator_.generate(request, listener);
    const hr::EnlargementPlan& plan = *outcome.enlargement;
    check(outcome.pictures.front().sizes() == at::IntArrayRef({100, 141, 3}), "exactly the target's size");
    check(plan.canvas == hr::Resolution{104, 144} && plan.is_refined, "from a canvas of whole tokens");
    check(calls == plan.model_calls && last == calls - 1 && heard == calls, "every call is heard of");
    check(outcome.planned_seconds > 0 && outcome.rates.flop_per_second > 0, "and the plan's seconds are there");
    check(at::equal(generator_.generate(request).pictures.front(), outcome.pictures.front()), "repeatable");
    request.target->tiles_at_once = 3;
    const Outcome batched = generator_.generate(request, {});
    check(batched.enlargement->tiles_at_once == 3, "three tiles at once");
    check(distance(batched.pictures.front(), outcome.pictures.front()) <= 2, "give the same picture");
    request.count = 2;
    request.target->tiles_at_once = 1;
    last = -1;
    const Outcome two = generator_.generate(request, listener);
    check(two.pictures.size() == 2 && last == calls - 1 && heard == 3 * calls, "two pictures");
    check(distance(two.pictures.front(), outcome.pictures.front()) <= 2, "the first of them as alone");
    request.count = 1;
    request.target->size = {60, 64};
    const Outcome within = generator_.generate(request);
    check(!within.enlargement->is_refined && within.pictures.front().size(0) == 60, "a small target");
    request.target->size = {128, 128};
    request.target->overlap = 64;
    refused([&] { (void)generator_.generate(request); }, "the enlargement cannot be planned");
    request.target->overlap = 16;
    request.target->enlarges_latents = false;
    refused([&] { (void)generator_.generate(request); }, "--enlarge latent");
    request.target->strength = 0.0;
    refused([&] { (void)generator_.generate(request); }, "the enlargement cannot be planned");
  }

  static constexpr std::int64_t steps_ = 6, first_ = 2;
  Folder folder_;
  Checkpoint checkpoint_;
  Generator generator_;
};

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  return hunyuan_generate::run_on_folder<hunyuan_generate::TiledTest>("hunyuan-generate-tiled-test", count, values);
}
