// SPDX-License-Identifier: MIT
// A difference says what grew and what shrank between the profiles of two sides, old and new, and
// which of it chance would do. Shares are compared, of the totals of each side, so that profiles of
// different lengths and rates can be; amounts are told beside them, as the mean of the files.
//
// Many functions are looked at, and some would differ by chance alone. The procedure of Benjamini
// and Hochberg bounds that: of the functions that are called changed, `false_alarms` are expected
// to be none at most; if nothing has changed at all, it is the probability that any is called so.
// Functions of which both sides together have less than 5 samples could not be told, and those
// with less than 0.1 % would make many tests of which nobody wants to know: these are taken for
// noise.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rows/estimate.h"
#include "rows/tally.h"

enum difference_verdict {
    DIFFERENCE_GREW,
    DIFFERENCE_SHRANK,
    DIFFERENCE_NEW,   // there was none of it
    DIFFERENCE_GONE,  // there is none left
    DIFFERENCE_SHARE, // its share changed because others did: the amount of it may be the same
    DIFFERENCE_NOISE,
    DIFFERENCE_UNTESTED, // nothing is known of its error
    DIFFERENCE_VERDICTS,
};

extern const char *const difference_verdict_names[]; // "grew" ... for people and programs

struct difference_side {
    const struct tally_source *files;
    size_t count; // at least 1
};

struct difference_query {
    enum tally_by by;
    const char *label;   // with TALLY_LABEL
    bool total;          // compares what is anywhere in the stack, not what is the leaf
    double false_alarms; // 0.05: see above
};

struct difference_value { // of one side
    int64_t value, samples; // of all files together
    double amount;          // of a file on average
    double share;           // of the total, 0 to 1
};

struct difference_row {
    const char *name, *module; // raw; the module may be ""
    struct difference_value old, new;
    struct comparison shares;
    struct comparison rates; // of the amounts: a second if all files have durations, else a file
    enum difference_verdict verdict;
};

struct difference_total { // of one side
    int64_t value, samples;
    double amount;
    double seconds; // all files together; 0: not known of all
    double size;    // as many samples of one weight tell as much
    size_t files;
};

struct difference {
    struct difference_row *rows; // what changed first, by the change of their shares; then the rest
    size_t count;
    size_t tested;
    size_t verdicts[DIFFERENCE_VERDICTS]; // how many rows have each
    struct difference_total old, new;
    struct comparison all; // of the rates of everything
    bool sampled;          // errors by sampling are known
    bool series;           // a side has several files, which tell how runs differ
    struct tally_keys keys; // names of rows
};

// Says whether any errors are known, and so whether verdicts mean anything.
bool difference_is_tested(const struct difference *difference);

void difference_init(struct difference *difference, const struct difference_side *old,
                     const struct difference_side *new, const struct difference_query *query);
void difference_fini(struct difference *difference);

// Says whether the row grew, beyond noise, by more than so much of the total (0.05).
bool difference_grew_over(const struct difference_row *row, double limit);
