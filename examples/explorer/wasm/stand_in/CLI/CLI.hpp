// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_EXPLORER_CLI_HPP
#define HUNYUAN_RESO_EXPLORER_CLI_HPP

// What the tool's commands use of CLI11, for a program without a command line: the page and the module pass options as
// they are meant, each value in its own text. CLI11 itself brings streams, locales and help texts, more than all of the
// rest. An option is `--name` followed by its value in the next text; what is no option is a positional, and so is all
// behind `--`.

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace CLI {

/// A request with options that make no sense; its text begins with the option.
struct ParseError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A text for people at a terminal: not kept, so that it need not be in the module.
struct Unread {
  template <class Text>
  Unread(const Text&) {}  // NOLINT(google-explicit-constructor)
};

/// Checks or changes a text; returns why it is refused, or nothing.
class Validator {
 public:
  using Function = std::function<std::string(std::string&)>;
  Validator(Function function, const std::string&) : function_(std::move(function)) {}
  [[nodiscard]] std::string operator()(std::string& text) const { return function_(text); }

 private:
  Function function_;
};

class Option {
 public:
  using Store = std::function<void(const std::string&)>;
  Option(std::string name, bool takes_value, bool takes_many, Store store)
      : name_(std::move(name)), takes_value_(takes_value), takes_many_(takes_many), store_(std::move(store)) {}

  Option* required() { return is_required_ = true, this; }
  Option* check(const Validator& check) { return checks_.push_back(check), this; }
  template <class Check>
  Option* check(const Check& function) {
    return check(Validator([function](std::string& text) { return std::string(function(text)); }, ""));
  }
  Option* transform(const Validator& change) { return check(change); }
  Option* type_name(Unread) { return this; }
  Option* allow_extra_args(bool) { return this; }
  [[nodiscard]] std::size_t count() const { return count_; }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool is_positional() const { return name_[0] != '-'; }
  [[nodiscard]] bool takes_value() const { return takes_value_; }
  [[nodiscard]] bool is_full() const { return count_ > 0 && !takes_many_; }
  [[nodiscard]] bool is_missing() const { return is_required_ && count_ == 0; }
  void take(std::string text) {
    if (is_full()) throw ParseError(name_ + ": given twice");
    for (const Validator& check : checks_) {
      const std::string reason = check(text);
      if (!reason.empty()) throw ParseError(name_ + ": " + reason);
    }
    ++count_;
    store_(text);
  }

 private:
  std::string name_;
  bool takes_value_;
  bool takes_many_;
  bool is_required_ = false;
  Store store_;
  std::vector<Validator> checks_;
  std::size_t count_ = 0;
};

class App {
 public:
  explicit App(std::string name = "") : name_(std::move(name)) {}
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  App* add_subcommand(const char* name, Unread) {
    commands_.push_back(std::make_unique<App>(name));
    return commands_.back().get();
  }
  void footer(Unread) {}
  [[nodiscard]] const std::string& get_name() const { return name_; }

  Option* add_option(const std::string& name, std::string& value, Unread = "") {
    return add(name, true, false, [&value](const std::string& text) { value = text; });
  }
  Option* add_option(const std::string& name, std::vector<std::string>& values, Unread = "") {
    return add(name, true, true, [&values](const std::string& text) { values.push_back(text); });
  }
  Option* add_flag(const std::string& name, bool& value, Unread = "") {
    return add(name, false, false, [&value](const std::string&) { value = true; });
  }

  /// Throws ParseError.
  void parse(const std::vector<std::string>& arguments) {
    bool only_positionals = false;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const std::string& text = arguments[i];
      if (!only_positionals && text == "--") {
        only_positionals = true;
        continue;
      }
      if (only_positionals || text.size() < 2 || text[0] != '-' || (text[1] >= '0' && text[1] <= '9')) {
        positional(text).take(text);
        continue;
      }
      Option& option = named(text);
      if (!option.takes_value()) {
        option.take("");
      } else if (++i < arguments.size()) {
        option.take(arguments[i]);
      } else {
        throw ParseError(text + ": 1 required");
      }
    }
    for (const auto& option : options_) {
      if (option->is_missing()) throw ParseError(option->name() + " is required");
    }
  }

 private:
  Option* add(const std::string& name, bool takes_value, bool takes_many, Option::Store store) {
    options_.push_back(std::make_unique<Option>(name, takes_value, takes_many, std::move(store)));
    return options_.back().get();
  }
  Option& named(const std::string& name) {
    for (const auto& option : options_) {
      if (option->name() == name) return *option;
    }
    throw ParseError("there is no option " + name);
  }
  Option& positional(const std::string& text) {
    for (const auto& option : options_) {
      if (option->is_positional() && !option->is_full()) return *option;
    }
    throw ParseError("there is no place for '" + text + "'");
  }

  std::string name_;
  std::vector<std::unique_ptr<Option>> options_;
  std::vector<std::unique_ptr<App>> commands_;
};

}  // namespace CLI

#endif  // HUNYUAN_RESO_EXPLORER_CLI_HPP
