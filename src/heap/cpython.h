// SPDX-License-Identifier: MIT
// A CPython in a process: which version it is, where its variables lie, and what its objects look
// like. Layouts are those of 3.8 to 3.13.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap/target.h"

#define CPYTHON_TEXT_MAX 128 // bytes of a name, with its NUL

struct cpython {
    uint64_t type, str; // addresses of PyType_Type and PyUnicode_Type
    uint64_t type_size; // bytes of a PyTypeObject
    uint64_t start, end; // of its variables
    unsigned minor;     // of version 3.minor; 0: not known
    char version[24];   // "3.11.2", "3.9", ""
};

// Finds it by the symbols that every CPython exports for its extensions, in the executable or in a
// libpython. False when there is none; `type` is then the address of what is called so and is none.
bool cpython_find(struct heap_target *target, struct cpython *python);

// Finds a variable of it by its name in the symbol table. False when it is not there.
bool cpython_variable(struct heap_target *target, const char *name, uint64_t *address,
                      uint64_t *size);

// Copies a constant text of C's with its NUL, out of the file when its page is not in memory: after
// a fork none is that the child has not used. False when there is none of at most `size` bytes.
bool cpython_name(struct heap_target *target, uint64_t address, char *text, size_t size);

// Copies what a str holds, when that is ASCII and fits; false otherwise.
bool cpython_text(struct heap_target *target, const struct cpython *python, uint64_t address,
                  char *text);
