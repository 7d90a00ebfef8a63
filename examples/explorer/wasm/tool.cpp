// SPDX-License-Identifier: MIT
// The tool's commands as one function: arguments in, the result and the errors out through the host. What main.cpp is
// to the tool at a terminal.
#include <vector>

#include "../../cli/commands.hpp"
#include "../../cli/failure.hpp"
#include "../../cli/output.hpp"
#include "host.hpp"

namespace hunyuan_reso::cli {
namespace {

int report(const std::string& reason, int status) {
  write_error("hunyuan-reso: " + reason + '\n');
  return status;
}

int run(const std::string& name, const std::vector<std::string>& arguments) {
  CLI::App tool;
  for (const auto add : {add_table, add_snap, add_explain, add_plan, add_tiles, add_sequence}) {
    const Command command = add(tool);
    if (command.app->get_name() != name) continue;
    command.app->parse(arguments);
    return command.run();
  }
  return report("unknown command '" + spelled(name) + "'", exit_usage);
}

}  // namespace
}  // namespace hunyuan_reso::cli

/// Runs a command. A refusal ends in hunyuan_reso_host_stop. `packed`: its name and its arguments, each with a zero
/// byte behind it. Returns the exit status.
HUNYUAN_RESO_EXPORT(call) std::int32_t hunyuan_reso_call(const char* packed, std::size_t size) {
  using namespace hunyuan_reso::cli;
  std::vector<std::string> texts;
  for (std::string_view rest(packed, size); !rest.empty();) {
    const std::size_t end = rest.find('\0');
    texts.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  if (texts.empty()) return exit_usage;
  const std::string name = texts[0];
  texts.erase(texts.begin());
  return run(name, texts);
}
