// SPDX-License-Identifier: MIT
// Which type's functions a virtual table of Rust holds, by their names.
#pragma once

#include <stdbool.h>

#include "base/buf.h"

// Puts the type into `type` whose value this function drops: "core::ptr::drop_in_place<TYPE>".
bool rust_type_dropped(const char *function, struct buf *type);

// Returns whether the name is of a method of the type: "<TYPE as Trait>::method". Where the type is
// generic, older names have its parameters instead of what they stand for: those do not count.
bool rust_type_has(const char *type, const char *function);
