// SPDX-License-Identifier: MIT
#include "output/mapped_file.h"

#include <string.h>

#include "base/mem.h"

// perf calls it by the file that its names come from.
static bool is_perf_map(const char *file)
{
    size_t length = strlen(file);
    return strncmp(file, "/tmp/perf-", 10) == 0 && length > 4 &&
           strcmp(file + length - 4, ".map") == 0;
}

bool mapped_file_is_made(const char *file)
{
    static const char *const beginnings[] = {"[anon", "[heap]", "[stack]", "//anon", "/memfd:",
                                             "/dev/shm/"};
    for (size_t i = 0; i < ARRAY_LENGTH(beginnings); i++)
        if (strncmp(file, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return !*file || is_perf_map(file);
}

// "libc.so", "libc.so.6", "libc.so_6".
static bool is_library(const char *file)
{
    for (const char *at = file; (at = strstr(at, ".so")); at += 3)
        if (!at[3] || ((at[3] == '.' || at[3] == '_') && at[4] >= '0' && at[4] <= '9'))
            return true;
    return false;
}

bool mapped_file_is_program(const char *file)
{
    return *file && *file != '[' && !is_library(file);
}
