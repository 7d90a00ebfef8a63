// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_HUNYUAN_RESO_HPP
#define HUNYUAN_RESO_HUNYUAN_RESO_HPP

// The whole library but text/.
#include "attention.hpp"
#include "chat_template.hpp"
#include "crop.hpp"
#include "diagnostics.hpp"
#include "group_spec.hpp"
#include "image_block.hpp"
#include "image_info.hpp"
#include "image_runs.hpp"
#include "image_size.hpp"
#include "logits.hpp"
#include "plan.hpp"
#include "plan_text.hpp"
#include "presets.hpp"
#include "profile.hpp"
#include "refeed.hpp"
#include "resolution.hpp"
#include "resolution_group.hpp"
#include "result.hpp"
#include "rope.hpp"
#include "rope_table.hpp"
#include "sequence.hpp"
#include "snap_batch.hpp"
#include "text_stage.hpp"
#include "tokens.hpp"
#include "version.hpp"
#include "vocabulary.hpp"

#endif  // HUNYUAN_RESO_HUNYUAN_RESO_HPP
