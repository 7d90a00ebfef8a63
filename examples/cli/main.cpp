// SPDX-License-Identifier: MIT
// The hunyuan-reso tool: the resolution and token layer of HunyuanImage-3.0 for a person at a terminal.
#include <algorithm>
#include <exception>
#include <hunyuan_reso/version.hpp>
#include <sstream>
#include <vector>

#include "commands.hpp"
#include "failure.hpp"
#include "options.hpp"
#include "output.hpp"

namespace hunyuan_reso::cli {
namespace {

std::string version_text() {
  return "hunyuan-reso " + std::to_string(HUNYUAN_RESO_VERSION_MAJOR) + "." +
         std::to_string(HUNYUAN_RESO_VERSION_MINOR) + "." + std::to_string(HUNYUAN_RESO_VERSION_PATCH);
}

int report(const std::string& reason, int status) {
  write_error("hunyuan-reso: " + reason + '\n');
  return status;
}

constexpr std::size_t longest = 500;  // bytes of a reason

/// What is wrong with the command line.
std::string parse_failure(const CLI::App& tool, const CLI::ParseError& error, const std::string& first_argument) {
  if (!tool.get_subcommands().empty()) return spelled(error.what(), longest);
  const bool is_option = !first_argument.empty() && first_argument[0] == '-';
  std::string reason = first_argument.empty() ? "no command was given"
                       : is_option            ? spelled(error.what(), longest)
                                              : "unknown command '" + spelled(first_argument) + "'";
  reason += "; the commands are";
  for (const CLI::App* command : tool.get_subcommands([](const CLI::App*) { return true; })) {
    reason += " " + command->get_name();
  }
  return reason;
}

/// Help and version go to standard output, everything else is a wrong command line.
int report_parse_error(const CLI::App& tool, const CLI::ParseError& error, const std::string& first_argument) {
  if (error.get_exit_code() == 0) {
    std::ostringstream help;
    tool.exit(error, help, help);
    Output output("");
    output.write(help.str());
    output.finish();
    return exit_success;
  }
  std::string command;
  for (const CLI::App* used : tool.get_subcommands()) command = used->get_name() + " ";
  return report(parse_failure(tool, error, first_argument) + "\nhunyuan-reso " + command +
                    "--help shows the options and examples.",
                exit_usage);
}

/// CLI11 2.6 breaks the lines of a footer anew unless asked not to; 2.4 and older cannot be asked.
template <class Formatter>
auto keep_footer_lines(Formatter& formatter, int) -> decltype(formatter.enable_footer_formatting(false)) {
  formatter.enable_footer_formatting(false);
}
template <class Formatter>
void keep_footer_lines(Formatter&, long) {}

/// Whether CLI11 splits an argument in brackets at its commas, and the command takes the guard off again.
bool takes_several(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional() && option->get_expected_max() > 1) return true;
  }
  return false;
}

/// The arguments as CLI11 wants them, the last one first. Those in brackets are guarded where it would split them,
/// unless they are the value of an option.
std::vector<std::string> reversed_arguments(const CLI::App& tool, int count, char** values) {
  std::vector<std::string> arguments(values + (count > 0 ? 1 : 0), values + count);
  const CLI::App* command = nullptr;
  for (const CLI::App* known : tool.get_subcommands([](const CLI::App*) { return true; })) {
    if (!arguments.empty() && known->get_name() == arguments[0] && takes_several(*known)) command = known;
  }
  for (std::size_t i = 1; i < arguments.size() && command != nullptr; ++i) {
    const std::string& before = arguments[i - 1];
    const CLI::Option* option = before.empty() || before[0] != '-' ? nullptr : command->get_option_no_throw(before);
    if (option == nullptr || option->get_items_expected_min() == 0) arguments[i] = guarded(arguments[i]);
  }
  std::reverse(arguments.begin(), arguments.end());
  return arguments;
}

int run(int argument_count, char** arguments) {
  CLI::App tool(
      "Sizes, buckets and tokens of HunyuanImage-3.0. Sizes are height x width in pixels (1024x768 is tall), with "
      "--order wh width x height.",
      "hunyuan-reso");
  tool.set_version_flag("--version", version_text(), "Print the version and stop");
  tool.require_subcommand(1);
  keep_footer_lines(*tool.get_formatter(), 0);  // the commands inherit the formatter
  tool.footer(
      "Exit status: 0, 1 (an input was refused; the reason is on standard error), 2 (wrong command line).\n"
      "Examples:\n"
      "  hunyuan-reso explain 4:3 --base-size 2048\n"
      "  hunyuan-reso table --format svg --out buckets.svg\n"
      "  hunyuan-reso COMMAND --help");
  std::vector<Command> commands;
#define HUNYUAN_RESO_CLI_ADD(name) commands.push_back(add_##name(tool));
  HUNYUAN_RESO_CLI_COMMANDS(HUNYUAN_RESO_CLI_ADD)
#undef HUNYUAN_RESO_CLI_ADD
  try {
    tool.parse(reversed_arguments(tool, argument_count, arguments));
  } catch (const CLI::ParseError& error) {
    return report_parse_error(tool, error, argument_count > 1 ? arguments[1] : "");
  }
  for (const Command& command : commands) {
    if (command.app->parsed()) return command.run();
  }
  return exit_usage;
}

}  // namespace
}  // namespace hunyuan_reso::cli

int main(int argument_count, char** arguments) {
  using namespace hunyuan_reso::cli;
  install_signal_handlers();
  try {
    return run(argument_count, arguments);
  } catch (const ReaderGone&) {
    return exit_success;
  } catch (const UsageError& error) {
    return report(error.what(), exit_usage);
  } catch (const std::exception& error) {
    return report(error.what(), exit_refused);
  }
}
