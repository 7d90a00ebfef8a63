// SPDX-License-Identifier: MIT
// A JSON request of the tool's `sequence`: refused with the key at fault, or messages that become rows of one length.
// The first byte of an input chooses the profile, the rest is the request.
#include "sequence_request.hpp"

#include "failure.hpp"
#include "fuzz.hpp"
#include "models.hpp"

namespace {

using namespace hunyuan_reso;
using namespace hunyuan_reso::cli;

std::vector<TokenId> encode(std::string_view text) {
  std::vector<TokenId> ids;
  for (const char c : text) ids.push_back(1000 + static_cast<unsigned char>(c));
  return ids;
}

/// No byte that a terminal would take as a command.
bool is_showable(const std::string& text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20U && c != '\n') || byte == 0x7FU) return false;
  }
  return !text.empty();
}

void check(const SequenceRequest& request, const Selection& selection) {
  ALWAYS(!request.conversations.empty() && request.conversations.size() == request.places.size());
  std::size_t most = 0;
  for (std::size_t i = 0; i < request.conversations.size(); ++i) {
    ALWAYS(!request.conversations[i].empty() && request.conversations[i].size() == request.places[i].size());
    for (const std::string& place : request.places[i]) ALWAYS(is_showable(place));
    most = most < request.conversations[i].size() ? request.conversations[i].size() : most;
  }
  ALWAYS(request.cfg_factor >= 1 && request.max_length >= 1);
  const auto encoder = with_special_tokens(selection.profile(), encode);
  const Result<TokenBatch> batch = encode_chat_batch(selection.model, request.conversations, request.options, encoder,
                                                     request.cfg_factor - 1, request.max_length);
  if (!batch) {
    ALWAYS(batch.error() == Errc::sequence_too_long || batch.error() == Errc::rows_differ ||
           batch.error() == Errc::empty_sequence || batch.position() <= most);
    return;
  }
  ALWAYS(batch->rows.size() == request.conversations.size() * static_cast<std::size_t>(request.cfg_factor));
  for (const TokenSequence& row : batch->rows) {
    ALWAYS(row.length == batch->length && row.length <= request.max_length);
  }
}

}  // namespace

FUZZ_TARGET(request) {
  hunyuan_reso_fuzz::Bytes bytes(input);
  const std::vector<Model>& models = hunyuan_reso_fuzz::published_models();
  const std::uint8_t choice = bytes.byte();
  Selection selection;
  selection.model = models[choice % models.size()];
  selection.order = choice % 2 == 0 ? SideOrder::height_width : SideOrder::width_height;
  selection.generated_rows = selection.group().size() - selection.profile().extras.count;
  try {
    check(read_sequence_request(std::string(bytes.rest()), selection, choice % 3 == 0), selection);
  } catch (const Refusal& refusal) {
    const std::string reason = refusal.what();
    ALWAYS(is_showable(reason) && reason.substr(0, 7) == "request");
  }
}
