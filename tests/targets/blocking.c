// SPDX-License-Identifier: MIT
// Each blocking system call that a ptrace stop can spoil, repeated in a thread of its own and ended
// by its timeout or by a waker. Counts what an untouched process never sees: EINTR, another result,
// an early end. SIGTERM: prints the counts. --transfers: large transfers instead, which count as
// changed when they come out short.
#include "blocking.h"

#include <sched.h>

#define SOON (TIMEOUT / 2) // socket timeouts are counted in kernel ticks: they may end a tick early

static struct waiting waits[] = {
    {"nanosleep", call_nanosleep, 0, 0, TIMEOUT, NULL, NULL},
    {"clock_nanosleep", call_clock_nanosleep, 0, 0, TIMEOUT, NULL, NULL},
    {"clock_nanosleep absolute", call_clock_nanosleep_abs, 0, 0, TIMEOUT, NULL, NULL},
    {"futex wait", call_futex_wait, -ETIMEDOUT, -ETIMEDOUT, TIMEOUT, NULL, NULL},
    {"futex wait absolute", call_futex_wait_abs, -ETIMEDOUT, -ETIMEDOUT, TIMEOUT, NULL, NULL},
    {"futex wait for ever", call_futex_wait_forever, 0, -EAGAIN, 0, NULL, wake_futex},
    {"futex lock_pi", call_futex_lock_pi, 0, 0, 0, NULL, wake_futex_pi},
#ifdef SYS_futex_waitv
    {"futex_waitv", call_futex_waitv, -ETIMEDOUT, -ETIMEDOUT, TIMEOUT, NULL, NULL},
#endif
    {"poll", call_poll, 0, 0, TIMEOUT, NULL, NULL},
    {"ppoll", call_ppoll, 0, 0, TIMEOUT, NULL, NULL},
    {"select", call_select, 0, 0, TIMEOUT, NULL, NULL},
    {"select, read-only timeout", call_select_read_only, 0, 0, TIMEOUT, NULL, NULL},
    {"pselect6", call_pselect6, 0, 0, TIMEOUT, NULL, NULL},
    {"epoll_wait", call_epoll_wait, 0, 0, TIMEOUT, set_up_epoll, NULL},
    {"epoll_wait for ever", call_epoll_wait_forever, 1, 1, 0, set_up_epoll, wake_eventfd},
    {"epoll_pwait", call_epoll_pwait, 0, 0, TIMEOUT, set_up_epoll, NULL},
    {"epoll_pwait2", call_epoll_pwait2, 0, 0, TIMEOUT, set_up_epoll, NULL},
    {"semop", call_semop, 0, 0, 0, set_up_semaphore, wake_semaphore},
    {"semtimedop", call_semtimedop, -EAGAIN, -EAGAIN, SOON, set_up_semaphore, NULL},
    {"msgrcv", call_msgrcv, 1, 1, 0, set_up_message, wake_message},
    {"mq_timedreceive", call_mq_timedreceive, -ETIMEDOUT, -ETIMEDOUT, SOON, set_up_mqueue, NULL},
    {"rt_sigtimedwait", call_sigtimedwait, -EAGAIN, -EAGAIN, TIMEOUT, NULL, NULL},
    {"sigwaitinfo", call_sigwaitinfo, 0, 0, 0, NULL, wake_sigwaitinfo},
    {"pause", call_pause, 0, 0, 0, set_up_handler, wake_handler},
    {"rt_sigsuspend", call_sigsuspend, 0, 0, 0, set_up_handler, wake_handler},
    {"recv", call_recv, 1, 1, 0, set_up_datagrams, wake_datagram},
    {"recv, SO_RCVTIMEO", call_recv, -EAGAIN, -EAGAIN, SOON, set_up_datagrams, NULL},
    {"read, SO_RCVTIMEO", call_read_byte, -EAGAIN, -EAGAIN, SOON, set_up_datagrams, NULL},
    {"readv, SO_RCVTIMEO", call_readv, -EAGAIN, -EAGAIN, SOON, set_up_datagrams, NULL},
    {"recvmmsg, SO_RCVTIMEO", call_recvmmsg, -EAGAIN, -EAGAIN, SOON, set_up_datagrams, NULL},
    {"recvmmsg, timeout", call_recvmmsg, 1, 1, 0, set_up_datagrams, wake_datagram},
    {"send, SO_SNDTIMEO", call_send, -EAGAIN, -EAGAIN, SOON, set_up_full, NULL},
    {"write, SO_SNDTIMEO", call_write_byte, -EAGAIN, -EAGAIN, SOON, set_up_full, NULL},
    {"writev, SO_SNDTIMEO", call_writev, -EAGAIN, -EAGAIN, SOON, set_up_full, NULL},
    {"sendmmsg, SO_SNDTIMEO", call_sendmmsg, -EAGAIN, -EAGAIN, SOON, set_up_full, NULL},
    {"accept", call_accept, 0, 0, 0, set_up_listener, wake_listener},
    {"accept, SO_RCVTIMEO", call_accept, -EAGAIN, -EAGAIN, SOON, set_up_listener, NULL},
    {"connect, SO_SNDTIMEO", call_connect, -EAGAIN, -EAGAIN, SOON, set_up_full_listener, NULL},
    {"io_getevents", call_io_getevents, 0, 0, TIMEOUT, set_up_aio, NULL},
    {"io_pgetevents", call_io_pgetevents, 0, 0, TIMEOUT, set_up_aio, NULL},
    {"io_uring_enter", call_io_uring_enter, -ETIME, -ETIME, TIMEOUT, set_up_uring, NULL},
    {"read pipe", call_read_byte, 1, 1, 0, set_up_pipe, wake_write},
    {"read eventfd", call_read, 8, 8, 0, set_up_eventfd, wake_eventfd},
    {"read timerfd", call_read, 8, 8, 0, set_up_timerfd, NULL},
    {"read signalfd", call_read_signal, sizeof(struct signalfd_siginfo), 0, 0, set_up_signalfd,
     wake_signalfd},
    {"read inotify", call_read_inotify, sizeof(struct inotify_event), 0, 0, set_up_inotify,
     wake_inotify},
    {"read pty", call_read_byte, 1, 1, 0, set_up_pty, wake_write},
    {"flock", call_flock, 0, 0, 0, set_up_two_opens, wake_flock},
    {"fcntl setlkw", call_setlkw, 0, 0, 0, set_up_two_opens, wake_setlkw},
    {"open FIFO", call_open_fifo, 0, 0, 0, set_up_fifo, wake_fifo},
    {"wait4", call_wait4, 0, 0, 0, NULL, NULL},
};

