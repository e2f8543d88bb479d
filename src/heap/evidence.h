// SPDX-License-Identifier: MIT
// What a process is made of, by texts that its files hold: names of functions that they use from
// libraries, paths of sources of a language's own library. Stripping leaves these.
#pragma once

#include <stdbool.h>

#include "heap/target.h"

// Returns whether a file that the process runs code of holds the text, other than those whose name
// begins with `but` (NULL: any). It reads up to 64 MB.
bool evidence_of(const struct heap_target *target, const char *text, const char *but);

// Returns the same for the program itself, of which it reads up to 16 MB.
bool evidence_of_program(const struct heap_target *target, const char *text);
