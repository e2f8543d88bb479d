// SPDX-License-Identifier: MIT
// Who may ask: what the files say that a server was given, read by the process that has the right
// to, before the one that reads HTTP is started.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "serve/listeners.h"
#include "serve/settings.h"

struct access_user {
    char *name, *hash; // as crypt(3) has it
};

struct access { // owned
    struct access_user *users;
    size_t user_count, user_capacity;
    char **tokens;
    size_t token_count, token_capacity;
    char *certificate, *key; // PEM; NULL: HTTP without TLS
    uid_t *uids;             // who may connect to a unix socket, beside root
    size_t uid_count, uid_capacity;
    bool any_uid;
};

// Reads them. Fails with RC_USAGE when an address that others reach is served without a choice of
// who may ask; for files that others may read, and for what is in them.
enum rc access_open(struct access *access, const struct serve_settings *settings,
                    const struct listeners *listeners, struct err *err) MUST_CHECK;
void access_close(struct access *access);
