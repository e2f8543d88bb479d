// SPDX-License-Identifier: MIT
// The index finds the frame description entry (FDE) of a pc in .eh_frame by the sorted table that
// the linker puts into .eh_frame_hdr, or by our own table. That is decoded or built once a module.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unwind/code_memory.h"

struct fde_table;

struct fde_entry { // addresses of the target
    uint64_t pc, fde; // pc: where the code begins that the FDE covers
};

struct fde_index {
    struct fde_table *tables;
    size_t count, capacity;
};

void fde_index_fini(struct fde_index *index);
void fde_index_flush(struct fde_index *index);

// Finds the last FDE that begins at or before pc; the caller has to check whether it covers pc.
// Returns false if there is none, or no table of the form that linkers write.
bool fde_index_find(struct fde_index *index, struct code_memory *memory, uint64_t pc,
                    struct fde_entry *entry);

// Finds the next FDE, which begins after pc. Returns false if there is none.
bool fde_index_next(struct fde_index *index, struct code_memory *memory, uint64_t pc,
                    struct fde_entry *entry);
