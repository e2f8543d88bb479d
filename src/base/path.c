// SPDX-License-Identifier: MIT
#include "base/path.h"

#include <stdbool.h>
#include <string.h>

struct cleaning {
    struct buf *out;
    size_t root;  // where components begin
    size_t fixed; // what lies before it, no ".." takes away
    bool rooted;
};

static void remove_last(struct cleaning *cleaning)
{
    struct buf *out = cleaning->out;
    const char *slash = memrchr(out->data + cleaning->fixed, '/', out->length - cleaning->fixed);
    out->length = slash ? (size_t)(slash - out->data) : cleaning->fixed;
    out->data[out->length] = '\0';
}

static void take(struct cleaning *cleaning, const char *component, size_t length)
{
    bool up = length == 2 && component[0] == '.' && component[1] == '.';
    if (!length || (length == 1 && *component == '.'))
        return;
    if (up && cleaning->out->length > cleaning->fixed) {
        remove_last(cleaning);
        return;
    }
    if (up && cleaning->rooted)
        return;
    if (cleaning->out->length > cleaning->root)
        buf_putc(cleaning->out, '/');
    buf_append(cleaning->out, component, length);
    if (up)
        cleaning->fixed = cleaning->out->length;
}

void path_clean(struct buf *out, const char *path)
{
    size_t start = out->length;
    struct cleaning cleaning = {.out = out, .rooted = *path == '/'};
    if (cleaning.rooted)
        buf_putc(out, '/');
    cleaning.root = cleaning.fixed = out->length;
    while (*path) {
        path += strspn(path, "/");
        size_t length = strcspn(path, "/");
        take(&cleaning, path, length);
        path += length;
    }
    if (out->length == start)
        buf_putc(out, '.');
}
