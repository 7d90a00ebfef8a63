// SPDX-License-Identifier: MIT
// The library's functions on arrays, for JavaScript. Pointers are into the module's memory; a profile is its number in
// profiles::all. Functions that can refuse return a number of Errc below zero.
#include <hunyuan_reso/attention.hpp>
#include <hunyuan_reso/profile.hpp>
#include <hunyuan_reso/rope.hpp>
#include <hunyuan_reso/vocabulary.hpp>

#include <new>
#include <string>
#include <vector>

#include "host.hpp"
#include "tokenizer_cache.hpp"

namespace {

namespace hr = hunyuan_reso;

constexpr std::size_t most_images = 4096;

std::int32_t refused(hr::Errc error) { return -static_cast<std::int32_t>(error); }

/// A run as JavaScript has it.
struct PlainRun {
  std::int32_t start, stop, kind, in_joint_block, token_height, token_width;
};

/// Too large for the stack.
hr::ImageRun runs[most_images];

std::size_t take_runs(const PlainRun* from, std::size_t count) {
  for (std::size_t i = 0; i < count && i < most_images; ++i) {
    runs[i] = {};
    runs[i].slice = {from[i].start, from[i].stop};
    runs[i].kind = static_cast<hr::ImageRunKind>(from[i].kind);
    runs[i].in_joint_block = from[i].in_joint_block != 0;
    runs[i].token_height = from[i].token_height;
    runs[i].token_width = from[i].token_width;
  }
  return count;
}

}  // namespace

/// The sentence of a refusal, NUL-terminated.
HUNYUAN_RESO_EXPORT(message_of) const char* hunyuan_reso_message_of(std::int32_t refusal) {
  return hr::message(static_cast<hr::Errc>(-refusal));
}

HUNYUAN_RESO_EXPORT(profile_count) std::int32_t hunyuan_reso_profile_count() {
  return static_cast<std::int32_t>(sizeof hr::profiles::all / sizeof hr::profiles::all[0]);
}
HUNYUAN_RESO_EXPORT(profile_name) const char* hunyuan_reso_profile_name(std::int32_t profile) {
  return hr::profiles::all[profile]->name;
}
HUNYUAN_RESO_EXPORT(trained_base_size) std::int32_t hunyuan_reso_trained_base_size(std::int32_t profile) {
  return hr::profiles::all[profile]->trained_base_size;
}
/// Size token number `i` of a profile, or 0 past the last one.
HUNYUAN_RESO_EXPORT(base_size) std::int32_t hunyuan_reso_base_size(std::int32_t profile, std::size_t i) {
  const hr::SizeTokens& sizes = hr::profiles::all[profile]->size_tokens;
  return i < sizes.count ? sizes.base_sizes[i] : 0;
}
/// Pixels of a token along the height.
HUNYUAN_RESO_EXPORT(token_pixels) std::int32_t hunyuan_reso_token_pixels(std::int32_t profile) {
  return hr::profiles::all[profile]->token_pixels_high();
}

/// The text of a special token, NUL-terminated; empty for every other id.
HUNYUAN_RESO_EXPORT(special_text) const char* hunyuan_reso_special_text(std::int32_t profile, hr::TokenId id) {
  static std::string kept;
  const hr::Result<hr::TokenText> text = hr::token_text(*hr::profiles::all[profile], id);
  kept = text ? std::string(text->view()) : std::string();
  return kept.c_str();
}

/// The attention mask of a sequence, drawn small: out[line * fields + column] is the share of allowed (query, key)
/// pairs in a field, 0 .. 255.
HUNYUAN_RESO_EXPORT(mask)
std::int32_t hunyuan_reso_mask(std::int32_t profile, const PlainRun* images, std::size_t count, std::int32_t length,
                               std::int32_t fields, std::uint8_t* out) {
  if (count > most_images) return refused(hr::Errc::too_many_images);
  static hr::Result<hr::BasicAttentionLayout<most_images>> layout = hr::Errc::no_value;
  layout = hr::BasicAttentionLayout<most_images>::create(*hr::profiles::all[profile], runs, take_runs(images, count));
  if (!layout) return refused(layout.error());
  const auto border = [&](std::int32_t i) { return static_cast<std::int32_t>(std::int64_t{length} * i / fields); };
  for (std::int32_t line = 0; line < fields; ++line) {
    for (std::int32_t column = 0; column < fields; ++column) {
      const std::int32_t from = border(column), to = border(column + 1);
      std::int64_t pairs = 0;
      for (std::int32_t query = border(line); query < border(line + 1); ++query) {
        const std::int32_t end = layout->allowed_end(query);
        pairs += end >= to ? to - from : end > from ? end - from : 0;
      }
      const std::int64_t all = std::int64_t{border(line + 1) - border(line)} * (to - from);
      out[line * fields + column] = static_cast<std::uint8_t>(all == 0 ? 0 : 255 * pairs / all);
    }
  }
  return 0;
}

/// The rotary positions of a whole sequence: y and x of each token.
HUNYUAN_RESO_EXPORT(positions)
std::int32_t hunyuan_reso_positions(std::int32_t profile, const PlainRun* images, std::size_t count,
                                    std::int32_t length, hr::RopePosition* out) {
  if (count > most_images) return refused(hr::Errc::too_many_images);
  static hr::Result<hr::BasicRopeLayout<most_images>> layout = hr::Errc::no_value;
  layout =
      hr::BasicRopeLayout<most_images>::create(*hr::profiles::all[profile], runs, take_runs(images, count), length);
  if (!layout) return refused(layout.error());
  return refused(layout->write(out, static_cast<std::size_t>(length)));
}

/// The ids of a text by the tokenizer that was loaded last; writes at most `capacity`, returns how many there are.
HUNYUAN_RESO_EXPORT(encode)
std::size_t hunyuan_reso_encode(const char* text, std::size_t size, hr::TokenId* out, std::size_t capacity) {
  static std::vector<hr::TokenId> ids;
  ids.clear();
  hr::cli::kept_tokenizer().encode({text, size}, ids);
  for (std::size_t i = 0; i < ids.size() && i < capacity; ++i) out[i] = ids[i];
  return ids.size();
}

/// The bytes that a token adds to a text.
HUNYUAN_RESO_EXPORT(token_bytes) const char* hunyuan_reso_token_bytes(hr::TokenId id) {
  return hr::cli::kept_tokenizer().token_bytes(id).data();
}
HUNYUAN_RESO_EXPORT(token_size) std::size_t hunyuan_reso_token_size(hr::TokenId id) {
  return hr::cli::kept_tokenizer().token_bytes(id).size();
}

HUNYUAN_RESO_EXPORT(allocate) void* hunyuan_reso_allocate(std::size_t size) {
  return ::operator new(size, std::nothrow);
}
HUNYUAN_RESO_EXPORT(release) void hunyuan_reso_release(void* memory) { ::operator delete(memory); }
