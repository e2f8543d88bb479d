// SPDX-License-Identifier: MIT
// A page of code at a fixed address that has no unwind tables, and stacks made by hand.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "unwind/unwinder.h"

#define TEXT 0x7f0000401000u
#define TEXT_SIZE 0x1000u

extern unsigned char fixture_text[TEXT_SIZE]; // what lies there
extern const struct code_source fixture_source;

// The parts of a code_source.
bool fixture_read(void *context, uint64_t address, void *to, size_t length);
bool fixture_nothing(void *context, uint64_t address, void *to, size_t length); // to read
bool fixture_no_table(void *context, uint64_t pc, struct unwind_table *table);
bool fixture_is_text(void *context, uint64_t pc);

// Puts a direct call into the page, of which `back` is the return address.
void fixture_put_call(uint32_t back, uint32_t target);

// A thread at TEXT + pc with these words from its stack pointer up, of all that there are; with
// room for more. The caller frees it.
struct capture *fixture_capture(uint32_t pc, uint64_t sp, const uint64_t *words, size_t count);
