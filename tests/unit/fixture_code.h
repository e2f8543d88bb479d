// SPDX-License-Identifier: MIT
// A page of code at a fixed address that has no unwind tables: parts of a struct code_source.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "unwind/unwinder.h"

#define TEXT 0x7f0000401000u
#define TEXT_SIZE 0x1000u

bool fixture_no_table(void *context, uint64_t pc, struct unwind_table *table);
bool fixture_is_text(void *context, uint64_t pc);
