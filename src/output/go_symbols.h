// SPDX-License-Identifier: MIT
// Texts, frames and stacks of a profile as definitions of Go's execution trace, each written when
// it is first asked for. Readers know a frame by its pc, and take frames of one pc for one: inlined
// functions need their own, as do names of threads, so pcs are numbers of frames. A stack keeps at
// most 128 frames, the innermost ones, since a reader fails beyond (go tool trace of Go 1.22 to
// 1.26); the last is then "[cut]".
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "output/go_encoder.h"
#include "profile/plain.h"

enum go_text { // ids of texts of our own; those of the profile follow
    GO_TEXT_UNKNOWN = 1,
    GO_TEXT_CUT,
    GO_TEXT_KEY, // of what we say ourselves
    GO_TEXT_COUNT,
};

struct go_symbols {
    const struct plain_profile *profile;
    struct go_encoder *encoder;
    bool *texts, *stacks, *names; // [text], [node], [text]: whether it is written
    uint32_t *pcs;                // [location]: of its first frame; 0: it has none yet
    uint32_t pc_count;
    struct buf text;
};

void go_symbols_init(struct go_symbols *symbols, const struct plain_profile *profile,
                     struct go_encoder *encoder);
void go_symbols_fini(struct go_symbols *symbols);

// Returns the id of the stack of a node; 0 for node 0.
uint64_t go_symbols_stack(struct go_symbols *symbols, uint32_t node);

// Returns the id of a stack of one frame: a function with that text as its name.
uint64_t go_symbols_name(struct go_symbols *symbols, uint32_t text);
