// SPDX-License-Identifier: MIT
// Types of CPython by their address, and what their objects are called.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "heap/cpython.h"
#include "heap/kinds.h"

struct python_type {
    uint32_t number; // of its kind
    uint32_t head;   // bytes in front of an object: what the collector and a managed dict need
    uint64_t basic;  // bytes of an object without its items
};

#define PYTHON_NO_TYPES 4096u

struct python_types {
    struct kinds *kinds;
    struct heap_target *target;
    struct cpython python;
    struct map by_address; // address -> index in list
    uint64_t none[PYTHON_NO_TYPES]; // addresses that were asked for last and are none
    uint64_t refused;      // how often one was found to be none
    struct python_type *list;
    size_t count, capacity;
    uint64_t module_key;   // address of the str "__module__" that dicts have as a key; 0: not seen
};

// `types` is zeroed. Of a process without a CPython python.type is 0 then.
void python_types_init(struct python_types *types, struct kinds *kinds, struct heap_target *target);
void python_types_fini(struct python_types *types);

// Forgets all of them: what lies at an address may be another type now.
void python_types_clear(struct python_types *types);

// Returns the type at an address, NULL when there is none. Valid until the next call.
const struct python_type *python_types_find(struct python_types *types, uint64_t address);
