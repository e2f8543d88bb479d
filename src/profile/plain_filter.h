// SPDX-License-Identifier: MIT
// A filter chooses samples of a plain profile by what is in their stacks and by their labels.
#pragma once

#include "profile/plain.h"

// All conditions have to hold; those that are NULL or false always do. Texts are borrowed, and all
// but the key are extended regular expressions. As in pprof, focus and ignore look at the names and
// files of functions and at the files of mappings.
struct plain_filter {
    const char *focus;  // something in the stack matches
    const char *ignore; // nothing does
    const char *label;  // the sample has a label with this key
    const char *text;   // the label's text matches
    bool numbered;      // the label is a number from least to most
    int64_t least, most;
};

// Makes a profile of the samples that pass. RC_USAGE, and *part is NULL, when an expression cannot
// be understood. The caller frees it.
enum rc plain_filter(const struct plain_profile *profile, const struct plain_filter *filter,
                     struct plain_profile **part, struct err *err) MUST_CHECK;
