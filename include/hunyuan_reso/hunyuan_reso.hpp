// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_HUNYUAN_RESO_HPP
#define HUNYUAN_RESO_HUNYUAN_RESO_HPP

#include "crop.hpp"
#include "image_info.hpp"
#include "image_size.hpp"
#include "presets.hpp"
#include "profile.hpp"
#include "resolution.hpp"
#include "resolution_group.hpp"
#include "result.hpp"
#include "snap_batch.hpp"
#include "tokens.hpp"
#include "version.hpp"
#include "vocabulary.hpp"

#endif  // HUNYUAN_RESO_HUNYUAN_RESO_HPP
