// SPDX-License-Identifier: MIT
// A dump of threads as text. Whatever comes from the target is escaped.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "dump/dump.h"

struct dump_style {
    bool color;
    bool aligned; // columns; else single spaces
    bool group;   // equal stacks once
    unsigned verbose; // above 0: pcs, frame addresses and build ids
    bool repeated;  // only threads that ran since the dump before
    uint64_t depth; // frames of a stack to print, 0: all
};

// For people: the verdict first, then one paragraph a thread.
void dump_text(struct buf *out, const struct dump *dump, const struct dump_style *style);

// A JSON document, schema 1, described in ptprof(1). Takes `depth` and `repeated` of the style.
void dump_json(struct buf *out, const struct dump *dump, const struct dump_style *style);

// As Go prints its goroutines, for tools that read that. Takes `depth` and `repeated`.
void dump_go(struct buf *out, const struct dump *dump, const struct dump_style *style);

// Whether the style prints the thread.
bool dump_shows(const struct dump_thread *thread, const struct dump_style *style);

// How many of its frames the style prints.
size_t dump_depth(const struct dump_thread *thread, const struct dump_style *style);
