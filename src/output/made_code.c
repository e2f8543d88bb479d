// SPDX-License-Identifier: MIT
#include "output/made_code.h"

#include <string.h>

#include "base/mem.h"

// perf calls it by the file that its names come from.
static bool is_perf_map(const char *file)
{
    size_t length = strlen(file);
    return strncmp(file, "/tmp/perf-", 10) == 0 && length > 4 &&
           strcmp(file + length - 4, ".map") == 0;
}

bool made_code_holds(const char *file)
{
    static const char *const beginnings[] = {"[anon", "[heap]", "[stack]", "//anon", "/memfd:",
                                             "/dev/shm/"};
    for (size_t i = 0; i < ARRAY_LENGTH(beginnings); i++)
        if (strncmp(file, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return !*file || is_perf_map(file);
}
