// SPDX-License-Identifier: MIT
// "Did you mean": the candidate nearest to a word that is none of them.
#pragma once

#include <stddef.h>

struct suggestion {
    const char *best; // NULL: none is near enough to be helpful
    const char *word;
    size_t distance;
};

struct suggestion suggestion_for(const char *word);
void suggestion_consider(struct suggestion *suggestion, const char *candidate);
