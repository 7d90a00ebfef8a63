// SPDX-License-Identifier: MIT
// Ids of the special tokens, both directions.
#include <hunyuan_reso/hunyuan_reso.hpp>

namespace hr = hunyuan_reso;

namespace {

struct Named {
  std::string_view text;
  hr::TokenId id;
};

constexpr Named table[] = {
    {"<|endoftext|>", 127957},
    {"<|startoftext|>", 127958},
    {"<boi>", 128000},
    {"<eoi>", 128001},
    {"<boa>", 128002},
    {"<eoa>", 128003},
    {"<bov>", 128004},
    {"<eov>", 128005},
    {"<img>", 128006},
    {"<audio>", 128007},
    {"<video>", 128008},
    {"<pad>", 128009},
    {"<cfg>", 128010},
    {"<iw>", 128011},
    {"<ih>", 128012},
    {"<bot>", 128013},
    {"<eot>", 128014},
    {"<text>", 128015},
    {"<mask>", 128016},
    {"<timestep>", 128017},
    {"<recaption>", 128018},
    {"</recaption>", 128019},
    {"<bof>", 128020},
    {"<eof>", 128021},
    {"<face>", 128022},
    {"<think>", 128023},
    {"</think>", 128024},
    {"<answer>", 128025},
    {"</answer>", 128026},
    {"<und_boi>", 128027},
    {"<und_eoi>", 128028},
    {"<src_boi>", 128029},
    {"<src_eoi>", 128030},
    {"<gen_boi>", 128031},
    {"<gen_eoi>", 128032},
    {"<gen_img>", 128033},
    {"<img_size_256>", 128034},
    {"<img_size_512>", 128035},
    {"<img_size_768>", 128036},
    {"<img_size_1024>", 128037},
    {"<img_size_1536>", 128038},
    {"<img_size_2048>", 128039},
    {"<img_size_3072>", 128040},
    {"<img_size_4096>", 128041},
    {"<img_size_6144>", 128042},
    {"<img_size_8192>", 128043},
    {"<img_ratio_0>", 128044},
    {"<img_ratio_16>", 128060},
    {"<img_ratio_32>", 128076},
    {"<joint_img_sep>", 128077},
    {"<ref>", 128078},
    {"</ref>", 128079},
    {"<quad>", 128080},
    {"</quad>", 128081},
    {"<pos_x_0>", 128082},
    {"<pos_x_999>", 129081},
    {"<pos_y_0>", 129082},
    {"<pos_y_999>", 130081},
    {"<guidance>", 130082},
    {"<relation_0>", 130083},
    {"<relation_9>", 130092},
    {"</relation_0>", 130093},
    {"</relation_9>", 130102},
    {"<img_ratio_33>", 130103},
    {"<img_ratio_34>", 130104},
    {"<img_ratio_35>", 130105},
    {"<img_ratio_36>", 130106},
    {"<timestep_r>", 130107},
};

constexpr bool table_agrees() {
  const hr::ModelProfile& profile = hr::profiles::instruct;
  for (const Named& token : table) {
    const auto id = hr::find_token(profile, token.text);
    const auto text = hr::token_text(profile, token.id);
    if (!id || *id != token.id || !text || text->view() != token.text) return false;
  }
  return true;
}
static_assert(table_agrees());

static_assert(hr::tokens::bos == 127958 && hr::tokens::eos == 127957 && hr::tokens::pad == 128009);
static_assert(hr::tokens::boi == 128000 && hr::tokens::eoi == 128001 && hr::tokens::img == 128006);
static_assert(hr::tokens::cfg == 128010 && hr::tokens::timestep == 128017 && hr::tokens::guidance == 130082);
static_assert(hr::tokens::joint_img_sep == 128077 && hr::tokens::timestep_r == 130107);
static_assert(hr::tokens::think == 128023 && hr::tokens::end_think == 128024);
static_assert(hr::tokens::recaption == 128018 && hr::tokens::end_recaption == 128019);
static_assert(hr::tokens::answer == 128025 && hr::tokens::end_answer == 128026);

// What is no special token.
constexpr bool has_no_text(hr::TokenId id) {
  return hr::token_text(hr::profiles::instruct, id).error() == hr::Errc::not_a_special_token;
}
static_assert(has_no_text(127956) && has_no_text(127959) && has_no_text(127999));
static_assert(has_no_text(130108) && has_no_text(-1) && has_no_text(hr::max_side));
constexpr hr::Errc error_of(std::string_view text) { return hr::find_token(hr::profiles::instruct, text).error(); }
static_assert(error_of("") == hr::Errc::not_a_special_token && error_of("<img>x") == hr::Errc::not_a_special_token);
static_assert(error_of("<img_ratio_37>") == hr::Errc::ratio_index_out_of_range);
static_assert(error_of("<img_ratio_01>") == hr::Errc::not_a_special_token);
static_assert(error_of("<img_size_1000>") == hr::Errc::unknown_base_size);
static_assert(error_of("<img_size_8193>") == hr::Errc::unknown_base_size);
static_assert(error_of("<pos_x_1000>") == hr::Errc::not_a_special_token);
static_assert(error_of("<img_ratio_4294967296>") == hr::Errc::ratio_index_out_of_range);

// The base checkpoint's tokenizer ends at <guidance>.
static_assert(hr::find_token(hr::profiles::base, "<guidance>") && !hr::find_token(hr::profiles::base, "<timestep_r>"));
static_assert(!hr::token_text(hr::profiles::base, 130083) && !hr::token_text(hr::profiles::base, 130103));

// Base sizes.
constexpr std::int32_t ladder[] = {256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192};
constexpr bool ladder_agrees() {
  for (const hr::ModelProfile* profile : hr::profiles::all) {
    hr::TokenId id = 128034;
    for (const std::int32_t base_size : ladder) {
      if (hr::size_token_id(*profile, base_size).value_or(0) != id) return false;
      if (hr::base_size_of(*profile, id).value_or(0) != base_size) return false;
      ++id;
    }
    const std::int32_t no_sizes[] = {1000, 0, -256};
    for (const std::int32_t base_size : no_sizes) {
      if (hr::size_token_id(*profile, base_size).error() != hr::Errc::unknown_base_size) return false;
    }
    const hr::TokenId no_ids[] = {128033, 128044, -2147483647 - 1};
    for (const hr::TokenId other : no_ids) {
      if (hr::base_size_of(*profile, other).error() != hr::Errc::not_a_size_token) return false;
    }
  }
  return true;
}
static_assert(ladder_agrees());

// Ratios: not contiguous, and not all in every profile.
constexpr bool ratios_agree(const hr::ModelProfile& profile, std::size_t count) {
  if (hr::ratio_token_count(profile) < count) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const hr::TokenId id = static_cast<hr::TokenId>(i) + (i < 33 ? 128044 : 130103 - 33);
    const auto found = hr::ratio_token_id(profile, i);
    const auto index = hr::ratio_index_of(profile, id);
    if (!found || *found != id || !index || *index != i) return false;
  }
  return !hr::ratio_token_id(profile, count);
}
static_assert(ratios_agree(hr::profiles::base, 33));
static_assert(ratios_agree(hr::profiles::instruct, 37));
static_assert(ratios_agree(hr::profiles::instruct_distil, 37));
static_assert(ratios_agree(hr::profiles::panorama, 37));
static_assert(hr::ratio_token_id(hr::profiles::base, 33).error() == hr::Errc::ratio_index_out_of_range);
static_assert(hr::ratio_token_id(hr::profiles::instruct, 37).error() == hr::Errc::ratio_index_out_of_range);
static_assert(hr::ratio_token_id(hr::profiles::panorama, 37).error() == hr::Errc::ratio_token_id_unknown);
static_assert(!hr::ratio_index_of(hr::profiles::base, 130103) && !hr::ratio_index_of(hr::profiles::instruct, 128077));
static_assert(!hr::ratio_index_of(hr::profiles::instruct, 128043) &&
              !hr::ratio_index_of(hr::profiles::instruct, 130107));

