// SPDX-License-Identifier: MIT
#include "serve/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "reader/channel.h"

#define MOST 4096 // messages: more than anybody who reads leaves waiting

struct outbox_message {
    struct outbox_message *next;
    int64_t since; // CLOCK_MONOTONIC ns
    size_t length;
    int fd; // owned, -1: none
    char bytes[];
};

static bool has_to_wait(void)
{
    return errno == EAGAIN || errno == ENOBUFS;
}

static bool keep(struct outbox *outbox, const void *bytes, size_t length, int fd)
{
    outbox->is_full |= outbox->count == MOST;
    if (outbox->is_full)
        return false;
    struct outbox_message *message = xmalloc(sizeof *message + length);
    *message = (struct outbox_message){
        .since = clock_now(),
        .length = length,
        .fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1,
    };
    memcpy(message->bytes, bytes, length);
    if (outbox->last)
        outbox->last->next = message;
    else
        outbox->first = message;
    outbox->last = message;
    outbox->count++;
    return true;
}

bool outbox_send(struct outbox *outbox, int channel, const void *message, size_t length, int fd)
{
    if (!outbox->first) {
        if (channel_send(channel, message, length, fd))
            return true;
        if (!has_to_wait())
            return false;
    }
    return keep(outbox, message, length, fd);
}

static void drop_first(struct outbox *outbox)
{
    struct outbox_message *message = outbox->first;
    outbox->first = message->next;
    if (!outbox->first)
        outbox->last = NULL;
    outbox->count--;
    cleanup_fd(&message->fd);
    free(message);
}

bool outbox_flush(struct outbox *outbox, int channel)
{
    while (outbox->first) {
        const struct outbox_message *message = outbox->first;
        if (!channel_send(channel, message->bytes, message->length, message->fd))
            return has_to_wait();
        drop_first(outbox);
    }
    return true;
}

bool outbox_is_stuck(const struct outbox *outbox, int64_t patience)
{
    return outbox->is_full ||
           (outbox->first && clock_now() - outbox->first->since >= patience);
}

void outbox_fini(struct outbox *outbox)
{
    while (outbox->first)
        drop_first(outbox);
}
