// SPDX-License-Identifier: MIT
// Who proves that he may ask. Passwords are tried so often a second at most, whoever sends them,
// because trying one is costly; a right one is remembered by a hash, and costs nothing again from
// where it came.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "serve/access.h"

enum login {
    LOGIN_GOOD,
    LOGIN_NONE,  // nothing was claimed
    LOGIN_WRONG,
    LOGIN_LATER, // too many wrong ones came: it was not tried
};

// access: borrowed.
void login_begin(const struct access *access);

// Returns whether anybody has to prove anything.
bool login_is_needed(void);

// Returns whether passwords are known, and not only tokens.
bool login_has_passwords(void);

// field: of the header, NULL: there is none. from: tells those who try apart. now: ns.
enum login login_check(const char *field, uint64_t from, int64_t now);
