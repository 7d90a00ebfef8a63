// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_GOLDEN_SEQUENCE_DIRECT_HPP
#define HUNYUAN_RESO_TESTS_GOLDEN_SEQUENCE_DIRECT_HPP

#include "report.hpp"
#include "sequence_input.hpp"

namespace hunyuan_reso_test {

// Cases of sequence.json that call upstream below the chat template. All throw NotApplicable or
// RefusedInput, before they count.
void check_encode_general(const Json& entry, const SequenceTables& tables, Report& report);
void check_encode_sequence(const Json& entry, const SequenceTables& tables, Report& report);
void check_encode_text(const Json& entry, const SequenceTables& tables, Report& report);

/// Whether upstream found a text cut at its limit, warned and stopped: recorded as an error, since its warning failed.
bool is_warn_and_stop(const Json& entry);

/// Whether upstream's answer is an error and this library's, too. Reports a difference; true: nothing is left to
/// compare.
bool compare_refusal(const Json& entry, bool accepted, Report& report);

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_GOLDEN_SEQUENCE_DIRECT_HPP
