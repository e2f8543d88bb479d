// SPDX-License-Identifier: MIT
#include "commands/aside.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/thread.h"
#include "commands/interrupts.h"
#include "commands/output_file.h"

enum rc aside_open(struct aside *aside, struct err *err)
{
    aside->signals = aside->news_fd = aside->over_fd = -1;
    if ((aside->signals = interrupts_open()) < 0 ||
        (aside->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0 ||
        (aside->over_fd = eventfd(0, EFD_CLOEXEC)) < 0)
        return limits_sys(err, RC_FAIL, errno, "cannot take signals");
    return RC_OK;
}

void aside_close(struct aside *aside)
{
    cleanup_fd(&aside->signals);
    cleanup_fd(&aside->news_fd);
    cleanup_fd(&aside->over_fd);
}

bool aside_ending(void *aside)
{
    return atomic_load(&((struct aside *)aside)->ending);
}

bool aside_pause_until(struct aside *aside, int64_t next)
{
    struct pollfd fd = {.fd = aside->news_fd, .events = POLLIN};
    for (int64_t now; !aside_ending(aside) && !aside->suspended && (now = clock_now()) < next;) {
        int64_t left_ms = (next - now + NS_PER_MS - 1) / NS_PER_MS;
        eventfd_t ignored;
        poll(&fd, 1, left_ms < INT_MAX ? (int)left_ms : INT_MAX);
        eventfd_read(aside->news_fd, &ignored);
    }
    if (atomic_exchange(&aside->suspended, false))
        interrupts_suspend();
    return !aside_ending(aside);
}

struct aside_work {
    struct aside *aside;
    struct err *err;
    enum rc rc;
};

static void *run(void *context)
{
    struct aside_work *work = context;
    thread_come_late();
    work->rc = work->aside->work(work->aside->context, work->err);
    eventfd_write(work->aside->over_fd, 1);
    return NULL;
}

static void heed(struct aside *aside, int signal)
{
    if (signal == SIGTSTP)
        atomic_store(&aside->suspended, true);
    else if (signal && signal != SIGUSR1 && !atomic_exchange(&aside->ending, true)) {
        interrupts_let_kill(output_file_abandon);
        if (aside->hurry)
            aside->hurry(aside->context);
    }
    if (signal)
        eventfd_write(aside->news_fd, 1);
}

enum rc aside_run(struct aside *aside, struct err *err)
{
    struct aside_work work = {aside, err, RC_OK};
    pthread_t thread;
    int errnum = thread_start(&thread, run, &work);
    if (errnum)
        return err_sys(err, RC_FAIL, errnum, "cannot start a thread");
    struct pollfd fds[] = {{.fd = aside->signals, .events = POLLIN},
                           {.fd = aside->over_fd, .events = POLLIN}};
    for (; !fds[1].revents; heed(aside, interrupts_next(aside->signals)))
        poll(fds, ARRAY_LENGTH(fds), -1);
    pthread_join(thread, NULL);
    return work.rc;
}
