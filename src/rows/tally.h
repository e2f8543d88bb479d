// SPDX-License-Identifier: MIT
// A tally says what the functions (or modules, or threads ...) of one profile have, and by how much
// chance moves that: the samples came at random, so a sum of weights varies by the sum of their
// squares. How many samples a value stands for says the number beside it; of them each is taken to
// weigh the same.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strtab.h"
#include "profile/plain.h"

struct tally_sums {
    int64_t value; // saturates
    int64_t samples;
    double squares; // of the weights of the samples
};

struct tally_row {
    struct tally_sums self;  // it was the leaf
    struct tally_sums total; // it was anywhere in the stack, counted once however often
};

struct tallied {
    struct tally_row *rows; // [key]; keys that came later have none
    size_t count;
    struct tally_sums all; // of the whole profile, of absolute values as in pprof
};

enum tally_by { TALLY_FUNCTION, TALLY_MODULE, TALLY_LABEL };

// What rows are called, for several tallies together. Functions go by their names alone, as in
// pprof: two builds of a program are two modules.
struct tally_keys {
    enum tally_by by;
    const char *label;   // with TALLY_LABEL; borrowed
    struct strtab texts; // a key is the number of a text
    uint32_t *modules;   // [key]: text; of a function, the module where it was first seen
    size_t count, capacity;
};

void tally_keys_init(struct tally_keys *keys, enum tally_by by, const char *label);
void tally_keys_fini(struct tally_keys *keys);

struct tally_source { // borrowed
    const struct plain_profile *whole; // what shares are of
    const struct plain_profile *part;  // what is looked at of it; it may be the whole
    size_t value;                      // number of the type, in both
};

// Finds the type that says how many samples the values stand for: the count before them, if it is
// one of samples. Other counts, as of contentions or objects, are estimates themselves; and counts
// of which nothing else tells that they were sampled may be anything, as in collapsed stacks.
bool tally_samples(const struct tally_source *source, size_t *samples);

void tally_init(struct tallied *tally, struct tally_keys *keys,
                const struct tally_source *source);
void tally_fini(struct tallied *tally);
