// SPDX-License-Identifier: MIT
// A tag filter chooses label sets by a text as in pprof's -tagfocus and -tagignore:
//   KEY=RE,RE  a text of this label matches one of the expressions
//   RE,RE      each of them matches some "KEY:TEXT"
//   KEY=RANGE  the number of this label is in the range: "4kb", "4kb:", ":4kb", "1kb:4kb", in units
//              of time, of memory, or in those that the label has
//   RANGE      some number is
#pragma once

#include "profile/plain.h"

struct plain_tags;

// Fails with RC_USAGE. The filter, which the caller frees, borrows profile and text.
enum rc plain_tags_new(const struct plain_profile *profile, const char *text,
                       struct plain_tags **tags, struct err *err) MUST_CHECK;
void plain_tags_free(struct plain_tags *tags);

bool plain_tags_match(const struct plain_tags *tags, uint32_t set);

// Returns [text]: the unit of numbers whose key that is, which is the first one that the profile
// names, or else the key's own name. The caller frees the array; the texts are the profile's.
const char **plain_tags_units(const struct plain_profile *profile);

// Says whether a label is a number; a number of 0 without a unit is none at all, as in pprof.
bool plain_tags_number(const struct plain_label *label);
