// SPDX-License-Identifier: MIT
#include "serve/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "reader/channel.h"

struct outbox_message {
    struct outbox_message *next;
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
    struct outbox_message *message = xmalloc(sizeof *message + length);
    *message = (struct outbox_message){.length = length, .fd = -1};
    memcpy(message->bytes, bytes, length);
    if (fd >= 0 && (message->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) {
        free(message);
        return false;
    }
    if (outbox->last)
        outbox->last->next = message;
    else
        outbox->first = message;
    outbox->last = message;
    return true;
}

bool outbox_send(struct outbox *outbox, int channel, const void *message, size_t length, int fd)
{
    if (!outbox->first) {
        if (channel_send(channel, message, length, fd))
            return true;
        if (!has_to_wait())
            return false;
        outbox->since = clock_now();
    }
    return keep(outbox, message, length, fd);
}

static void drop_first(struct outbox *outbox)
{
    struct outbox_message *message = outbox->first;
    outbox->first = message->next;
    if (!outbox->first)
        outbox->last = NULL;
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
        outbox->since = clock_now();
    }
    return true;
}

void outbox_fini(struct outbox *outbox)
{
    while (outbox->first)
        drop_first(outbox);
}
