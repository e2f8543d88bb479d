// SPDX-License-Identifier: MIT
// Pieces of a store, a module table and a symbolizer become pieces of a plain profile, either all
// at once (fill.c) or as the store grows (live.c).
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

// Returns the number of the mapping in the plain profile, which gets it when it is new.
uint32_t filling_mapping(struct filling *filling, const struct mapping *mapping);

// Returns the lines with functions of the plain profile. They are valid until the next call.
const struct plain_line *filling_lines(struct filling *filling, const struct symbol_line *lines,
                                       size_t count);

// Returns how far inside its function a place is, as in struct plain_location.
uint32_t filling_inside(const struct symbol *symbol);

struct filling_thread {
    pid_t pid, tid;
    const char *comm, *process_comm;
};

// Returns the label set of a thread, as fill_profile describes it; without a label `state` if that
// is "".
uint32_t filling_thread_labels(struct plain_profile *to, const struct filling_thread *thread,
                               const char *state);

// Returns the same for a thread of the store.
uint32_t filling_labels(struct filling *filling, const struct profile *profile, uint32_t thread,
                        const char *state);

// Returns the set with what a thread waited for: `wait`, `lock`, `inferred`.
uint32_t filling_wait(struct filling *filling, const struct profile *profile, uint32_t set,
                      uint32_t wait);

// Returns a value of the store, within the bound of a plain one.
int64_t filling_value(uint64_t value);
