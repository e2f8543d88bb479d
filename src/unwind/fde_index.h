// SPDX-License-Identifier: MIT
// From a pc to its frame description entry (FDE) in .eh_frame: through the sorted table that the
// linker puts into .eh_frame_hdr, or through one of our own. Decoded or built once for each module.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unwind/code_memory.h"

struct fde_table;

struct fde_index {
    struct fde_table *tables;
    size_t count, capacity;
};

void fde_index_fini(struct fde_index *index);
void fde_index_flush(struct fde_index *index);

// The address of the last FDE that begins at or before pc; that it reaches up to pc is for the
// caller to check. False: there is none, or no table of the one form that linkers write.
bool fde_index_find(struct fde_index *index, struct code_memory *memory, uint64_t pc,
                    uint64_t *fde);

// Where the code of that FDE begins.
bool fde_index_start(struct fde_index *index, struct code_memory *memory, uint64_t pc,
                     uint64_t *start);

// Where the code of the first FDE that begins behind pc does; false when there is none.
bool fde_index_next(struct fde_index *index, struct code_memory *memory, uint64_t pc,
                    uint64_t *start);
