// SPDX-License-Identifier: MIT
#include "heap/rust_type.h"

#include <string.h>

bool rust_type_dropped(const char *function, struct buf *type)
{
    static const char drop[] = "core::ptr::drop_in_place";
    size_t length = strlen(function);
    if (strncmp(function, drop, sizeof drop - 1) != 0)
        return false;
    const char *at = function + sizeof drop - 1;
    at += strncmp(at, "::", 2) == 0 ? 2 : 0;
    if (at[0] != '<' || !at[1] || function[length - 1] != '>' || at + 2 >= function + length)
        return false;
    buf_clear(type);
    buf_append(type, at + 1, (size_t)(function + length - at) - 2);
    return true;
}

bool rust_type_has(const char *type, const char *function)
{
    size_t length = strcspn(type, "<");
    if (function[0] != '<' || !length || strncmp(function + 1, type, length) != 0)
        return false;
    const char *behind = function + 1 + length;
    return strncmp(behind, " as ", 4) == 0 || (*behind == '<' && strstr(behind, "> as "));
}
