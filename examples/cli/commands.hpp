// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_COMMANDS_HPP
#define HUNYUAN_RESO_CLI_COMMANDS_HPP

#include <CLI/CLI.hpp>
#include <functional>

// The commands, in the order of --help. To add one: its name here, and NAME.cpp (which defines add_NAME) in
// CMakeLists.txt.
#define HUNYUAN_RESO_CLI_COMMANDS(X) \
  X(table)                           \
  X(snap)                            \
  X(merge)                           \
  X(presets)                         \
  X(token)                           \
  X(explain)                         \
  X(plan)                            \
  X(tiles)                           \
  X(sequence)                        \
  X(encode)                          \
  X(decode)

namespace hunyuan_reso::cli {

/// A command of the tool: its options, and what to do once they are parsed. `run` returns the exit status, or throws
/// Refusal, UsageError or ReaderGone.
struct Command {
  CLI::App* app;
  std::function<int()> run;
};

#define HUNYUAN_RESO_CLI_DECLARE(name) Command add_##name(CLI::App& tool);
HUNYUAN_RESO_CLI_COMMANDS(HUNYUAN_RESO_CLI_DECLARE)
#undef HUNYUAN_RESO_CLI_DECLARE

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_COMMANDS_HPP
