// SPDX-License-Identifier: MIT
// C++ (Itanium) and Rust (legacy and v0) symbol names into what people write.
#pragma once

#include <stddef.h>

#define SYMBOL_NAME_MAX 4096          // longer ones are cut and not demangled
#define DEMANGLED_NAME_MAX (16 << 10) // what would become longer stays mangled

// A fresh string that the caller frees, or NULL when the name is not mangled, is damaged or passes
// the bounds. A suffix from '@' on (a symbol version, "@plt") is carried over.
char *demangle(const char *mangled);

// For a screen: template arguments become "<...>", as in "std::vector<...>::push_back(int const&)".
// What begins a path in Rust, "<T as Trait>::f", stays, with what is inside folded. A fresh string.
char *demangle_fold(const char *shown);
