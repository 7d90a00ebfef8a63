// SPDX-License-Identifier: MIT
// Any bytes as a tokenizer.json: a reason and a position, or a tokenizer that encodes and decodes.
#include <hunyuan_reso/text/stream_decoder.hpp>

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace text = hunyuan_reso::text;
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const text::TextResult<text::Tokenizer> made = text::Tokenizer::from_json(file);
  if (!made) {
    if (made.error().position > size || made.error().what.empty()) std::abort();
    return 0;
  }
  for (const std::string_view input : {std::string_view("a'\u017ftop  \n e\u0301 \u4e2d<a> 12"), file.substr(0, 200)}) {
    const std::vector<hunyuan_reso::TokenId> ids = made->encode(input);
    text::StreamDecoder stream(*made);
    std::string joined;
    for (const hunyuan_reso::TokenId id : ids) {
      if (made->token_bytes(id).empty() || id >= made->id_end()) std::abort();
      joined += stream.feed(id);
    }
    joined += stream.finish();
    if (joined != made->decode(ids)) std::abort();
  }
  return 0;
}
