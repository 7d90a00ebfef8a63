// SPDX-License-Identifier: MIT
// load_tokenizer for a program that asks many times: the file is read once, and checked against each profile.
#define load_tokenizer load_tokenizer_anew
#include "../../cli/tokenizer_file.cpp"
#undef load_tokenizer

#include "host.hpp"
#include "tokenizer_cache.hpp"

namespace hunyuan_reso::cli {
namespace {

struct Cache {
  std::string path;
  text::Tokenizer tokenizer;
};
Cache& cache() {
  static Cache kept;
  return kept;
}

}  // namespace

text::Tokenizer load_tokenizer(const std::string& path, const ModelProfile& profile, bool any_vocabulary) {
  const std::string name = "'" + printable(path) + "'";
  if (cache().path.empty() || cache().path != path) {
    cache() = {};  // the memory is needed for the next one
    cache() = {path, load_tokenizer_anew(path, profile, true)};
  } else if (const std::string differences = sentences_on_ids(cache().tokenizer); !differences.empty()) {
    write_error("hunyuan-reso: " + name + ": " + differences + '\n');
  }
  if (!any_vocabulary) require_vocabulary(name, profile, cache().tokenizer);
  return cache().tokenizer;
}

const text::Tokenizer& kept_tokenizer() { return cache().tokenizer; }

}  // namespace hunyuan_reso::cli

/// To be called when a file of the same name has another content.
HUNYUAN_RESO_EXPORT(forget_files) void hunyuan_reso_forget_files() { hunyuan_reso::cli::cache() = {}; }
