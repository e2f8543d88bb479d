// SPDX-License-Identifier: MIT
// Which labels the samples of a plain profile have, beside those that name their threads.
#pragma once

#include "profile/plain.h"

struct plain_key {
    uint32_t key;    // text
    uint32_t values; // how many there are
};

struct plain_keys {
    struct plain_key *list; // owned; in the order in which they came
    size_t count, capacity;
    bool threads; // there are labels of threads too
};

void plain_keys_init(struct plain_keys *keys, const struct plain_profile *profile);
void plain_keys_fini(struct plain_keys *keys);
