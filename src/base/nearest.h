// SPDX-License-Identifier: MIT
// Which name somebody meant who mistyped it.
#pragma once

#include <stddef.h>

// Returns the name that is fewest edits away (a byte put in, left out, replaced, or two that
// changed places); NULL when none is near enough to be meant.
const char *nearest_name(const char *word, const char *const *names, size_t count);
