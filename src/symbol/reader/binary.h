// SPDX-License-Identifier: MIT
// All that names the addresses of one module: its file, the debug files that belong to it, their
// symbol tables and DWARF. It parses untrusted files, so it runs in the symbol process
// (symbol/worker.h).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/reader/debug_file.h"
#include "symbol/reader/functions.h"

enum binary_depth { // how much is read; reduced after each failure
    BINARY_NOTHING,
    BINARY_SYMBOLS, // only the file's own symbol tables
    BINARY_ALL,
};

struct binary_names { // what is known of one address
    const char *symbol;  // as in the symbol table, raw and of any length; NULL: none
    bool stub;           // the address is in the PLT stub of that symbol
    uint64_t offset;     // of the address from the symbol, or from `start`
    uint64_t start;      // of a function without a symbol, by the unwind tables; 0: not known
    // The calls that DWARF has, innermost first. Where there is a symbol, the last one has no name.
    struct inline_call calls[CALLS_MAX];
    size_t call_count; // 0: there is no DWARF for this address
};

struct binary;

// Owns fd from then on. Never fails: a damaged file has no names. `path` is the file's path in the
// target's view, raw bytes. `extra` is a file to look for debug information in first, or NULL.
struct binary *binary_new(int fd, const char *path, const char *extra, enum binary_depth depth,
                          struct debug_finder *finder);
void binary_free(struct binary *binary);

bool binary_has_lines(const struct binary *binary);

// Does what units_at does; 0 when there is no DWARF.
uint32_t binary_unit(const struct binary *binary, uint64_t vaddr);

// Everything in `names` lives as long as the binary.
void binary_find(struct binary *binary, uint64_t vaddr, struct binary_names *names);
