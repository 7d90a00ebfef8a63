// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_HUNYUAN_RESO_HPP
#define HUNYUAN_RESO_HUNYUAN_RESO_HPP

// The whole library but text/.
#include "attention.hpp"
#include "chat.hpp"
#include "cost.hpp"
#include "crop.hpp"
#include "diagnostics.hpp"
#include "enlarge.hpp"
#include "generation.hpp"
#include "group_spec.hpp"
#include "image_info.hpp"
#include "image_runs.hpp"
#include "image_size.hpp"
#include "logits.hpp"
#include "model.hpp"
#include "plan.hpp"
#include "presets.hpp"
#include "profile.hpp"
#include "profile_types.hpp"
#include "request.hpp"
#include "resolution.hpp"
#include "resolution_group.hpp"
#include "result.hpp"
#include "rope.hpp"
#include "schedule.hpp"
#include "sequence.hpp"
#include "sequence_types.hpp"
#include "snap_batch.hpp"
#include "stage_machine.hpp"
#include "text_stage.hpp"
#include "tiles.hpp"
#include "tokens.hpp"
#include "version.hpp"
#include "vocabulary.hpp"

#endif  // HUNYUAN_RESO_HUNYUAN_RESO_HPP
