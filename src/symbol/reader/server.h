// SPDX-License-Identifier: MIT
// Answers questions about symbols by parsing the target's files: what the symbol process does.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "symbol/wire.h"

struct server_host { // what the server needs from its process
    void *context;
    void (*send)(void *context, const void *message, size_t length);
    int (*open)(void *context, const char *path); // as roots_open
};

struct server;

struct server *server_new(const struct server_host *host);
void server_free(struct server *server);

// Answers one question. `fd` is the descriptor that came with it, or -1; the server owns it.
void server_answer(struct server *server, const void *message, size_t length, int fd);
