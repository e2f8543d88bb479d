// SPDX-License-Identifier: MIT
// A plain profile is reshaped when frames are taken out of its stacks: the code, all of which stays
// in its place, is changed first, then stacks and samples follow.
#pragma once

#include "profile/plain.h"

// Returns a copy with the code and labels of the profile, without stacks and samples.
struct plain_profile *plain_reshape_begin(const struct plain_profile *profile);

// Gives the copy the samples for which takes[sample] says so (NULL: all), without the nodes for
// which gone[node] does. without_empty: samples of which no node is left are not taken.
void plain_reshape_end(struct plain_profile *copy, const struct plain_profile *profile,
                       const bool *takes, const bool *gone, bool without_empty);

// Gives a location of the copy the lines of it for which keeps[line] says so, the lines being
// numbered as in its list. Returns how many these are.
size_t plain_reshape_lines(struct plain_profile *copy, uint32_t location, const bool *keeps);
