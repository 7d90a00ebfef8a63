// SPDX-License-Identifier: MIT
// Any bytes as a tokenizer.json: a reason and a position, or a tokenizer that encodes and decodes.
#include <hunyuan_reso/text/stream_decoder.hpp>

#include "fuzz.hpp"

namespace text = hunyuan_reso::text;
using hunyuan_reso::TokenId;

FUZZ_TARGET(tokenizer_json) {
  const text::TextResult<text::Tokenizer> made = text::Tokenizer::from_json(input);
  if (!made) {
    ALWAYS(made.error().position <= input.size() && !made.error().what.empty());
    ALWAYS(made->encode(input).empty() && made->vocabulary_size() == 0);
    return;
  }
  for (TokenId id = 0; id < made->id_end() && id < 3000; ++id) {
    const std::string token = made->id_to_token(id);
    ALWAYS(token.empty() == made->token_bytes(id).empty());
    ALWAYS(token.empty() || made->token_to_id(token) == id);
  }
  for (const std::string_view sample :
       {std::string_view("a'\u017ftop  \n e\u0301 \u4e2d<a> 12"), input.substr(0, 200)}) {
    const std::vector<TokenId> ids = made->encode(sample);
    ALWAYS(ids == made->encode(sample));
    text::StreamDecoder stream(*made);
    std::string joined;
    for (const TokenId id : ids) {
      ALWAYS(!made->token_bytes(id).empty() && id < made->id_end());
      joined += stream.feed(id);
    }
    joined += stream.finish();
    ALWAYS(joined == made->decode(ids));
  }
}
