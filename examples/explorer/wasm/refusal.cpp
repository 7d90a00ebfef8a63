// SPDX-License-Identifier: MIT
// What `throw` does in this module. Unwinding would make it a third larger, and no code of it catches anything: the
// text of the exception goes to the host, which ends the call.
#include <cstdlib>
#include <cstring>
#include <string>
#include <typeinfo>

#include "../../cli/failure.hpp"
#include "CLI/CLI.hpp"
#include "host.hpp"

namespace {

using namespace hunyuan_reso::cli;

[[noreturn]] void stop(int status, const std::string& reason) {
  const std::string text = "hunyuan-reso: " + reason + '\n';
  hunyuan_reso_host_stop(status, text.data(), text.size());
}

}  // namespace

extern "C" {
void* __cxa_allocate_exception(std::size_t size) { return std::malloc(size); }
void __cxa_free_exception(void* object) { std::free(object); }

// All of these have std::exception as their first base.
[[noreturn]] void __cxa_throw(void* object, std::type_info* type, void (*)(void*)) {
  const std::string reason = static_cast<std::exception*>(object)->what();
  if (*type == typeid(CLI::ParseError)) stop(exit_usage, spelled(reason, 500));
  stop(*type == typeid(UsageError) ? exit_usage : exit_refused, reason);
}
}
