// SPDX-License-Identifier: MIT
#include "symbol/short_name.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define FOLD_LEAST 4 // shorter template arguments are shown

// What closes the bracket at `open`, or NULL. "->" closes nothing.
static const char *closing(const char *open)
{
    static const char opens[] = "<({[", closes[] = ">)}]";
    int depth = 0;
    for (const char *at = open; *at; at++) {
        depth += strchr(opens, *at) != NULL;
        depth -= strchr(closes, *at) && !(*at == '>' && at > open && at[-1] == '-');
        if (depth == 0)
            return at;
    }
    return NULL;
}

static bool is_word(char byte)
{
    return byte == '_' || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z');
}

// The length of "operator" and the signs behind it, if a name begins with it here; else 0.
static size_t operator_at(const char *name, const char *at)
{
    size_t length = strlen("operator");
    if (strncmp(at, "operator", length) != 0 || is_word(at[length]) ||
        (at > name && is_word(at[-1])))
        return 0;
    if (strncmp(at + length, "()", 2) == 0 || strncmp(at + length, "[]", 2) == 0)
        return length + 2;
    return length + strspn(at + length, "<>=!+-*/%^&|~,");
}

void short_name_fold(const char *name, struct buf *out)
{
    for (const char *at = name; *at; at++) {
        size_t sign = operator_at(name, at);
        if (sign) {
            buf_append(out, at, sign);
            at += sign - 1;
            continue;
        }
        buf_putc(out, *at);
        const char *end = *at == '<' && at > name ? closing(at) : NULL;
        if (!end || end - at <= FOLD_LEAST)
            continue;
        buf_puts(out, "..");
        at = end - 1;
    }
    buf_append(out, "", 0);
}

// Whether what follows a ')' makes it the end of arguments. In Go's "main.(*T).method" it does not.
static bool ends_arguments(const char *behind)
{
    return !*behind || *behind == ' ' || strncmp(behind, "::", 2) == 0;
}

static bool is_anonymous(const char *open)
{
    return strncmp(open, "(anonymous ", strlen("(anonymous ")) == 0;
}

// Drops the arguments; those of an enclosing function too. Says where in `out` its name may begin.
// False: there are none, so that this is no name of C++ with its arguments.
static bool drop_arguments(const char *name, struct buf *out, size_t *begin)
{
    bool dropped = false, in_operator = false;
    *begin = out->length;
    for (const char *at = name; *at; at++) {
        size_t sign = operator_at(name, at);
        const char *end = strchr("<({[", *at) ? closing(at) : NULL;
        in_operator = in_operator || sign;
        if (!sign && *at == '(' && end && at > name && at[-1] != ' ' && !is_anonymous(at) &&
            ends_arguments(end + 1)) {
            dropped = true;
            at = end;
            if (at[1] == ' ') // " const", " [clone .cold]"
                break;
            continue;
        }
        size_t length = sign ? sign : end ? (size_t)(end - at) + 1 : 1;
        if (*at == ' ' && !in_operator)
            *begin = out->length + 1;
        buf_append(out, at, length);
        at += length - 1;
    }
    return dropped;
}

void short_name_bare(const char *name, struct buf *out)
{
    AUTO_BUF struct buf folded = {0};
    size_t start = out->length, begin;
    short_name_fold(name, &folded);
    if (!drop_arguments(folded.length ? folded.data : "", out, &begin)) {
        out->length = start;
        buf_append(out, folded.length ? folded.data : "", folded.length);
        return;
    }
    memmove(out->data + start, out->data + begin, out->length - begin);
    out->length -= begin - start;
    out->data[out->length] = '\0';
}
