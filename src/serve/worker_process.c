// SPDX-License-Identifier: MIT
#include "serve/worker_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "serve/log.h"

#define END_NS (2ll * NS_PER_S)    // that one may take to end
#define STUCK_NS (10ll * NS_PER_S) // that one may leave a message waiting
#define REAP_MS 10
#define FORBIDDEN ": a filter of system calls, as a service has, forbids what it needs"

static struct {
    struct closed {
        pid_t pid;
        const char *name; // literal
        int64_t until; // it may end by itself
    } *list;
    size_t count, capacity;
} closed; // they are to end

static bool is_kept(int fd, int channel, const int *kept)
{
    if (fd <= STDERR_FILENO || fd == channel)
        return true;
    for (; kept && *kept >= 0; kept++)
        if (*kept == fd)
            return true;
    return false;
}

// Listening sockets and the channels of others are not for this process.
static void close_others(int channel, const int *kept)
{
    int last = channel;
    for (const int *fd = kept; fd && *fd >= 0; fd++)
        last = *fd > last ? *fd : last;
    for (int fd = STDERR_FILENO + 1; fd < last; fd++)
        if (!is_kept(fd, channel, kept))
            close(fd);
    syscall(SYS_close_range, (unsigned)last + 1, ~0u, 0u);
}

static void begin(const char *name, pid_t parent)
{
    static const int ignored[] = {SIGINT, SIGTSTP, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE};
    sigset_t none;
    prctl(PR_SET_NAME, name);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    for (size_t i = 0; i < ARRAY_LENGTH(ignored); i++) // the collector is told, and ends this one
        signal(ignored[i], SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

enum rc worker_process_start(struct worker_process *worker, const char *name, const int *kept,
                             void (*serve)(int, const void *), const void *context,
                             struct err *err)
{
    int ends[2];
    pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return limits_sys(err, RC_LIMIT, errno, "cannot start a process");
    pid_t pid = fork();
    if (pid == 0) {
        begin(name, parent);
        close_others(ends[1], kept);
        serve(ends[1], context);
        _exit(EXIT_SUCCESS);
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return limits_sys(err, RC_LIMIT, errno, "cannot start a process");
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *worker = (struct worker_process){.pid = pid, .name = name, .channel = ends[0]};
    return RC_OK;
}

bool worker_process_send(struct worker_process *worker, const void *message, size_t length, int fd)
{
    return outbox_send(&worker->outbox, worker->channel, message, length, fd);
}

short worker_process_events(const struct worker_process *worker)
{
    return (short)(POLLIN | (worker->outbox.first ? POLLOUT : 0));
}

bool worker_process_take(struct worker_process *worker, short events)
{
    if (events & POLLOUT && !outbox_flush(&worker->outbox, worker->channel))
        return false;
    return !outbox_is_stuck(&worker->outbox, STUCK_NS);
}

// --- the end ---

// A process that ended as it should says nothing. Strangers may cause others, by what they ask.
static void tell_end(const struct closed *ended, int status)
{
    AUTO_FREE char *text = NULL;
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (number)
        text = xasprintf("%s (%d) was ended by signal %d (%s)%s", ended->name, (int)ended->pid,
                         number, strsignal(number), number == SIGSYS ? FORBIDDEN : "");
    else if (WEXITSTATUS(status) != EXIT_SUCCESS)
        text = xasprintf("%s (%d) ended with status %d", ended->name, (int)ended->pid,
                         WEXITSTATUS(status));
    if (text)
        log_bounded(LOG_LEVEL_WARNING, text);
}

// A pid is not given to another process before it has been waited for.
void worker_process_reap(void)
{
    int64_t now = clock_now();
    for (size_t i = closed.count; i-- > 0;) {
        int status = 0;
        if (waitpid(closed.list[i].pid, &status, WNOHANG) != 0) {
            tell_end(&closed.list[i], status);
            closed.list[i] = closed.list[--closed.count];
        } else if (now >= closed.list[i].until) {
            kill(closed.list[i].pid, SIGKILL);
        }
    }
}

void worker_process_close(struct worker_process *worker)
{
    if (worker->pid) {
        close(worker->channel);
        outbox_fini(&worker->outbox);
        ARRAY_RESERVE(closed.list, closed.count, closed.capacity);
        closed.list[closed.count++] =
            (struct closed){worker->pid, worker->name, clock_now() + END_NS};
    }
    *worker = (struct worker_process){0};
    worker_process_reap();
}

void worker_process_reap_all(void)
{
    for (worker_process_reap(); closed.count; worker_process_reap())
        (void)poll(NULL, 0, REAP_MS);
    free(closed.list);
    closed.list = NULL;
    closed.capacity = 0;
}
