// SPDX-License-Identifier: MIT
// The terms of a filter, understood.
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "profile/names.h"
#include "rows/filter.h"

struct term {
    bool negated, capitals;
    bool is_pattern;
    regex_t pattern;
    char *text; // NULL of a pattern
};

struct terms {
    struct term list[FILTER_TERMS_MAX];
    size_t count;
    uint32_t wanted, unwanted; // bits of terms
};

// text: as struct filter's, NULL: no terms. RC_USAGE; then there is nothing to free.
enum rc terms_init(struct terms *terms, const char *text, struct err *err) MUST_CHECK;
void terms_fini(struct terms *terms);

// The bits of the terms that the function's name or module matches.
uint32_t terms_match(const struct terms *terms, const struct function *function);
