// SPDX-License-Identifier: MIT
#include "symbol/debuginfod.h"

#include <dlfcn.h>
#include <elfutils/debuginfod.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/memory_room.h"
#include "reader/channel.h"

#define DEFAULT_SERVER "https://debuginfod.elfutils.org/" // it has the files of most distributions

struct answer { // sent by the process that fetches
    uint32_t job;
    int32_t failure; // error number; 0: `text` is the path
    char text[PATH_MAX];
};

struct library {
    debuginfod_client *(*begin)(void);
    int (*find)(debuginfod_client *client, const unsigned char *build_id, int length, char **path);
};

// --- in the process that fetches

static bool load(struct library *library)
{
    void *handle = dlopen(DEBUGINFOD_SONAME, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return false;
    *(void **)&library->begin = dlsym(handle, "debuginfod_begin");
    *(void **)&library->find = dlsym(handle, "debuginfod_find_debuginfo");
    return library->begin && library->find;
}

static void fetch_one(const struct library *library, debuginfod_client *client,
                      const char *build_id, struct answer *answer)
{
    char *path = NULL;
    // Length 0 says that the build id is given as hex text.
    int fd = library->find(client, (const unsigned char *)build_id, 0, &path);
    answer->failure = fd < 0 ? -fd : 0;
    snprintf(answer->text, sizeof answer->text, "%s", fd >= 0 && path ? path : "");
    free(path);
    if (fd >= 0)
        close(fd);
}

static _Noreturn void run(int channel, const struct debuginfod_job *jobs, size_t count)
{
    struct library library;
    struct answer answer = {0};
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    setenv(DEBUGINFOD_URLS_ENV_VAR, DEFAULT_SERVER, 0);
    memory_offer(OOM_SCORE_FIRST);
    bool loaded = load(&library);
    debuginfod_client *client = loaded ? library.begin() : NULL;
    for (size_t i = 0; i < count; i++) {
        answer.job = (uint32_t)i;
        answer.failure = loaded ? ENOMEM : ELIBACC;
        if (client)
            fetch_one(&library, client, jobs[i].build_id, &answer);
        channel_send(channel, &answer, sizeof answer, -1);
    }
    _exit(EXIT_SUCCESS);
}

// --- in ours

static void take(struct debuginfod_job *jobs, size_t count, const struct answer *answer)
{
    if (answer->job >= count || !memchr(answer->text, '\0', sizeof answer->text))
        return;
    struct debuginfod_job *job = &jobs[answer->job];
    free(job->path);
    free(job->why);
    job->path = answer->failure ? NULL : xstrdup(answer->text);
    job->why = NULL;
    if (answer->failure == ELIBACC)
        job->why = xstrdup(DEBUGINFOD_SONAME " is not installed");
    else if (answer->failure)
        job->why = xstrdup(strerror(answer->failure));
}

static void take_all(int channel, struct debuginfod_job *jobs, size_t count, int64_t deadline)
{
    for (size_t taken = 0; taken < count;) {
        struct pollfd answers = {.fd = channel, .events = POLLIN};
        struct answer answer;
        int64_t left_ms = (deadline - clock_now()) / NS_PER_MS;
        if (left_ms <= 0)
            return;
        if (poll(&answers, 1, (int)left_ms) <= 0)
            continue;
        if (channel_receive(channel, &answer, sizeof answer, NULL) != sizeof answer)
            return;
        take(jobs, count, &answer);
        taken++;
    }
}

void debuginfod_fetch(struct debuginfod_job *jobs, size_t count, int milliseconds)
{
    int ends[2];
    int64_t deadline = clock_now() + (int64_t)milliseconds * NS_PER_MS;
    for (size_t i = 0; i < count; i++)
        jobs[i].why = xstrdup("no answer in time");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return;
    AUTO_FD int ours = ends[0];
    pid_t pid = fork();
    if (pid == 0)
        run(ends[1], jobs, count);
    close(ends[1]);
    if (pid < 0)
        return;
    take_all(ours, jobs, count, deadline);
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}