// The id that the caller supplies.
constexpr hr::ModelProfile supplied = *hr::profiles::panorama.with_ratio_token_id(37, 131000);
static_assert(*hr::ratio_token_id(supplied, 37) == 131000 && *hr::ratio_index_of(supplied, 131000) == 37);
static_assert(*hr::find_token(supplied, "<img_ratio_37>") == 131000);
static_assert(hr::token_text(supplied, 131000)->view() == "<img_ratio_37>");
static_assert(hr::profiles::panorama.with_ratio_token_id(37, 128006).error() == hr::Errc::token_id_taken);
static_assert(hr::profiles::panorama.with_ratio_token_id(38, 131000).error() == hr::Errc::ratio_index_out_of_range);

// A generated token that is no ratio: the base release takes 1:1, the later ones have no fallback.
static_assert(*hr::generated_ratio_index(hr::profiles::instruct, 130105) == 35);
static_assert(hr::generated_ratio_index(hr::profiles::instruct, 127957).error() == hr::Errc::not_a_ratio_token);
static_assert(*hr::generated_ratio_index(hr::profiles::base, 127957) == 16);

// The last ratio token of an id stream.
constexpr hr::TokenId stream[] = {5, 128060, 130106, 7};
static_assert(*hr::last_ratio_index(hr::profiles::instruct, stream, 4) == 36);
static_assert(*hr::last_ratio_index(hr::profiles::base, stream, 4) == 16);
static_assert(hr::last_ratio_index(hr::profiles::instruct, stream, 1).error() == hr::Errc::no_ratio_token);

}  // namespace
