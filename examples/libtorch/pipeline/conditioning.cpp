// SPDX-License-Identifier: MIT
#include "pipeline/conditioning.hpp"

#include <algorithm>  // min, max
#include <cmath>      // ceil, sin
#include <vector>     // vector

#include "adapter/adapter.hpp"

namespace hunyuan_generate {
namespace {

constexpr int precision_bits = 32 - 8 - 2;  // 8 bits of a pixel, 2 of overshoot

// What one output pixel is made of: weights of the input pixels from `first` on.
struct Window {
  std::int64_t first = 0;
  std::vector<std::int32_t> weights;
};

double sinc(double x) { return x == 0 ? 1 : std::sin(x * M_PI) / (x * M_PI); }

double filter_value(ResizeFilter filter, double x) {
  if (filter == ResizeFilter::bilinear) return std::abs(x) < 1 ? 1 - std::abs(x) : 0;
  return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

std::vector<Window> make_windows(std::int64_t in, std::int64_t out, ResizeFilter filter) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double stretch = std::max(scale, 1.0);
  const double support = (filter == ResizeFilter::bilinear ? 1.0 : 3.0) * stretch;
  std::vector<Window> windows(static_cast<std::size_t>(out));
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(centre - support + 0.5));
    const auto last = std::min<std::int64_t>(in, static_cast<std::int64_t>(centre + support + 0.5));
    std::vector<double> weights;
    double sum = 0;
    for (std::int64_t x = first; x < last; ++x) {
      weights.push_back(filter_value(filter, (static_cast<double>(x) - centre + 0.5) * (1.0 / stretch)));
      sum += weights.back();
    }
    windows[i].first = first;
    for (const double weight : weights) {
      const double fixed = (sum != 0 ? weight / sum : weight) * (1 << precision_bits);
      windows[i].weights.push_back(static_cast<std::int32_t>(fixed < 0 ? fixed - 0.5 : fixed + 0.5));
    }
  }
  return windows;
}

// One pass: of `lines` lines of `in` pixels, each pixel `step` and each line `stride` values from the next.
struct Axis {
  std::int64_t lines, line_stride, pixel_stride;
};

void resize_axis(const std::uint8_t* in, const Axis& from, std::uint8_t* out, const Axis& to,
                 const std::vector<Window>& windows) {
  for (std::int64_t line = 0; line < from.lines; ++line) {
    for (std::size_t i = 0; i < windows.size(); ++i) {
      const Window& window = windows[i];
      const std::uint8_t* pixel = in + line * from.line_stride + window.first * from.pixel_stride;
      std::uint8_t* result = out + line * to.line_stride + static_cast<std::int64_t>(i) * to.pixel_stride;
      for (int channel = 0; channel < 3; ++channel) {
        std::int64_t sum = std::int64_t{1} << (precision_bits - 1);
        for (std::size_t k = 0; k < window.weights.size(); ++k) {
          sum += std::int64_t{pixel[static_cast<std::int64_t>(k) * from.pixel_stride + channel]} * window.weights[k];
        }
        result[channel] = static_cast<std::uint8_t>(std::clamp<std::int64_t>(sum >> precision_bits, 0, 255));
      }
    }
  }
}

}  // namespace

at::Tensor resize_picture(const at::Tensor& pixels, std::int64_t height, std::int64_t width, ResizeFilter filter) {
  at::Tensor image = pixels.contiguous();
  const auto data = [](const at::Tensor& x) { return x.data_ptr<std::uint8_t>(); };
  if (image.size(1) != width) {
    const at::Tensor out = at::empty({image.size(0), width, 3}, at::kByte);
    resize_axis(data(image), {image.size(0), image.size(1) * 3, 3}, data(out), {image.size(0), width * 3, 3},
                make_windows(image.size(1), width, filter));
    image = out;
  }
  if (image.size(0) != height) {
    const at::Tensor out = at::empty({height, width, 3}, at::kByte);
    resize_axis(data(image), {width, 3, width * 3}, data(out), {width, 3, width * 3},
                make_windows(image.size(0), height, filter));
    image = out;
  }
  return image;
}

at::Tensor vae_picture(const at::Tensor& pixels, hunyuan_reso::Resolution row, bool align_output) {
  const hunyuan_reso::Resolution original{static_cast<std::int32_t>(pixels.size(0)),
                                          static_cast<std::int32_t>(pixels.size(1))};
  const auto how =
      require(hunyuan_reso::resize_conditioning_image(original, row, align_output), "conditioning picture");
  const at::Tensor resized = resize_picture(pixels, how.resized_height, how.resized_width, ResizeFilter::lanczos);
  return resized.narrow(0, how.crop_top, row.height).narrow(1, how.crop_left, row.width).contiguous();
}

at::Tensor vae_input(const at::Tensor& picture) {
  return ((picture.to(at::kFloat) / 255 - 0.5) / 0.5).permute({2, 0, 1}).unsqueeze(0).contiguous();
}

VisionInput vision_input(const at::Tensor& pixels, hunyuan_reso::Resolution grid, std::int64_t patch,
                         std::int64_t slots) {
  const std::int64_t count = grid.pixel_count();
  const at::Tensor resized = resize_picture(pixels, grid.height * patch, grid.width * patch, ResizeFilter::bilinear);
  VisionInput input;
  input.patches = resized.view({grid.height, patch, grid.width, patch, 3}).transpose(1, 2).reshape({count, -1});
  input.pixels = at::zeros({1, slots, input.patches.size(1)}, at::kFloat);
  input.pixels[0].narrow(0, 0, count).copy_((input.patches.to(at::kFloat) / 255 - 0.5) / 0.5);
  input.grid = at::tensor({std::int64_t{grid.height}, std::int64_t{grid.width}}, at::kLong).unsqueeze(0);
  input.mask = at::zeros({1, slots}, at::kLong);
  input.mask.narrow(1, 0, count).fill_(1);
  return input;
}

}  // namespace hunyuan_generate
