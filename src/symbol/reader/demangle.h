// SPDX-License-Identifier: MIT
// Demangles C++ (Itanium) and Rust (legacy and v0) symbol names.
#pragma once

#include <stddef.h>

#define SYMBOL_NAME_MAX 4096          // longer names are cut and not demangled
#define DEMANGLED_NAME_MAX (16 << 10) // a name whose result would be longer stays mangled

// Returns a fresh string that the caller frees, or NULL when the name is not mangled, is malformed
// or exceeds the limits. A suffix that begins with '@' (a symbol version, "@plt") is kept.
char *demangle(const char *mangled);

// Replaces template arguments by "<...>", as in "std::vector<...>::push_back(int const&)". A Rust
// path keeps its brackets, "<T as Trait>::f", with what is inside folded. Returns a fresh string.
char *demangle_fold(const char *shown);
