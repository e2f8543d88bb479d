// SPDX-License-Identifier: MIT
// .debug_frame, for code that has no entry in .eh_frame: Go programs, C compiled without
// asynchronous unwind tables. The section is not loaded and its form differs a little, so a copy of
// it is rewritten as .eh_frame and both this copy and the code it speaks of get addresses that no
// process has: libunwind, asked for such a pc, finds everything there.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unwind/unwinder.h"

#define DEBUG_FRAME_BASE (1ull << 62) // where these addresses begin; not canonical

struct debug_table;

struct debug_frames {
    struct debug_table *tables;
    size_t count, capacity;
};

void debug_frames_fini(struct debug_frames *frames);
void debug_frames_flush(struct debug_frames *frames);

// Whether an entry covers pc; then *pretended is the address to use for it. The section of the
// module around pc is asked of the source once.
bool debug_frames_find(struct debug_frames *frames, const struct code_source *source, uint64_t pc,
                       uint64_t *pretended);

// The address of the entry for such an address of code.
bool debug_frames_entry(const struct debug_frames *frames, uint64_t pretended, uint64_t *fde);

// Copies bytes of the rewritten sections; false when they are not all there.
bool debug_frames_read(const struct debug_frames *frames, uint64_t address, void *to,
                       size_t length);
