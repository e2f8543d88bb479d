// SPDX-License-Identifier: MIT
// Shorter forms of demangled names for where there is little room. Names of other kinds stay as
// they are. The result is appended to `out`.
#pragma once

#include "base/buf.h"

// Turns vector<int, allocator<int>>::push_back(int const&) into vector<..>::push_back(int const&).
void short_name_fold(const char *name, struct buf *out);

// Also drops return type, arguments and what follows these: vector<..>::push_back.
void short_name_bare(const char *name, struct buf *out);
