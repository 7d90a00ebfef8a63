// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_GOLDEN_SEQUENCE_COMPARE_HPP
#define HUNYUAN_RESO_TESTS_GOLDEN_SEQUENCE_COMPARE_HPP

#include <hunyuan_reso/chat.hpp>
#include <string>
#include <vector>

#include "report.hpp"

namespace hunyuan_reso_test {

/// Whether an output is of a batch (a list for every row) or of one row.
enum class OutputForm { batch, one_row };

/// What it means that an output lacks a key.
enum class Recorded {
  everything,                ///< there is nothing under that name
  everything_but_text_mask,  ///< the same; the call makes no text mask
  partly,                    ///< nothing
};

/// Compares all that an output (but for encode_sequence's) records.
void compare_output(const std::vector<hunyuan_reso::TokenSequence>& rows, const Json& output, OutputForm form,
                    Recorded recorded, Report& report);

/// Compares token runs, lists of slices and positions.
void compare_tokens(const hunyuan_reso::TokenSequence& row, const Json& runs, Report& report);
void compare_slices(const std::vector<hunyuan_reso::Slice>& actual, const Json& expected, const std::string& what,
                    Report& report);
void compare_positions(const std::vector<std::int32_t>& actual, const Json& expected, const std::string& what,
                       Report& report);

/// Positions of all <timestep> tokens, of generated and conditioning images.
std::vector<std::int32_t> all_timestep_positions(const hunyuan_reso::TokenSequence& row);

/// Whether the recorded runs hold a null: a name without an id in the stand-in tokenizer's table.
bool has_null_token(const Json& output, OutputForm form);

/// Compares the sections of one row with render_chat's.
void compare_sections(const std::vector<hunyuan_reso::Section>& actual, const Json& expected, Report& report);

/// Reads the ids of a row back, with the images of its sections passed: the same layout must come out, as far as the
/// row goes (a clip leaves what was recorded behind it).
void check_reading(const hunyuan_reso::ModelProfile& profile, const hunyuan_reso::TokenSequence& row,
                   const std::vector<hunyuan_reso::Section>& sections, Report& report);

/// Compares rope_image_info: per attention type and row, the runs that get a grid.
void compare_rope_image_info(const std::vector<hunyuan_reso::TokenSequence>& rows, const Json& info, Report& report);

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_GOLDEN_SEQUENCE_COMPARE_HPP
