// SPDX-License-Identifier: MIT
// An instruction may write registers beside the stack pointer; where it is simple, what one holds
// afterwards is known. That serves code which keeps its stack pointer in another register or in
// memory while its own one is aligned.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "unwind/x86_64/instruction.h"

// Registers are numbered as in instructions.
#define BASE_PC 16 // the address behind the instruction

struct register_value {
    int target;       // the register, the stack pointer too
    int base;         // ... is that of this one, as it is after pops and pushes
    int64_t distance; // plus this,
    bool loaded;      // or the word of memory at that address
};

// Returns the registers that it may write, as bits: too many rather than too few.
uint32_t register_writes(const struct instruction *instruction);

// Returns false where it writes none, or what it writes is not simple.
bool register_value(const struct instruction *instruction, struct register_value *value);
