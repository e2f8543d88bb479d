// SPDX-License-Identifier: MIT
// All that names the addresses of one module: its file, the debug files that belong to it, their
// symbol tables and DWARF. Parses what is the target's: in a process of its own where that counts
// (symbol/worker.h).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/reader/debug_file.h"
#include "symbol/reader/functions.h"

enum binary_depth { // how much is read; less where more did not end well
    BINARY_NOTHING,
    BINARY_SYMBOLS, // the file's own symbol tables
    BINARY_ALL,
};

struct binary_names { // of one address
    const char *symbol;  // as in the symbol table, raw and of any length; NULL: none
    bool stub;           // the PLT stub of it
    uint64_t offset;     // of the address from the symbol, or from `start`
    uint64_t start;      // of a function without a symbol, by the unwind tables; 0: not known
    // By DWARF, innermost first; where there is a symbol the last one has no name.
    struct inline_call calls[CALLS_MAX];
    size_t call_count; // 0: no DWARF here
};

struct binary;

// Takes the descriptor. Never fails: a damaged file has no names. path: as the target names it, raw
// bytes. extra: a file to look for debug information in first, NULL: none.
struct binary *binary_new(int fd, const char *path, const char *extra, enum binary_depth depth,
                          struct debug_finder *finder);
void binary_free(struct binary *binary);

bool binary_has_lines(const struct binary *binary);

// As units_at; 0 where there is no DWARF.
uint32_t binary_unit(const struct binary *binary, uint64_t vaddr);

// Everything inside `names` lives as long as the binary.
void binary_find(struct binary *binary, uint64_t vaddr, struct binary_names *names);
