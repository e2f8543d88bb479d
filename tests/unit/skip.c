// SPDX-License-Identifier: MIT
#include "tests/unit/skip.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void skip_test(const char *function, int index, const char *reason)
{
    const char *end = strstr(function, "_fn"); // of Check
    int length = end ? (int)(end - function) : (int)strlen(function);
    dprintf(STDOUT_FILENO, "skip %.*s[%d]: %s\n", length, function, index, reason);
}
