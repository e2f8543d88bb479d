// SPDX-License-Identifier: MIT
// The sockets that a server listens at.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

#define LISTENERS_MOST 16

struct listener {
    char address[160]; // "127.0.0.1:6060", with the port that it has; "unix:PATH"
    bool is_unix;
    char *path;        // of the file of a unix socket that we made; owned. NULL: there is none
    ino_t inode;       // of that file
    bool is_local;     // nobody beyond this machine can connect to it
};

struct listeners {
    int sockets[LISTENERS_MOST + 1]; // the last one is followed by -1
    struct listener each[LISTENERS_MOST];
    size_t count;
};

// Opens what the text names: "127.0.0.1:6060", "[::1]:6060", "unix:PATH", with commas between. Port
// 0 is a free one. is_shared: the file of a unix socket is for everybody, else for its owner.
// RC_USAGE, or RC_FAIL: an address is in use and the like.
enum rc listeners_open(struct listeners *listeners, const char *text, bool is_shared,
                       struct err *err) MUST_CHECK;

// Says of each what listeners_open would, and opens nothing: there is nothing to close. Fails with
// RC_USAGE.
enum rc listeners_check(struct listeners *listeners, const char *text, struct err *err) MUST_CHECK;

// Takes sockets that others have opened: they listen already. Fails with RC_USAGE.
enum rc listeners_adopt(struct listeners *listeners, const int *sockets, size_t count,
                        struct err *err) MUST_CHECK;

// Says on standard error where it is served.
void listeners_announce(const struct listeners *listeners, bool is_https);

// Removes the files of unix sockets too.
void listeners_close(struct listeners *listeners);
