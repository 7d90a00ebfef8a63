// SPDX-License-Identifier: MIT
#include "csv.h"

namespace {

using State = csv_parser::State;

bool is_blank(unsigned char c) { return c == ' ' || c == '\t'; }
bool is_end(unsigned char c) { return c == '\r' || c == '\n'; }

struct Run {
  csv_parser& parser;
  void (*on_field)(void*, std::size_t, void*);
  void (*on_record)(int, void*);
  void* self;

  void keep(unsigned char c) {
    parser.field->push_back(static_cast<char>(c));
    parser.blanks =
        is_blank(c) && (!parser.quoted || parser.state == State::field_may_have_ended) ? parser.blanks + 1 : 0;
  }
  /// `dropped`: bytes at the end that are no part of the field.
  void end_field(std::size_t dropped) {
    parser.field->resize(parser.field->size() - dropped);
    on_field(&(*parser.field)[0], parser.field->size(), self);
    parser.field->clear();
    parser.quoted = false;
    parser.blanks = 0;
    parser.state = State::field_not_begun;
  }
  void end_record(unsigned char c) {
    on_record(c, self);
    parser.state = State::row_not_begun;
  }

  /// False where strict mode refuses the byte.
  bool take(unsigned char c) {
    if (parser.state == State::field_begun) return in_field(c);
    if (parser.state == State::field_may_have_ended) return behind_quote(c);
    before_field(c);
    return true;
  }
  void before_field(unsigned char c) {
    if (is_blank(c) && c != parser.delimiter) return;
    if (is_end(c)) {
      if (parser.state != State::field_not_begun) return;
      end_field(0);
      return end_record(c);
    }
    if (c == parser.delimiter) return end_field(0);
    parser.state = State::field_begun;
    parser.quoted = c == '"';
    if (!parser.quoted) keep(c);
  }
  bool in_field(unsigned char c) {
    if (c == '"') {
      if (!parser.quoted) return false;
      parser.field->push_back('"');
      parser.blanks = 0;
      parser.state = State::field_may_have_ended;
    } else if (c == parser.delimiter && !parser.quoted) {
      end_field(parser.blanks);
    } else if (is_end(c) && !parser.quoted) {
      end_field(parser.blanks);
      end_record(c);
    } else {
      keep(c);
    }
    return true;
  }
  /// The field ends with a quote that was kept, and blanks: either its end, or the first of two quotes.
  bool behind_quote(unsigned char c) {
    if (c == parser.delimiter || is_end(c)) {
      end_field(parser.blanks + 1);
      if (is_end(c)) end_record(c);
    } else if (is_blank(c)) {
      keep(c);
    } else if (c == '"' && parser.blanks == 0) {
      parser.state = State::field_begun;
    } else {
      return false;
    }
    return true;
  }
};

}  // namespace

int csv_init(csv_parser* parser, unsigned char) {
  *parser = {State::row_not_begun, false, ',', 0, new std::string};
  return 0;
}

void csv_free(csv_parser* parser) {
  delete parser->field;
  parser->field = nullptr;
}

void csv_set_delim(csv_parser* parser, unsigned char delimiter) { parser->delimiter = delimiter; }

std::size_t csv_parse(csv_parser* parser, const void* text, std::size_t size,
                      void (*on_field)(void* field, std::size_t size, void* self),
                      void (*on_record)(int end, void* self), void* self) {
  Run run{*parser, on_field, on_record, self};
  const auto* bytes = static_cast<const unsigned char*>(text);
  for (std::size_t i = 0; i < size; ++i) {
    if (!run.take(bytes[i])) return i;
  }
  return size;
}
