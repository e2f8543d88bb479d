// SPDX-License-Identifier: MIT
// A filter chooses samples of a plain profile by what is in their stacks and by their labels.
#pragma once

#include "profile/plain.h"

// All conditions have to hold; those that are NULL or false always do. Texts are borrowed, and all
// but keys are regular expressions (base/pattern.h). As in pprof, the first four look at the names
// and files of functions and at the files of mappings, and what hide and show take out of a stack
// is frames.
struct plain_filter {
    const char *focus;      // something in the stack matches
    const char *ignore;     // nothing does
    const char *hide;       // frames that match are left out
    const char *show;       // all others are
    const char *tag_focus;  // labels match, see profile/plain_tags.h
    const char *tag_ignore; // they do not
    const char *label;      // the sample has a label with this key
    const char *text;       // the label's text matches
    bool numbered;          // the label is a number from least to most
    int64_t least, most;
};

// Makes a profile of the samples that pass, with what they need; with hide or show all code stays,
// and samples without any frame go. RC_USAGE, and *part is NULL, when an expression cannot be
// understood. The caller frees it.
enum rc plain_filter(const struct plain_profile *profile, const struct plain_filter *filter,
                     struct plain_profile **part, struct err *err) MUST_CHECK;
