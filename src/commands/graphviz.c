// SPDX-License-Identifier: MIT
#include "commands/graphviz.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"

#define SAID_MAX 4000     // bytes
#define SHOWN_MAX 600     // of them

extern char **environ;

// Returns a file in memory that holds the graph, to be read from its beginning.
static int hold(const struct buf *graph)
{
    int fd = memfd_create("graph", MFD_CLOEXEC);
    for (size_t at = 0; fd >= 0 && at < graph->length;) {
        ssize_t written = write(fd, graph->data + at, graph->length - at);
        if (written <= 0) {
            close(fd);
            return -1;
        }
        at += (size_t)written;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

// Returns 0 or the number of an error.
static int start(const char *format, int in, int out, int said, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    AUTO_FREE char *option = xasprintf("-T%s", format);
    char name[] = "dot", *arguments[] = {name, option, NULL};
    int failed = posix_spawn_file_actions_init(&files);
    if (failed)
        return failed;
    const int ends[] = {in, out, said};
    for (int i = 0; i < 3 && !failed; i++)
        failed = posix_spawn_file_actions_adddup2(&files, ends[i], i);
    if (!failed)
        failed = posix_spawnp(pid, name, &files, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

// Says whether the child has ended in time.
static bool wait_for(pid_t pid, int patience_ms)
{
    AUTO_FD int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    int64_t end = clock_now() + (int64_t)patience_ms * NS_PER_MS;
    struct pollfd ends = {.fd = fd, .events = POLLIN};
    int ready = 0;
    if (fd < 0)
        return true; // waitpid waits
    do {
        int64_t left = (end - clock_now()) / NS_PER_MS;
        ready = poll(&ends, 1, left > 0 ? (int)left : 0);
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

static enum rc failed_with(int said, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    lseek(said, 0, SEEK_SET);
    enum rc rc = buf_read_fd(&text, said, SAID_MAX);
    if (!text.length || (rc != RC_OK && rc != RC_LIMIT))
        return err_set(err, RC_FAIL, "graphviz's dot failed and did not say why");
    AUTO_FREE char *start = xstrndup(text.data, strcspn(text.data, "\n"));
    AUTO_FREE char *shown = escape_text_dup(start);
    return err_set(err, RC_FAIL, "graphviz's dot failed: %.*s", SHOWN_MAX, shown);
}

static enum rc finish(pid_t pid, int said, int patience_ms, struct err *err)
{
    int status = 0;
    bool in_time = wait_for(pid, patience_ms);
    if (!in_time)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!in_time)
        return err_set(err, RC_TIMEOUT, "graphviz's dot did not finish within %g s",
                       patience_ms / 1000.0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? RC_OK : failed_with(said, err);
}

enum rc graphviz_render(const struct buf *graph, const char *format, int fd, int patience_ms,
                        struct err *err)
{
    pid_t pid;
    AUTO_FD int in = hold(graph);
    AUTO_FD int said = memfd_create("said", MFD_CLOEXEC);
    if (in < 0 || said < 0)
        return err_sys(err, RC_FAIL, errno, "cannot hand the graph to graphviz's dot");
    int failed = start(format, in, fd, said, &pid);
    if (failed == ENOENT)
        return err_set(err, RC_GONE, "graphviz's program dot is not installed");
    if (failed)
        return err_sys(err, RC_FAIL, failed, "cannot start graphviz's dot");
    return finish(pid, said, patience_ms, err);
}
