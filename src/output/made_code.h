// SPDX-License-Identifier: MIT
// Code that a process made at run time, by the names that memory has in maps.
#pragma once

#include <stdbool.h>

// Says whether a mapping with that file holds no code but what its process put there.
bool made_code_holds(const char *file);
