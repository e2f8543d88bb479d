// SPDX-License-Identifier: MIT
// What has to be known of .eh_frame before libunwind 1.6.2 may read it. That trusts what it reads:
// a return address column or a DW_CFA_register operand beyond its tables is used as an index,
// INT64_MIN / -1 in an expression is a SIGFPE, a jump backwards an endless loop, and nested
// DW_CFA_remember_state take memory without bound. The file belongs to the target.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "unwind/code_memory.h"

// Whether libunwind may use this FDE and its CIE. Adds to *work how many bytes were looked at.
bool cfi_check(struct code_memory *memory, uint64_t fde, uint64_t *work);

// For walks over .eh_frame: moves *address behind the record that lies there. *start: where the
// code of an FDE begins; 0 for a CIE and for what cannot be read. False at the end.
bool cfi_next(struct code_memory *memory, uint64_t *address, uint64_t *start);

// The code that the FDE at the address speaks of; false when it cannot be read.
bool cfi_range(struct code_memory *memory, uint64_t fde, uint64_t *start, uint64_t *end);
