// SPDX-License-Identifier: MIT
#include "symbol/short_name.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define FOLD_LEAST 4 // shorter template arguments are shown
#define OPEN_MOST 32 // a name with more unclosed brackets is hostile

// Returns the bracket that closes the one at `open`, or NULL. The '>' of "->" closes nothing.
// *tries counts the unclosed brackets of this name: looking to its end for each of thousands would
// take too long.
static const char *closing(const char *open, unsigned *tries)
{
    if (*tries == OPEN_MOST)
        return NULL;
    static const char opens[] = "<({[", closes[] = ">)}]";
    int depth = 0;
    for (const char *at = open; *at; at++) {
        depth += strchr(opens, *at) != NULL;
        depth -= strchr(closes, *at) && !(*at == '>' && at > open && at[-1] == '-');
        if (depth == 0)
            return at;
    }
    ++*tries;
    return NULL;
}

static bool is_word(char byte)
{
    return byte == '_' || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z');
}

// Returns the length of "operator" and the symbols after it if such a name begins at `at`; else 0.
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
    unsigned tries = 0;
    for (const char *at = name; *at; at++) {
        size_t sign = operator_at(name, at);
        if (sign) {
            buf_append(out, at, sign);
            at += sign - 1;
            continue;
        }
        buf_putc(out, *at);
        const char *end = *at == '<' && at > name ? closing(at, &tries) : NULL;
        if (!end || end - at <= FOLD_LEAST)
            continue;
        buf_puts(out, "..");
        at = end - 1;
    }
    buf_append(out, "", 0);
}

// Returns whether the text behind a ')' shows that it ends an argument list. In Go's
// "main.(*T).method" it does not.
static bool ends_arguments(const char *behind)
{
    return !*behind || *behind == ' ' || strncmp(behind, "::", 2) == 0;
}

static bool is_anonymous(const char *open)
{
    return strncmp(open, "(anonymous ", strlen("(anonymous ")) == 0;
}

// Copies the name without argument lists, also those of an enclosing function. *begin becomes the
// place in `out` where the name may begin, after the return type. Returns false when there was no
// argument list, so that this is not a demangled C++ function.
static bool drop_arguments(const char *name, struct buf *out, size_t *begin)
{
    bool dropped = false, in_operator = false;
    unsigned tries = 0;
    *begin = out->length;
    for (const char *at = name; *at; at++) {
        size_t sign = operator_at(name, at);
        const char *end = strchr("<({[", *at) ? closing(at, &tries) : NULL;
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
