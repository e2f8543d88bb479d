// SPDX-License-Identifier: MIT
// What the profiles of gperftools, jemalloc and Go's texts have in common: stacks of addresses, and
// behind them what was mapped where. All is as google/pprof reads it, so that the numbers agree.
#pragma once

#include "base/map.h"
#include "output/scan.h"
#include "profile/plain.h"

struct legacy {
    struct plain_profile *to;
    struct map locations; // address -> number
    uint32_t *stack;      // locations of the sample at hand
    size_t depth, capacity;
    struct plain_line *lines; // of the location at `named`, as comments tell them
    size_t line_count, line_capacity;
    uint64_t named;
    size_t room; // as in struct parser
    enum rc full; // RC_LIMIT once it does not suffice
    struct err *err;
};

// Begins an empty profile.
struct legacy legacy_new(size_t room, struct err *err);

// Ends it: returns `rc`, and the profile if that is RC_OK.
enum rc legacy_end(struct legacy *legacy, enum rc rc, struct plain_profile **profile) MUST_CHECK;

// Adds an address to the stack at hand, which begins at the leaf. Once there is no room it does
// nothing, and legacy_add fails.
void legacy_push(struct legacy *legacy, uint64_t address);

// Adds the addresses of a line, each of them one behind a call.
enum rc legacy_push_returns(struct legacy *legacy, struct text_span line, size_t number) MUST_CHECK;

// Adds a sample of the stack at hand, and begins the next one.
enum rc legacy_add(struct legacy *legacy, uint32_t labels, const int64_t *values) MUST_CHECK;

// Takes in a comment: Go's texts tell names there, "#\t0x4a0\tmain.work+0x30\t/src/main.go:12".
void legacy_comment(struct legacy *legacy, struct text_span line);

// Says whether maps begin behind the line.
bool legacy_is_maps_mark(struct text_span line);

// Takes in what was mapped, lines of /proc/PID/maps, and finds the mappings of all locations.
void legacy_maps(struct legacy *legacy, const char *maps, size_t length);

// Does the same with what is left behind the line that ended the samples, or behind the mark in a
// later one. NULL: all is read.
void legacy_maps_behind(struct legacy *legacy, struct text_lines *lines,
                        const struct text_span *end);

// Frames at the leaf that belong to the taking of the profile; a field of pprof's format, and as
// google/pprof sets it for such files.
enum legacy_drops {
    LEGACY_DROPS_CPU,
    LEGACY_DROPS_HEAP,
    LEGACY_DROPS_CONTENTION,
};
void legacy_set_drops(struct legacy *legacy, enum legacy_drops drops);

// Returns a * b, within 64 bits.
int64_t legacy_product(int64_t a, int64_t b);
