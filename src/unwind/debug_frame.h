// SPDX-License-Identifier: MIT
// Code without entries in .eh_frame may have them in .debug_frame: Go programs, and C compiled
// without asynchronous unwind tables. That section is not loaded and differs a little, so a copy of
// it is rewritten as .eh_frame. The copy and the code that it covers get "pretended" addresses that
// no process has, and libunwind is asked about the pretended pc.
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

// Says whether an entry covers pc, and sets *pretended to the pretended address of pc. The section
// of a module is read from the source once.
bool debug_frames_find(struct debug_frames *frames, const struct code_source *source, uint64_t pc,
                       uint64_t *pretended);

// Sets the pretended address of the FDE for a pretended pc. Returns false if there is none.
bool debug_frames_entry(const struct debug_frames *frames, uint64_t pretended, uint64_t *fde);

// Copies bytes of the rewritten sections. Returns false if not all of them exist.
bool debug_frames_read(const struct debug_frames *frames, uint64_t address, void *to,
                       size_t length);
