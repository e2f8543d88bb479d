// SPDX-License-Identifier: MIT
// Lines for who runs the server, on standard error. To the journal each has its priority before it;
// elsewhere the time. Texts are escaped, so that a line stays one.
#pragma once

#include "base/err.h"

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO };

void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

// The same for lines that strangers can cause: of many only some are written, and how many were not
// is said later.
void log_bounded(enum log_level level, const char *text);
