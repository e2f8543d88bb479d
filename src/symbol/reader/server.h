// SPDX-License-Identifier: MIT
// Answers questions about names: what the symbol process does. It reads the target's files.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "symbol/wire.h"

struct server_host { // where the server lives
    void *context;
    void (*send)(void *context, const void *message, size_t length);
    int (*open)(void *context, const char *path); // as roots_open
};

struct server;

struct server *server_new(const struct server_host *host);
void server_free(struct server *server);

// Answers one question. fd: that came with it, -1: none; taken.
void server_answer(struct server *server, const void *message, size_t length, int fd);
