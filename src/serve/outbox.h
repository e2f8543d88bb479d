// SPDX-License-Identifier: MIT
// Messages on their way to a process that may be slow: who sends them never waits for it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outbox_message;

struct outbox { // zeroed: empty
    struct outbox_message *first, *last; // owned
    size_t count;
    bool is_full; // there were too many: one is lost
};

// Sends a message over a channel that does not block (reader/channel.h), with a descriptor (-1:
// none), or keeps a copy of both until outbox_flush; how many is bounded. A message for whose
// descriptor we have none left goes without. Return false when the peer has closed; the first also
// when the message is lost.
bool outbox_send(struct outbox *outbox, int channel, const void *message, size_t length, int fd);
bool outbox_flush(struct outbox *outbox, int channel);

// Says whether the peer is to be given up: a message has waited for so many ns, or there were too
// many.
bool outbox_is_stuck(const struct outbox *outbox, int64_t patience);

void outbox_fini(struct outbox *outbox);
