// SPDX-License-Identifier: MIT
// Prints a dump of threads as text. All text of the target is escaped.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "dump/dump.h"

struct dump_style {
    bool color;
    bool aligned; // columns are aligned; otherwise cells are separated by single spaces
    bool group;   // equal stacks are printed once
    unsigned verbose; // above 0: pcs, frame addresses and build ids
    bool repeated;  // only threads that ran since the last dump are printed
    uint64_t depth; // most frames that are printed of a stack, 0: all
};

// Prints for people: the verdict first, then one paragraph a thread.
void dump_text(struct buf *out, const struct dump *dump, const struct dump_style *style);

// Prints a JSON document, schema 1, described in ptprof(1). Of the style, it uses `depth` and
// `repeated`.
void dump_json(struct buf *out, const struct dump *dump, const struct dump_style *style);

// Prints as Go prints its goroutines, for programs that read that. Of the style, it uses `depth`
// and `repeated`.
void dump_go(struct buf *out, const struct dump *dump, const struct dump_style *style);

// Returns whether the style prints the thread.
bool dump_shows(const struct dump_thread *thread, const struct dump_style *style);

// Returns how many frames of the thread the style prints.
size_t dump_depth(const struct dump_thread *thread, const struct dump_style *style);
