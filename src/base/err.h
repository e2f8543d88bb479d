// SPDX-License-Identifier: MIT
// Results of functions that can fail. Callers branch on the code; a person reads the text.
// The text is written once, where the fact is known, and printed once, in main.
#pragma once

#include <stdbool.h>

enum rc {
    RC_OK = 0,
    RC_FAIL,   // a failure that callers treat like any other
    RC_USAGE,  // the caller's input is wrong
    RC_GONE,   // the process or thread ended: a result rather than an error
    RC_DENIED, // a permission is missing
    RC_BUSY,   // another tracer is attached to it
    RC_TIMEOUT,
    RC_IO,
    RC_FORMAT, // a file or a /proc text is malformed
    RC_LIMIT,  // one of our own bounds was reached
    RC_ABSENT, // there is no such thing, or not of this process
};

struct err {
    char text[1536]; // one or more lines, no newline at the end, already safe for a terminal
};

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(text_at, args_at) __attribute__((format(printf, text_at, args_at)))

// Writes the message into err (which may be NULL) and returns rc, so that failing is one statement.
enum rc err_set(struct err *err, enum rc rc, const char *format, ...) PRINTF_LIKE(3, 4);

// Does what err_set does, and appends ": " and the text of the system error number.
enum rc err_sys(struct err *err, enum rc rc, int errnum, const char *format, ...)
    PRINTF_LIKE(4, 5);

// Appends a line to the message.
void err_add(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);