static struct waiting transfers[] = {
    {"write pipe, 1 MB", call_write_large, LARGE, LARGE, 0, set_up_large_pipe, drain},
    {"send stream, 1 MB", call_send_large, LARGE, LARGE, 0, set_up_stream, drain},
    {"recv stream, MSG_WAITALL", call_recv_large, LARGE, LARGE, 0, set_up_stream, feed},
};

static struct waiting *table = waits;
static size_t table_length = sizeof waits / sizeof waits[0];

// A little work between the calls: a thread is stopped only if it is seen running, and may have
// blocked again by the time that the stop comes.
static void *repeat(void *argument)
{
    struct waiting *self = argument;
    __atomic_store_n(&self->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
    for (;;) {
        for (int i = 0; i < 10; i++)
            burn();
        int64_t begin = clock_ns(CLOCK_MONOTONIC);
        long result = self->call(self);
        int64_t took = clock_ns(CLOCK_MONOTONIC) - begin;
        self->calls++;
        if (result == -EINTR) {
            self->interrupted++;
        } else if ((result != self->right && result != self->also) || took < self->at_least) {
            if (self->changed++ == 0)
                self->odd = result;
        }
    }
    return NULL;
}

static void *waker(void *unused)
{
    for (;;) {
        for (size_t i = 0; i < table_length; i++) {
            bool there = __atomic_load_n(&table[i].tid, __ATOMIC_SEQ_CST) != 0;
            if (there && table[i].wake)
                table[i].wake(&table[i]);
        }
        sleep_ns(table == transfers ? MS : TIMEOUT);
    }
    return unused;
}

static void print_counts(void)
{
    long calls = 0, interrupted = 0, changed = 0;
    printf("{\"cases\": {");
    for (size_t i = 0; i < table_length; i++) {
        const struct waiting *self = &table[i];
        calls += self->calls;
        interrupted += self->interrupted;
        changed += self->changed;
        printf("%s\"%s\": {\"calls\": %ld, \"eintr\": %ld, \"changed\": %ld, \"odd\": %ld, "
               "\"absent\": %s}",
               i ? ", " : "", self->name, self->calls, self->interrupted, self->changed, self->odd,
               self->absent ? "true" : "false");
    }
    printf("}, \"calls\": %ld, \"eintr\": %ld, \"changed\": %ld}\n", calls, interrupted, changed);
}

static void block_all_signals(void)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
}

int main(int argc, char **argv)
{
    (void)argc;
    block_all_signals();
    if (unshare(CLONE_NEWIPC) != 0 && errno != EPERM) // System V objects that go when we go
        die("unshare");
    if (option(argv, "--transfers")) {
        table = transfers;
        table_length = sizeof transfers / sizeof transfers[0];
    }
    for (size_t i = 0; i < table_length; i++)
        table[i].absent = table[i].set_up && !table[i].set_up(&table[i]);
    for (size_t i = 0; i < table_length; i++)
        if (!table[i].absent)
            start(repeat, &table[i], "repeat");
    start(waker, NULL, "waker");
    sleep_ns(200 * MS); // every thread is in its call by now
    ready();
    await_signal();
    print_counts();
    return 0;
}
