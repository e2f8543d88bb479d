// SPDX-License-Identifier: MIT
// What `ptprof diff` prints.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "rows/difference.h"

struct diff_printing {
    const struct difference *difference;
    const struct difference_query *query;
    const char *type, *unit;   // of the values, raw
    const char *by;            // what a row is: "function", "module", "thread" ...
    char *const *old, *const *new; // names of the files, raw
    size_t top;                // how many rows, at most
    bool color, utf8;
};

// Appends a head, a table, and what to make of it.
void diff_text(struct buf *out, const struct diff_printing *printing);

// Appends sentences that say what to make of it; diff_text does.
void diff_conclusion(struct buf *out, const struct diff_printing *printing);

// Appends an amount of a unit without its sign.
void diff_amount(struct buf *out, const char *unit, double amount);

// Appends one JSON document, in a line.
void diff_json(struct buf *out, const struct diff_printing *printing);
