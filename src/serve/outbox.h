// SPDX-License-Identifier: MIT
// Messages on their way to a process that may be slow: who sends them never waits for it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outbox_message;

struct outbox { // zeroed: empty
    struct outbox_message *first, *last; // owned
    int64_t since; // CLOCK_MONOTONIC ns: the first has waited since then
};

// Sends a message over a channel that does not block (reader/channel.h), with a descriptor (-1:
// none), or keeps a copy of both until outbox_flush. Return false when the peer has closed.
bool outbox_send(struct outbox *outbox, int channel, const void *message, size_t length, int fd);
bool outbox_flush(struct outbox *outbox, int channel);
void outbox_fini(struct outbox *outbox);
