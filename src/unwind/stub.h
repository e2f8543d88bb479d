// SPDX-License-Identifier: MIT
// The stubs of a procedure linkage table, by which calls reach functions of other modules.
#pragma once

#include "unwind/code_memory.h"

#define STUB_BYTES 16 // at most

enum stub_kind {
    STUB_NONE,
    STUB_SLOT, // it goes where a slot in memory says
    STUB_LAZY, // it asks the linker by the index of a relocation
    STUB_JUMP, // it goes to a place beside it
};

// Returns what the code at an address is, and sets *to to the address of the slot or to the index.
enum stub_kind stub_decode(const unsigned char code[STUB_BYTES], uint64_t address, uint64_t *to);

enum stub_kind stub_at(struct code_memory *memory, uint64_t address);
