// SPDX-License-Identifier: MIT
// What the functions of the public API have in common.
#pragma once

#include <ptprof/ptprof.h>

#include "base/err.h"

#define EXPORT __attribute__((visibility("default")))

enum ptprof_result api_result(enum rc rc);

// Copies a message as ptprof_open promises.
void api_say(const struct err *err, char *error, size_t error_size);
