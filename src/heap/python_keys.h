// SPDX-License-Identifier: MIT
// The table of a dict's keys (and values): a block of its own that is no object. Its header says in
// several ways how large it is, and they have to agree.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PYTHON_KEYS_HEAD 40u // bytes of the largest header

struct python_keys {
    uint64_t bytes;   // of all of it
    uint64_t entries; // offset of the first entry
    uint64_t entry;   // bytes of one
    uint64_t used;    // entries that are, or were, in use
    uint64_t lookup;  // address of a function, before 3.11; 0: there is none
};

// `bytes` are the first PYTHON_KEYS_HEAD; minor is that of version 3.minor. False when they are
// not such a table.
bool python_keys_parse(struct python_keys *keys, unsigned minor, const unsigned char *bytes);
