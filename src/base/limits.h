// SPDX-License-Identifier: MIT
// The limits that this process runs under (ulimit): what the kernel says when one is met is its own
// vocabulary ("Resource temporarily unavailable"), so it is named, with the remedy.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

// Lets the process have as many descriptors as it may give itself.
void limits_raise_files(void);

// Lets it write files as large as it may allow itself: for what would be lost otherwise.
void limits_raise_file_size(void);

// How many descriptors the process may have now.
unsigned long limits_files(void);

// Bytes of memory in use that count towards the limits of address space and of data, and how many
// more these allow; SIZE_MAX: there is no limit.
struct limits_memory {
    size_t used, left;
};
struct limits_memory limits_memory(void);

// Appends to a message what limit an error number of the kernel stands for and how it is raised;
// nothing when it stands for none. errno stays.
void limits_explain(struct err *err, int errnum);

// err_sys with limits_explain.
enum rc limits_sys(struct err *err, enum rc rc, int errnum, const char *format, ...)
    PRINTF_LIKE(4, 5);

// Remembers that something is missing from what is made because a limit was met. Other error
// numbers than those of limits are passed over.
void limits_note(int errnum);

// The first one remembered, 0: none.
int limits_noted(void);
