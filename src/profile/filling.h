// SPDX-License-Identifier: MIT
// What of a store, a module table and a symbolizer becomes part of a plain profile, piece by piece:
// for who makes one at once (fill.c) and for who follows a store as it grows (live.c).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "process/module.h"
#include "profile/plain.h"
#include "profile/store.h"
#include "symbol/symbolizer.h"

struct filling {
    struct plain_profile *to;      // borrowed
    const struct modules *modules; // borrowed
    uint32_t *mappings;            // [mapping of the module table]: its number + 1
    size_t mapping_capacity;
    struct map pairs, functions; // (name, system name, file) pair by pair -> function
    struct plain_line *lines;    // what filling_lines returned last
    size_t line_capacity;
};

// The main program becomes the first mapping, used or not.
void filling_init(struct filling *filling, struct plain_profile *to,
                  const struct modules *modules);
void filling_fini(struct filling *filling);

// The plain profile's number.
uint32_t filling_mapping(struct filling *filling, const struct mapping *mapping);

// The same lines of functions of the plain profile; valid until the next call.
const struct plain_line *filling_lines(struct filling *filling, const struct symbol_line *lines,
                                       size_t count);

// The label set of a thread: thread (its name), thread_id (text), comm (its process's), tid and pid
// (numbers). state "": no such label.
uint32_t filling_labels(struct filling *filling, const struct profile *profile, uint32_t thread,
                        const char *state);

// A value of the store, within what a plain one holds.
int64_t filling_value(uint64_t value);
