// SPDX-License-Identifier: MIT
// The table of a dict's keys (and values), and the table of an instance's values: blocks of their
// own that are no objects. They say in several ways how large they are, which have to agree.
#pragma once

#include <stdbool.h>
#include <stddef.h>
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

// Returns whether that is a table of values of 3.11 or 3.12, by its first `have` bytes: in front of
// the values there are the order in which they came, their number, and how long that is.
bool python_values_fit(unsigned minor, const unsigned char *bytes, size_t have, uint64_t usable);
