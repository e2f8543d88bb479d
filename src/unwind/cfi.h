// SPDX-License-Identifier: MIT
// This module checks .eh_frame before libunwind 1.6.2 may read it, because the file is the target's
// and libunwind trusts it: it uses a return address column or a DW_CFA_register operand beyond its
// tables as an index, gets SIGFPE from INT64_MIN / -1 in an expression, loops forever after a jump
// backwards, and has no bound on the memory of nested DW_CFA_remember_state.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "unwind/code_memory.h"

// Says whether libunwind may use this FDE and its CIE. Adds the number of checked bytes to *work.
bool cfi_check(struct code_memory *memory, uint64_t fde, uint64_t *work);

// Iterates over .eh_frame: moves *address past the record there. *start is the first address that
// an FDE covers; 0 for a CIE and an unreadable FDE. Returns false at the end.
bool cfi_next(struct code_memory *memory, uint64_t *address, uint64_t *start);

// Sets the range of code that the FDE covers. Returns false if it cannot be read.
bool cfi_range(struct code_memory *memory, uint64_t fde, uint64_t *start, uint64_t *end);
