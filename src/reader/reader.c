// SPDX-License-Identifier: MIT
#include "reader/reader.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/memory_room.h"
#include "base/patience.h"
#include "process/memory_image.h"
#include "reader/channel.h"

#define ENDING_NS (500 * NS_PER_MS) // that the kernel may need to end the process
#define LOOK_NS (100 * NS_PER_US)

// Limits of memory in bytes. The target has precedence: we may be in the same memory cgroup.
#define MEMORY_MOST (4ull << 30)
#define MEMORY_LEAST (64ull << 20)

#define FILES_MOST 4096

// A process that asks for files and never receives them must not block us.
static void limit_sending(int channel, int patience_ms)
{
    const struct timeval patience = {.tv_sec = patience_ms / 1000,
                                     .tv_usec = patience_ms % 1000 * 1000};
    setsockopt(channel, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

enum rc reader_start(struct reader_process *reader, const struct reader_service *service,
                     int patience_ms)
{
    int ends[2];
    if (reader->pid)
        return RC_OK;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return RC_LIMIT;
    pid_t pid = fork();
    if (pid == 0) {
        if (service->begin)
            service->begin();
        service->serve(ends[1]);
        _exit(EXIT_SUCCESS);
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return RC_LIMIT;
    }
    reader->pid = pid;
    reader->channel = ends[0];
    limit_sending(reader->channel, patience_ms);
    return RC_OK;
}

size_t reader_hear(const struct reader_process *reader, void *message, size_t most,
                   int64_t deadline)
{
    for (int left; (left = patience_left(deadline)) > 0;) {
        struct pollfd fd = {.fd = reader->channel, .events = POLLIN};
        int ready = poll(&fd, 1, left);
        if (ready < 0 && errno != EINTR)
            return 0;
        if (ready <= 0)
            continue;
        ssize_t length = channel_receive(fd.fd, message, most, NULL);
        return length > 0 ? (size_t)length : 0;
    }
    return 0;
}

void reader_end(struct reader_process *reader)
{
    const struct timespec look = {.tv_nsec = LOOK_NS};
    int64_t given_up = clock_now() + ENDING_NS;
    if (!reader->pid)
        return;
    kill(reader->pid, SIGKILL);
    close(reader->channel);
    while (waitpid(reader->pid, NULL, WNOHANG) == 0 && clock_now() < given_up)
        clock_nanosleep(CLOCK_MONOTONIC, 0, &look, NULL);
    reader->pid = 0;
}

void reader_give_up_rights(struct sandbox_needs needs)
{
    needs.files = FILES_MOST;
    image_describe_by(NULL); // this process parses by itself
    memory_image_build_by(NULL);
    memory_offer(OOM_SCORE_FIRST);
    memory_bound(MEMORY_LEAST, MEMORY_MOST);
    if (!sandbox_enter(&needs))
        _exit(EXIT_FAILURE);
}
