// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_EXPLORER_CSV_H
#define HUNYUAN_RESO_EXPLORER_CSV_H

// What the tool uses of libcsv, which Debian has for the machine but not for WebAssembly: strict mode, one parser fed
// in pieces. The same fields and the same refusals; tests/lists.mjs compares them with the tool that libcsv is linked
// to.

#include <cstddef>
#include <string>

#define CSV_STRICT 1

struct csv_parser {
  enum class State { row_not_begun, field_not_begun, field_begun, field_may_have_ended };
  State state;
  bool quoted;
  unsigned char delimiter;
  std::size_t blanks;  ///< at the end of the field
  std::string* field;  ///< made by csv_init
};

int csv_init(csv_parser* parser, unsigned char options);
void csv_free(csv_parser* parser);
void csv_set_delim(csv_parser* parser, unsigned char delimiter);
/// Returns how many bytes were taken: fewer than `size` where a quote breaks the rules.
std::size_t csv_parse(csv_parser* parser, const void* text, std::size_t size,
                      void (*on_field)(void* field, std::size_t size, void* self),
                      void (*on_record)(int end, void* self), void* self);

#endif  // HUNYUAN_RESO_EXPLORER_CSV_H
