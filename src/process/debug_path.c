// SPDX-License-Identifier: MIT
#include "process/debug_path.h"

#include "base/buf.h"
#include "base/mem.h"

#define ROOT "/usr/lib/debug"

char *debug_path_of_id(const unsigned char *build_id, size_t length, const char *ending)
{
    struct buf path = {0};
    buf_puts(&path, ROOT "/.build-id/");
    for (size_t i = 0; i < length; i++)
        buf_printf(&path, i ? "%02x" : "%02x/", build_id[i]);
    buf_puts(&path, ending);
    return path.data;
}

char *debug_path_beside(size_t place, const char *directory, const char *name)
{
    static const struct {
        const char *before, *between; // text before the directory, and between directory and name
    } places[DEBUG_PATH_PLACES] = {
        {"", "/"},
        {"", "/.debug/"},
        {ROOT, "/"},
    };
    return xasprintf("%s%s%s%s", places[place].before, directory, places[place].between, name);
}
