// SPDX-License-Identifier: MIT
// Registers of a thread as the kernel puts them into a sample (PERF_SAMPLE_REGS_USER).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "process/machine.h"

// The mask that asks for them, and how many words there are then: all that unwinding needs.
extern const uint64_t perf_registers_mask;
extern const size_t perf_registers_count;

struct registers perf_registers(const void *words);
