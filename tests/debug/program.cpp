// SPDX-License-Identifier: MIT
// Stopped in stop(), a debugger shows the variables of its caller.
#include <hunyuan_reso/image_info.hpp>
#include <hunyuan_reso/image_runs.hpp>

namespace hr = hunyuan_reso;

__attribute__((noinline)) void stop() { asm volatile(""); }

int main() {
  const hr::Resolution size{1024, 768};
  const hr::Slice slice{3, 10};
  const hr::ResolutionGroup group = *hr::make_group(hr::profiles::instruct, 2048);
  const hr::Result<hr::Resolution> good = size;
  const hr::Result<hr::ImageSize> bad = hr::parse_image_size("12*4", hr::profiles::instruct);
  const hr::ModelProfile profile = hr::profiles::panorama;
  stop();
  return static_cast<int>(group.size() + slice.length() + good->width + bad.position() + profile.steps) == 0;
}
