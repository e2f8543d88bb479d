// SPDX-License-Identifier: MIT
// Addresses of blocks, sorted once they are all there: those that caches hold, which the program
// does not have.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESSES_MOST (2u << 20) // what comes then is left out

struct address_list { // zeroed: none
    uint64_t *list; // owned
    size_t count, capacity;
};

void address_list_fini(struct address_list *addresses);
void address_list_add(struct address_list *addresses, uint64_t address);
void address_list_sort(struct address_list *addresses);

// Returns the number of the first one, in a sorted list, that is `address` or above.
size_t address_list_from(const struct address_list *addresses, uint64_t address);
