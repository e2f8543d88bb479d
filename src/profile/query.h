// SPDX-License-Identifier: MIT
// The store as rows, which the writers, the screen and the summary print alike. Nothing is changed
// but the symbolizer's memory. All texts are borrowed from the modules and the symbolizer, and are
// raw bytes of the target: escape them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/store.h"
#include "symbol/symbolizer.h"
#include "target/module.h"

struct query_source { // all borrowed
    const struct profile *profile;
    const struct modules *modules;
    struct symbolizer *symbolizer;
    bool idle; // wall time, not CPU time
};

// The value is of the time that is asked for, and not empty.
bool query_takes(const struct query_source *source, const struct profile_value *value);

struct cost {
    uint64_t samples;
    uint64_t cpu_ns;
    uint64_t queued_ns, blocked_ns; // 0 unless wall time is asked for
};

struct cost cost_make(enum profile_state state, uint64_t samples, uint64_t ns);
void cost_add(struct cost *cost, struct cost more);
bool cost_is_any(struct cost cost);
uint64_t cost_ns(struct cost cost); // in all states

struct flat_row { // one function of one module
    const char *function;
    const char *module; // last component of its path
    bool unnamed;       // as struct function's
    bool inlined;       // it was never seen but inlined into another function
    struct cost self;   // it was the leaf
    struct cost total;  // it was anywhere in the stack, counted once however often
};

struct flat {
    struct flat_row *rows; // most self time first, at most as many as were asked for
    size_t row_count;
    size_t function_count; // of the whole profile
    struct cost all;       // of the whole profile: what 100 % is
    struct names *names;   // which hold some of the texts
};

// Asks for the names of all that the store holds. To fetch them at once costs far less than one
// location at a time.
void query_want(const struct query_source *source);
void query_fetch(const struct query_source *source);

// The `top` hottest functions. Equal self times: by total time, samples and then name, so that the
// same profile gives the same rows. Inlined functions count like any other.
void query_flat(const struct query_source *source, size_t top, struct flat *flat);
void flat_fini(struct flat *flat);

struct frame {
    const struct symbol_line *line;
    const char *module; // "" for the frame that stands for a stack without any
    uint64_t offset;    // of the location in its mapping's file
    bool unnamed;       // as struct function's
    bool inlined;       // into the frame behind it
    bool jit;           // code that its process made, named by the process
};

struct frames {
    struct frame *list; // leaf first; where functions are inlined, the innermost one first
    size_t count, capacity;
};

// The frames of a stack (replaces what `frames` holds; it may be zeroed before its first use). At
// least one: a stack of which the store's bound left nothing is the single frame "[folded]".
void query_frames(const struct query_source *source, uint32_t stack, struct frames *frames);
void frames_fini(struct frames *frames);

// The line and the name of that single frame.
extern const struct symbol_line query_folded;

// What each thread used: costs[thread], as many as there are threads.
void query_threads(const struct query_source *source, struct cost *costs);

// All of it.
struct cost query_all(const struct query_source *source);

// part of whole in percent; 0 of nothing is 0.
double query_percent(uint64_t part, uint64_t whole);
