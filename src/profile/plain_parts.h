// SPDX-License-Identifier: MIT
// What a plain profile consists of; see profile/plain.h.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

#define PLAIN_NONE UINT32_MAX

struct plain_type { // of values: "cpu", "nanoseconds"
    uint32_t type, unit;
    uint32_t of; // text: name of the profile type (types.h); 0: it is not known, as of a file
};

struct plain_mapping {
    uint64_t start, limit; // addresses: [start, limit)
    uint64_t offset;       // in the file, of start
    uint32_t file, build_id;
    uint32_t module;       // last component of the file's path
    uint32_t placeholder;  // "[libc.so.6]": what code of it without a name is called
    bool made;             // the process made this code: it is in no file
    bool has_functions, has_files, has_numbers, has_inlined;
};

struct plain_function {
    uint32_t name;        // to show
    uint32_t system_name; // as in the symbol table
    uint32_t file;
    int64_t start_line; // 0: not known
};

struct plain_line {
    uint32_t function;
    int64_t line, column; // 0: not known
};

struct plain_location {
    uint32_t mapping;     // PLAIN_NONE: none is known
    uint32_t first, count; // of its lines: the innermost inlined function first, the one that has
                           // code of its own last. None at all when nobody looked up names
    uint64_t address;
    uint32_t inside; // bytes from the beginning of its function, and 1 more; 0: not known
    bool folded; // several symbols share this code
};

struct plain_code {
    struct plain_mapping *mappings; // the first one is the main program's
    size_t mapping_count, mapping_capacity;
    struct plain_function *functions;
    size_t function_count, function_capacity;
    struct plain_line *lines;
    size_t line_count, line_capacity;
    struct plain_location *locations;
    size_t location_count, location_capacity;
};

struct plain_node {
    uint32_t parent, location; // a parent has a lower number than its children
};

struct plain_stacks {
    struct plain_node *nodes;
    size_t count, capacity;
    struct map ids; // parent << 32 | location -> node, unless that is parent + 1
    size_t mapped;  // nodes below this number are in it
};

struct plain_label { // a text, or a number
    uint32_t key, text;
    uint32_t unit; // of the number
    int64_t number;
};

struct plain_set {
    uint32_t parent, label; // set 0 is empty
};

struct plain_labels {
    struct plain_label *list;
    size_t count, capacity;
    struct map ids; // pair by pair of (key, text, unit, number)
    struct map numbers; // the last of these pairs -> label
    size_t mapped; // labels below this number are in them
    struct plain_set *sets;
    size_t set_count, set_capacity;
    struct map set_ids; // parent << 32 | label -> set
    size_t set_mapped;
};

struct plain_sample {
    uint32_t stack; // node of the leaf
    uint32_t labels; // set
};

struct plain_samples {
    struct plain_sample *list;
    size_t count, capacity;
    int64_t *values; // [sample * type_count + type]
    size_t value_capacity;
    struct map ids; // stack << 32 | label set -> sample
    size_t mapped;  // samples below this number are in it
};
