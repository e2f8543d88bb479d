// SPDX-License-Identifier: MIT
// A program with a memory leak to find. A thread answers a hundred made-up requests a second: each
// opens a session with a name and a buffer of 4000 bytes, and closes it. One request in four is
// aborted, and whoever wrote end_request forgot that then the session has to go too.
//
// leak [SECONDS]: runs for so long, or until SIGTERM or Ctrl-C, and then says what it lost.
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define REQUESTS 100 // a second
#define BUFFER 4000  // bytes

struct session {
    char magic[8];
    uint64_t number;
    char *user;
    char *buffer;
};

static atomic_ulong lost;

NOINLINE static struct session *open_session(uint64_t number)
{
    struct session *session = malloc(sizeof *session);
    *session = (struct session){"SESSION", number, NULL, malloc(BUFFER)};
    if (asprintf(&session->user, "user-%06lu@example.org, session opened", number) < 0)
        abort();
    snprintf(session->buffer, BUFFER, "GET /basket?user=%lu HTTP/1.1", number);
    return session;
}

NOINLINE static void close_session(struct session *session)
{
    free(session->buffer);
    free(session->user);
    free(session);
}

NOINLINE static void end_request(struct session *session, bool aborted)
{
    if (aborted) {
        lost++; // the leak
        return;
    }
    close_session(session);
}

static void *serve(void *unused)
{
    const struct timespec pause = {.tv_nsec = 1000000000 / REQUESTS};
    for (uint64_t number = 1;; number++) {
        struct session *session = open_session(number);
        nanosleep(&pause, NULL);
        end_request(session, number % 4 == 0);
    }
    return unused;
}

int main(int argc, char **argv)
{
    const struct timespec left = {.tv_sec = argc > 1 ? atoi(argv[1]) : 0};
    pthread_t thread;
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigaddset(&end, SIGINT);
    sigprocmask(SIG_BLOCK, &end, NULL);
    if (pthread_create(&thread, NULL, serve, NULL) != 0)
        return 1;
    pthread_setname_np(thread, "server");
    printf("leak runs as process %d.\n", (int)getpid());
    fflush(stdout);
    sigtimedwait(&end, NULL, argc > 1 ? &left : NULL);
    printf("sessions lost: %lu\n", lost);
    return 0;
}
