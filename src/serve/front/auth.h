// SPDX-License-Identifier: MIT
// What the Authorization field of a request claims. Nothing here knows the library that reads HTTP.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct auth_claim {
    bool is_bearer;    // else user and password
    char user[256];    // "": of a bearer
    char secret[1024]; // password or token
};

// Returns false when the field is neither "Basic ..." nor "Bearer ...", or is malformed.
bool auth_parse(const char *field, struct auth_claim *claim);
