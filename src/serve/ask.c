// SPDX-License-Identifier: MIT
#include "serve/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "reader/channel.h"

const char *const ask_words[ASK_COUNT] = {
#define X(name, word, text) [ASK_##name] = word,
    ASKS(X)
#undef X
};

// Questions are zeroed before they are filled in, and so are the ends of their texts.
bool ask_is_same(const struct ask *one, const struct ask *other)
{
    return memcmp(&one->what, &other->what, sizeof *one - offsetof(struct ask, what)) == 0;
}

bool ask_send(int channel, const struct ask *ask, int memory)
{
    return channel_send(channel, ask, sizeof *ask, memory);
}

bool answer_send(int channel, const struct answer_head *answer, int memory)
{
    return channel_send(channel, answer, sizeof *answer, memory);
}

// Returns whether a whole message came; a descriptor of another one is closed.
static int receive(int channel, void *message, size_t length, int *memory)
{
    ssize_t got = channel_receive(channel, message, length, memory);
    if (got == (ssize_t)length)
        return 1;
    cleanup_fd(memory);
    *memory = -1;
    return got == 0 ? 0 : -1;
}

int ask_receive(int channel, struct ask *ask, int *memory)
{
    int got = receive(channel, ask, sizeof *ask, memory);
    if (got <= 0)
        return got;
    ask->type[sizeof ask->type - 1] = '\0';
    ask->target[sizeof ask->target - 1] = '\0';
    ask->text[sizeof ask->text - 1] = '\0';
    if (ask->what < ASK_COUNT && ask->form <= ASK_OPENMETRICS && ask->window >= 0)
        return 1;
    cleanup_fd(memory);
    *memory = -1;
    return -1;
}

int answer_receive(int channel, struct answer_head *answer, int *memory)
{
    int got = receive(channel, answer, sizeof *answer, memory);
    if (got <= 0)
        return got;
    answer->text[sizeof answer->text - 1] = '\0';
    if (answer->rc == RC_OK && answer->size && *memory < 0) { // we have no descriptor left for it
        answer->rc = RC_LIMIT;
        strcpy(answer->text, "there are too many requests: try again later");
    }
    return 1;
}

int answer_memory(void)
{
    return memfd_create("ptprof-answer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

FILE *answer_stream(int memory, struct err *err)
{
    int copy = dup(memory);
    FILE *stream = copy >= 0 ? fdopen(copy, "w") : NULL;
    if (!stream)
        (void)limits_sys(err, RC_LIMIT, errno, "cannot make an answer");
    return stream;
}

enum rc answer_written(FILE *stream, enum rc rc, struct err *err)
{
    if (fclose(stream) != 0 && rc == RC_OK)
        rc = err_sys(err, RC_IO, errno, "cannot write an answer");
    return rc;
}

uint64_t answer_seal(int memory)
{
    struct stat stat = {0};
    fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    return fstat(memory, &stat) == 0 ? (uint64_t)stat.st_size : 0;
}
