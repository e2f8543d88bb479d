// SPDX-License-Identifier: MIT
// What the names that memory has in maps say of the code in it.
#pragma once

#include <stdbool.h>

// Says whether a mapping with that file holds no code but what its process put there.
bool mapped_file_is_made(const char *file);

// Says whether it looks like a program, and not like a library, the kernel or code of no file.
bool mapped_file_is_program(const char *file);
