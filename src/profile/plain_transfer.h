// SPDX-License-Identifier: MIT
// A transfer takes samples of one plain profile over into another, with the mappings, locations,
// functions and labels that they need. Whatever is the same in both is there once. A mapping is the
// same if its file (by build id where it has one), its offset and its pages are, so that code that
// another process had at other addresses is recognised.
#pragma once

#include "profile/plain.h"

struct plain_transfer;

// The profile is borrowed. Code that others add to it meanwhile is not recognised.
struct plain_transfer *plain_transfer_new(struct plain_profile *to);
void plain_transfer_free(struct plain_transfer *transfer);

// Says which profile, which is borrowed too, what follows is taken from.
void plain_transfer_from(struct plain_transfer *transfer, const struct plain_profile *from);

// Take over a stack or a label set and return its number in `to`.
uint32_t plain_transfer_stack(struct plain_transfer *transfer, uint32_t leaf);
uint32_t plain_transfer_labels(struct plain_transfer *transfer, uint32_t set);

// Adds these values to the sample of the same stack and labels.
void plain_transfer_sample(struct plain_transfer *transfer, uint32_t sample,
                           const int64_t *values);

// Returns a profile with the same types, period, times, comments and the like, but without code,
// labels and samples.
struct plain_profile *plain_head_of(const struct plain_profile *profile);
