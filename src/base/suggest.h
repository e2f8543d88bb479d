// SPDX-License-Identifier: MIT
// This module finds the candidate nearest to a misspelled word, for "did you mean".
#pragma once

#include <stddef.h>

struct suggestion {
    const char *best; // NULL: none is near enough
    const char *word;
    size_t distance;
};

struct suggestion suggestion_for(const char *word);
void suggestion_consider(struct suggestion *suggestion, const char *candidate);
