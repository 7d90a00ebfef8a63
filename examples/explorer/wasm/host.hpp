// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_EXPLORER_HOST_HPP
#define HUNYUAN_RESO_EXPLORER_HOST_HPP

#include <cstddef>
#include <cstdint>

// What the module asks of JavaScript (module/instance.mjs). Pointers are into the module's memory.

#define HUNYUAN_RESO_HOST(name) __attribute__((import_module("host"), import_name(#name)))
#define HUNYUAN_RESO_EXPORT(name) extern "C" __attribute__((export_name(#name)))

extern "C" {
/// Takes a part of the result (descriptor 1), of an error text (2) or of what goes to a file at a terminal (3).
HUNYUAN_RESO_HOST(write) void hunyuan_reso_host_write(std::int32_t descriptor, const char* text, std::size_t size);
/// Fills in up to `size` bytes of the input; returns how many, 0 at the end, -1 where it cannot be read.
HUNYUAN_RESO_HOST(read) std::int32_t hunyuan_reso_host_read(char* text, std::size_t size);
/// The size of a file that was handed over by name; -1: there is none.
HUNYUAN_RESO_HOST(file_size) std::int32_t hunyuan_reso_host_file_size(const char* name, std::size_t size);
HUNYUAN_RESO_HOST(file_read) void hunyuan_reso_host_file_read(const char* name, std::size_t size, char* out);
/// Ends a call that is refused, with the exit status and the text for descriptor 2. The instance is not used again:
/// what the call held is not released.
[[noreturn]] HUNYUAN_RESO_HOST(stop) void hunyuan_reso_host_stop(std::int32_t status, const char* text,
                                                                 std::size_t size);
/// The number that a text of decimal digits means, the nearest in binary64; `size` bytes, all of them part of it.
HUNYUAN_RESO_HOST(number) double hunyuan_reso_host_number(const char* text, std::size_t size);
}

#endif  // HUNYUAN_RESO_EXPLORER_HOST_HPP
