// SPDX-License-Identifier: MIT
// The sockets that a server listens at.
#pragma once

#include <stddef.h>

#include "base/err.h"

#define LISTENERS_MOST 16

struct listeners {
    int sockets[LISTENERS_MOST + 1]; // the last one is followed by -1
    size_t count;
};

// Opens what the text names: "127.0.0.1:6060", "[::1]:6060", "unix:PATH", with commas between.
// RC_USAGE, or RC_FAIL: an address is in use and the like.
enum rc listeners_open(struct listeners *listeners, const char *text, struct err *err) MUST_CHECK;
void listeners_close(struct listeners *listeners);
