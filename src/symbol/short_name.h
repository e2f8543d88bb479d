// SPDX-License-Identifier: MIT
// Demangled names where there is little room: what is not the function's name goes first. Other
// names stay as they are. All of it is appended to `out`.
#pragma once

#include "base/buf.h"

// vector<int, allocator<int>>::push_back(int const&) becomes vector<..>::push_back(int const&).
void short_name_fold(const char *name, struct buf *out);

// And without return type, arguments and what follows them: vector<..>::push_back.
void short_name_bare(const char *name, struct buf *out);
