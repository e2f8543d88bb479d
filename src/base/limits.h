// SPDX-License-Identifier: MIT
// The limits that this process runs under (ulimit). The kernel's text for a limit that is reached
// ("Resource temporarily unavailable") does not name it, so these functions name it and its remedy.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

// Raises the limit of open descriptors from the soft to the hard one.
void limits_raise_files(void);

// Raises the limit of file size to the hard one, for a file that would be lost otherwise.
void limits_raise_file_size(void);

// Returns how many descriptors the process may have now.
unsigned long limits_files(void);

// `used` is the memory that counts towards the limits of address space and of data, in bytes, and
// `left` is how much more these allow; SIZE_MAX means that there is no limit.
struct limits_memory {
    size_t used, left;
};
struct limits_memory limits_memory(void);

// Appends to a message which limit an error number of the kernel stands for and how it is raised;
// appends nothing when the number stands for no limit. errno is kept.
void limits_explain(struct err *err, int errnum);

// Does what err_sys does, then limits_explain.
enum rc limits_sys(struct err *err, enum rc rc, int errnum, const char *format, ...)
    PRINTF_LIKE(4, 5);

// Remembers that a limit made the result incomplete. Other error numbers are ignored.
void limits_note(int errnum);

// Returns the first error number that limits_note remembered, or 0.
int limits_noted(void);
