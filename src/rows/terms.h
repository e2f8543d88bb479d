// SPDX-License-Identifier: MIT
// Terms are those of a filter, parsed and compiled.
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

// Parses the text of a struct filter (NULL: no terms). On RC_USAGE there is nothing to free.
enum rc terms_init(struct terms *terms, const char *text, struct err *err) MUST_CHECK;
void terms_fini(struct terms *terms);

// Returns the bits of the terms that the name or the module of the function matches.
uint32_t terms_match(const struct terms *terms, const struct function *function);
