// SPDX-License-Identifier: MIT
#include "reader/memory_reader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "reader/channel.h"
#include "reader/reader.h"

#define PATIENCE_MS 2000 // for one message
#define CPU_SECONDS 10
#define QUESTIONS_MAX 100000u
#define PIECE (32u << 10) // bytes of memory in one message

enum build_kind { BUILD_READ, BUILD_COPY, BUILD_PUT, BUILD_DONE };

struct build_message {
    uint32_t kind;
    uint32_t rc;      // BUILD_DONE: enum rc; answers to BUILD_COPY and BUILD_PUT: 1 for success
    uint64_t address; // of the memory; the first message to the process has the base here
    uint64_t offset;  // in the file
    uint64_t length;  // of BUILD_READ, at most PIECE, and of BUILD_COPY
    unsigned char bytes[PIECE]; // of BUILD_PUT, and of the answer to BUILD_READ
};
#define HEAD offsetof(struct build_message, bytes)

// --- in the process without rights

static struct build_message message; // too large for a stack
static int channel;

// Sends the message with so many bytes, and receives its answer in `message`. Returns how many
// bytes that has.
static size_t ask(size_t bytes)
{
    if (!channel_send(channel, &message, HEAD + bytes, -1))
        _exit(EXIT_SUCCESS);
    ssize_t length = channel_receive(channel, &message, sizeof message, NULL);
    if (length < (ssize_t)HEAD)
        _exit(EXIT_SUCCESS);
    return (size_t)length - HEAD;
}

static size_t want_memory(void *context, uint64_t address, void *to, size_t length)
{
    size_t done = 0, got;
    (void)context;
    do {
        size_t left = length - done;
        message.kind = BUILD_READ;
        message.address = address + done;
        message.length = left < PIECE ? left : PIECE;
        got = ask(0);
        got = got < left ? got : left;
        memcpy((char *)to + done, message.bytes, got);
        done += got;
    } while (got == PIECE && done < length);
    return done;
}

static bool want_copy(void *context, uint64_t address, uint64_t offset, uint64_t length)
{
    (void)context;
    message.kind = BUILD_COPY;
    message.address = address;
    message.offset = offset;
    message.length = length;
    ask(0);
    return message.rc;
}

static bool want_put(void *context, uint64_t offset, const void *bytes, size_t length)
{
    (void)context;
    if (length > PIECE)
        return false;
    message.kind = BUILD_PUT;
    message.offset = offset;
    memcpy(message.bytes, bytes, length);
    ask(length);
    return message.rc;
}

static void serve(int own_channel)
{
    const struct memory_host host = {NULL, want_memory, want_copy, want_put};
    channel = own_channel;
    prctl(PR_SET_NAME, "ptprof-memory");
    reader_give_up_rights(
        (struct sandbox_needs){.descriptor = channel, .cpu_seconds = CPU_SECONDS});
    if (channel_receive(channel, &message, sizeof message, NULL) < (ssize_t)HEAD)
        return;
    message.rc = (uint32_t)memory_image_build(&host, message.address);
    message.kind = BUILD_DONE;
    channel_send(channel, &message, HEAD, -1);
}

// --- in the main process

static const struct reader_service service = {.serve = serve, .begin = thread_come_late};

struct building {
    const struct memory_host *host;
    struct reader_process reader;
    struct build_message message;
    uint64_t copied;
};

static bool hear(struct building *building, size_t *bytes)
{
    size_t length = reader_hear(&building->reader, &building->message, sizeof building->message,
                                clock_now() + PATIENCE_MS * NS_PER_MS);
    *bytes = length < HEAD ? 0 : length - HEAD;
    return length >= HEAD;
}

static bool copy(struct building *building)
{
    const struct build_message *asked = &building->message;
    const struct memory_host *host = building->host;
    if (asked->length > MEMORY_IMAGE_COPY_MAX - building->copied)
        return false;
    building->copied += asked->length;
    return host->copy(host->context, asked->address, asked->offset, asked->length);
}

// Does what the process asks for. Returns false when the answer cannot be sent.
static bool answer(struct building *building, size_t bytes)
{
    struct build_message *asked = &building->message;
    const struct memory_host *host = building->host;
    size_t length = 0;
    if (asked->kind == BUILD_READ)
        length = host->read(host->context, asked->address, asked->bytes,
                            asked->length < PIECE ? asked->length : PIECE);
    else if (asked->kind == BUILD_COPY)
        asked->rc = copy(building);
    else
        asked->rc = host->put(host->context, asked->offset, asked->bytes, bytes);
    return channel_send(building->reader.channel, asked, HEAD + length, -1);
}

static enum rc serve_process(struct building *building)
{
    size_t bytes;
    for (unsigned i = 0; i < QUESTIONS_MAX && hear(building, &bytes); i++) {
        if (building->message.kind == BUILD_DONE)
            return building->message.rc == RC_OK || building->message.rc == RC_FAIL
                       ? (enum rc)building->message.rc
                       : RC_FORMAT;
        if (!answer(building, bytes))
            break;
    }
    return RC_FORMAT;
}

enum rc memory_reader_build(const struct memory_host *host, uint64_t base)
{
    AUTO_FREE struct building *building = xcalloc(1, sizeof *building);
    building->host = host;
    building->message.address = base;
    if (reader_start(&building->reader, &service, PATIENCE_MS) != RC_OK)
        return RC_FAIL;
    enum rc rc = channel_send(building->reader.channel, &building->message, HEAD, -1)
                     ? serve_process(building)
                     : RC_FORMAT;
    reader_end(&building->reader);
    return rc;
}
