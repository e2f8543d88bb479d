// SPDX-License-Identifier: MIT
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void append(struct err *err, const char *format, va_list args)
{
    size_t used = strlen(err->text);
    vsnprintf(err->text + used, sizeof err->text - used, format, args);
}

enum rc err_set(struct err *err, enum rc rc, const char *format, ...)
{
    if (!err)
        return rc;
    err->text[0] = '\0';
    va_list args;
    va_start(args, format);
    append(err, format, args);
    va_end(args);
    return rc;
}

enum rc err_sys(struct err *err, enum rc rc, int errnum, const char *format, ...)
{
    if (!err)
        return rc;
    err->text[0] = '\0';
    va_list args;
    va_start(args, format);
    append(err, format, args);
    va_end(args);
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", strerror(errnum));
    return rc;
}

void err_add(struct err *err, const char *format, ...)
{
    if (!err)
        return;
    size_t used = strlen(err->text);
    if (used && used + 1 < sizeof err->text) {
        err->text[used] = '\n';
        err->text[used + 1] = '\0';
    }
    va_list args;
    va_start(args, format);
    append(err, format, args);
    va_end(args);
}
