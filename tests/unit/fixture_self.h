// SPDX-License-Identifier: MIT
// The test program as what is unwound: its own code and tables through dl_iterate_phdr, its own
// registers.
#pragma once

#include <ucontext.h>

#include "unwind/unwinder.h"

bool self_read(void *context, uint64_t address, void *to, size_t length);
bool self_table(void *context, uint64_t pc, struct unwind_table *table);
bool self_executable(void *context, uint64_t pc);

// The registers of a context, and `length` bytes of the stack from its stack pointer up.
void self_capture(struct capture *capture, const ucontext_t *context, uint64_t length);
