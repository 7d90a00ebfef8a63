// SPDX-License-Identifier: MIT
// Both units include everything: the program links, and there is one of each object.
#include "two_units.hpp"

#include <cstdio>

int main() {
  const Unit here;
  const Unit there = other_unit();
  const bool same = here.profile == there.profile && here.profiles == there.profiles && here.group == there.group &&
                    here.model == there.model && here.boi == there.boi && here.describe == there.describe;
  const auto info = there.describe(*there.model, "16:9", hunyuan_reso::GridMode::snap);
  const bool right = info && info->image_width == 1280 && info->image_height == 720;
  if (!same || !right) std::puts(same ? "wrong image" : "the units see different objects");
  return same && right ? 0 : 1;
}
