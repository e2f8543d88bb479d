// SPDX-License-Identifier: MIT
// The blocking system calls that blocking.c repeats. Each returns what the kernel returned, with
// errors as -errno; file descriptors and pids, which vary, are returned as 0.
#pragma once

#include "target.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>

#define TIMEOUT (10 * MS) // of every timed wait

#define SIGNAL_TIMED (SIGRTMIN + 1)  // never sent
#define SIGNAL_WAITED (SIGRTMIN + 2) // for sigwaitinfo
#define SIGNAL_FD (SIGRTMIN + 3)     // for the signalfd
#define SIGNAL_HANDLED (SIGRTMIN + 4)

struct waiting {
    const char *name;
    long (*call)(struct waiting *self);
    long right, also;                   // what the call may return
    int64_t at_least;                   // ns that it must take; 0: as it comes
    bool (*set_up)(struct waiting *self); // false: this kernel does not have it
    void (*wake)(struct waiting *self); // by the waker, every 10 ms
    int fd, peer;                       // the waiting thread's end and the waker's
    unsigned word;                      // a futex
    pid_t tid;
    bool held;                          // by the waker, of things that are locked
    bool absent;
    long calls, interrupted, changed, odd; // odd: the first wrong result
};

static struct timespec timeout = {.tv_nsec = TIMEOUT};
static const struct timeval timeout_read_only = {.tv_usec = TIMEOUT / US};
static _Thread_local volatile sig_atomic_t handled;

static long raw(long result)
{
    return result < 0 ? -errno : result;
}

#define CALL(name, ...) raw(syscall(SYS_##name, __VA_ARGS__))

static struct timespec in_future(clockid_t clock)
{
    return timespec_of(clock_ns(clock) + TIMEOUT);
}

// ---- sleeping

static long call_nanosleep(struct waiting *self)
{
    (void)self;
    return CALL(nanosleep, &timeout, NULL);
}

static long call_clock_nanosleep(struct waiting *self)
{
    (void)self;
    return CALL(clock_nanosleep, CLOCK_MONOTONIC, 0, &timeout, NULL);
}

static long call_clock_nanosleep_abs(struct waiting *self)
{
    (void)self;
    struct timespec until = in_future(CLOCK_MONOTONIC);
    return CALL(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

// ---- futex

static long call_futex_wait(struct waiting *self)
{
    return CALL(futex, &self->word, FUTEX_WAIT_PRIVATE, 0, &timeout, NULL, 0);
}

static long call_futex_wait_abs(struct waiting *self)
{
    struct timespec until = in_future(CLOCK_MONOTONIC);
    return CALL(futex, &self->word, FUTEX_WAIT_BITSET_PRIVATE, 0, &until, NULL, ~0u);
}

static long call_futex_wait_forever(struct waiting *self)
{
    long result = CALL(futex, &self->word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    __atomic_store_n(&self->word, 0, __ATOMIC_SEQ_CST);
    return result;
}

static void wake_futex(struct waiting *self)
{
    __atomic_store_n(&self->word, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &self->word, FUTEX_WAKE_PRIVATE, 1);
}

// Gives EAGAIN, and the lock stays ours, when somebody else asks for the lock at that very moment.
static bool unlock_pi(struct waiting *self)
{
    long result;
    do
        result = syscall(SYS_futex, &self->word, FUTEX_UNLOCK_PI_PRIVATE);
    while (result != 0 && errno == EAGAIN);
    return result == 0;
}

static long call_futex_lock_pi(struct waiting *self)
{
    long result = CALL(futex, &self->word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    if (result == 0 && !unlock_pi(self))
        result = -errno;
    sleep_ns(2 * MS);
    return result;
}

static void wake_futex_pi(struct waiting *self)
{
    if (self->held)
        self->held = !unlock_pi(self);
    else
        self->held = syscall(SYS_futex, &self->word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL) == 0;
}

#ifdef SYS_futex_waitv
static long call_futex_waitv(struct waiting *self)
{
    struct futex_waitv wait = {
        .uaddr = (uintptr_t)&self->word, .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG};
    struct timespec until = in_future(CLOCK_MONOTONIC);
    return CALL(futex_waitv, &wait, 1, 0, &until, CLOCK_MONOTONIC);
}
#endif

// ---- poll, select, epoll

static long call_poll(struct waiting *self)
{
    (void)self;
    return CALL(poll, NULL, 0, (int)(TIMEOUT / MS));
}

static long call_ppoll(struct waiting *self)
{
    (void)self;
    struct timespec left = timeout;
    return CALL(ppoll, NULL, 0, &left, NULL, 8);
}

static long call_select(struct waiting *self)
{
    (void)self;
    struct timeval left = timeout_read_only;
    return CALL(select, 0, NULL, NULL, NULL, &left);
}

// The kernel cannot write back how much time is left, so it cannot restart this one.
static long call_select_read_only(struct waiting *self)
{
    (void)self;
    return CALL(select, 0, NULL, NULL, NULL, &timeout_read_only);
}

static long call_pselect6(struct waiting *self)
{
    (void)self;
    struct timespec left = timeout;
    return CALL(pselect6, 0, NULL, NULL, NULL, &left, NULL);
}

static bool set_up_epoll(struct waiting *self)
{
    struct epoll_event event = {.events = EPOLLIN};
    self->fd = epoll_create1(EPOLL_CLOEXEC);
    self->peer = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return epoll_ctl(self->fd, EPOLL_CTL_ADD, self->peer, &event) == 0;
}

static void wake_eventfd(struct waiting *self)
{
    eventfd_write(self->peer, 1);
}

static long call_epoll_wait(struct waiting *self)
{
    struct epoll_event event;
    return CALL(epoll_wait, self->fd, &event, 1, (int)(TIMEOUT / MS));
}

static long call_epoll_wait_forever(struct waiting *self)
{
    struct epoll_event event;
    long result = CALL(epoll_wait, self->fd, &event, 1, -1);
    eventfd_t value;
    eventfd_read(self->peer, &value);
    return result;
}

static long call_epoll_pwait(struct waiting *self)
{
    struct epoll_event event;
    return CALL(epoll_pwait, self->fd, &event, 1, (int)(TIMEOUT / MS), NULL, 8);
}

static long call_epoll_pwait2(struct waiting *self)
{
    struct epoll_event event;
    return CALL(epoll_pwait2, self->fd, &event, 1, &timeout, NULL, 8);
}

// ---- System V and POSIX queues

static bool set_up_semaphore(struct waiting *self)
{
    self->fd = semget(IPC_PRIVATE, 1, 0600);
    return self->fd >= 0;
}

static void wake_semaphore(struct waiting *self)
{
    struct sembuf up = {.sem_op = 1, .sem_flg = IPC_NOWAIT};
    semop(self->fd, &up, 1);
}

static long call_semop(struct waiting *self)
{
    struct sembuf down = {.sem_op = -1};
    return CALL(semop, self->fd, &down, 1);
}

static long call_semtimedop(struct waiting *self)
{
    struct sembuf down = {.sem_op = -1};
    return CALL(semtimedop, self->fd, &down, 1, &timeout);
}

struct message {
    long type;
    char text[1];
};

static bool set_up_message(struct waiting *self)
{
    self->fd = msgget(IPC_PRIVATE, 0600);
    return self->fd >= 0;
}

static void wake_message(struct waiting *self)
{
    struct message message = {.type = 1};
    msgsnd(self->fd, &message, sizeof message.text, IPC_NOWAIT);
}

static long call_msgrcv(struct waiting *self)
{
    struct message message;
    return CALL(msgrcv, self->fd, &message, sizeof message.text, 0, 0);
}

static bool set_up_mqueue(struct waiting *self)
{
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8};
    char name[32];
    snprintf(name, sizeof name, "/blocking-%d", (int)getpid());
    self->fd = mq_open(name, O_RDONLY | O_CREAT | O_EXCL, 0600, &attributes);
    mq_unlink(name);
    return self->fd >= 0;
}

static long call_mq_timedreceive(struct waiting *self)
{
    char text[8];
    struct timespec until = in_future(CLOCK_REALTIME);
    return CALL(mq_timedreceive, self->fd, text, sizeof text, NULL, &until);
}

// ---- signals

static sigset_t only(int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    return set;
}

static long call_sigtimedwait(struct waiting *self)
{
    (void)self;
    sigset_t set = only(SIGNAL_TIMED);
    return CALL(rt_sigtimedwait, &set, NULL, &timeout, 8);
}

static long call_sigwaitinfo(struct waiting *self)
{
    (void)self;
    sigset_t set = only(SIGNAL_WAITED);
    long result = CALL(rt_sigtimedwait, &set, NULL, NULL, 8);
    return result == SIGNAL_WAITED ? 0 : result;
}

static void wake_sigwaitinfo(struct waiting *self)
{
    syscall(SYS_tgkill, getpid(), self->tid, SIGNAL_WAITED);
}

static bool set_up_signalfd(struct waiting *self)
{
    sigset_t set = only(SIGNAL_FD);
    self->fd = signalfd(-1, &set, SFD_CLOEXEC);
    return self->fd >= 0;
}

static void wake_signalfd(struct waiting *self)
{
    syscall(SYS_tgkill, getpid(), self->tid, SIGNAL_FD);
}

static void on_signal(int number)
{
    (void)number;
    handled = 1;
}

static bool set_up_handler(struct waiting *self)
{
    (void)self;
    struct sigaction action = {.sa_handler = on_signal};
    return sigaction(SIGNAL_HANDLED, &action, NULL) == 0;
}

static void wake_handler(struct waiting *self)
{
    syscall(SYS_tgkill, getpid(), self->tid, SIGNAL_HANDLED);
}

// pause and sigsuspend always end with EINTR: right is that a handler has run by then.
static long call_pause(struct waiting *self)
{
    (void)self;
    sigset_t set = only(SIGNAL_HANDLED);
    handled = 0;
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    long result = raw(syscall(SYS_pause));
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return result == -EINTR && handled ? 0 : result;
}

static long call_sigsuspend(struct waiting *self)
{
    (void)self;
    sigset_t set;
    sigfillset(&set);
    sigdelset(&set, SIGNAL_HANDLED);
    handled = 0;
    long result = CALL(rt_sigsuspend, &set, 8);
    return result == -EINTR && handled ? 0 : result;
}

// ---- sockets

static bool set_up_datagrams(struct waiting *self)
{
    int fds[2];
    struct timeval time = timeout_read_only;
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) != 0)
        return false;
    self->fd = fds[0];
    self->peer = fds[1];
    return self->at_least == 0 ||
           (setsockopt(self->fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0 &&
            setsockopt(self->fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) == 0);
}

static void wake_datagram(struct waiting *self)
{
    send(self->peer, "x", 1, MSG_DONTWAIT);
}

static long call_recv(struct waiting *self)
{
    char byte;
    return CALL(recvfrom, self->fd, &byte, 1, 0, NULL, NULL);
}

static long call_recvmmsg(struct waiting *self)
{
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
    struct timespec left = {.tv_sec = 100};
    return CALL(recvmmsg, self->fd, &message, 1, 0, &left);
}

static long call_readv(struct waiting *self)
{
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    return CALL(readv, self->fd, &part, 1);
}

static long call_write_byte(struct waiting *self)
{
    return CALL(write, self->fd, "x", 1);
}

static long call_writev(struct waiting *self)
{
    char byte = 'x';
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    return CALL(writev, self->fd, &part, 1);
}

static long call_sendmmsg(struct waiting *self)
{
    char byte = 'x';
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
    return CALL(sendmmsg, self->fd, &message, 1, 0);
}

static bool set_up_full(struct waiting *self)
{
    if (!set_up_datagrams(self))
        return false;
    while (send(self->fd, "x", 1, MSG_DONTWAIT) == 1)
        ;
    return true;
}

static long call_send(struct waiting *self)
{
    return CALL(sendto, self->fd, "x", 1, 0, NULL, 0);
}

// fd listens at an address that the kernel chose; peer is a client's socket.
static bool set_up_listener(struct waiting *self)
{
    struct sockaddr_un any = {.sun_family = AF_UNIX};
    struct timeval time = timeout_read_only;
    self->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(self->fd, (struct sockaddr *)&any, sizeof any.sun_family) != 0 ||
        listen(self->fd, 0) != 0)
        return false;
    return self->at_least == 0 ||
           setsockopt(self->fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0;
}

static long connect_to(int listener, int client)
{
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    if (getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        die("getsockname");
    return CALL(connect, client, &address, length);
}

static void wake_listener(struct waiting *self)
{
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    connect_to(self->fd, client);
    close(client);
}

static long call_accept(struct waiting *self)
{
    long result = CALL(accept, self->fd, NULL, NULL);
    return result < 0 ? result : close((int)result);
}

static bool set_up_full_listener(struct waiting *self)
{
    if (!set_up_listener(self))
        return false;
    struct timeval time = timeout_read_only;
    long result = 0;
    while (result == 0) // the clients stay in the queue and keep it full
        result = connect_to(self->fd, socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    self->peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return setsockopt(self->peer, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) == 0;
}

static long call_connect(struct waiting *self)
{
    return connect_to(self->fd, self->peer);
}

// ---- asynchronous I/O

static aio_context_t aio;

static bool set_up_aio(struct waiting *self)
{
    (void)self;
    return aio != 0 || syscall(SYS_io_setup, 1, &aio) == 0;
}

static long call_io_getevents(struct waiting *self)
{
    (void)self;
    struct io_event event;
    return CALL(io_getevents, aio, 1, 1, &event, &timeout);
}

static long call_io_pgetevents(struct waiting *self)
{
    (void)self;
    struct io_event event;
    return CALL(io_pgetevents, aio, 1, 1, &event, &timeout, NULL);
}

static bool set_up_uring(struct waiting *self)
{
    struct io_uring_params parameters = {0};
    self->fd = (int)syscall(SYS_io_uring_setup, 1, &parameters);
    return self->fd >= 0 && parameters.features & IORING_FEAT_EXT_ARG;
}

static long call_io_uring_enter(struct waiting *self)
{
    struct __kernel_timespec time = {.tv_nsec = TIMEOUT};
    struct io_uring_getevents_arg argument = {.ts = (uintptr_t)&time};
    return CALL(io_uring_enter, self->fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                &argument, sizeof argument);
}

// ---- reading

static char read_buffer[4096]; // nobody looks at what was read

static long call_read(struct waiting *self)
{
    return CALL(read, self->fd, read_buffer, sizeof read_buffer);
}

// One signal at a time: a reader that comes late finds several.
static long call_read_signal(struct waiting *self)
{
    return CALL(read, self->fd, read_buffer, sizeof(struct signalfd_siginfo));
}

static long call_read_byte(struct waiting *self)
{
    return CALL(read, self->fd, read_buffer, 1);
}

static bool set_up_pipe(struct waiting *self)
{
    int fds[2];
    if (pipe(fds) != 0)
        return false;
    self->fd = fds[0];
    self->peer = fds[1];
    return fcntl(self->peer, F_SETFL, O_NONBLOCK) == 0;
}

static void wake_write(struct waiting *self)
{
    if (write(self->peer, "x", 1) < 0 && errno != EAGAIN)
        die("write");
}

static bool set_up_eventfd(struct waiting *self)
{
    self->fd = self->peer = eventfd(0, EFD_CLOEXEC);
    return self->fd >= 0;
}

static bool set_up_timerfd(struct waiting *self)
{
    struct itimerspec every = {.it_interval = timeout, .it_value = timeout};
    self->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    return timerfd_settime(self->fd, 0, &every, NULL) == 0;
}

static const char *path_of(int fd)
{
    static _Thread_local char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}

static bool set_up_inotify(struct waiting *self)
{
    self->peer = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    self->fd = inotify_init1(IN_CLOEXEC);
    return inotify_add_watch(self->fd, path_of(self->peer), IN_MODIFY) >= 0;
}

static void wake_inotify(struct waiting *self)
{
    if (pwrite(self->peer, "x", 1, 0) != 1)
        die("pwrite");
}

static long call_read_inotify(struct waiting *self)
{
    return CALL(read, self->fd, read_buffer, sizeof(struct inotify_event));
}

static bool set_up_pty(struct waiting *self)
{
    self->fd = posix_openpt(O_RDWR | O_NOCTTY);
    if (self->fd < 0 || grantpt(self->fd) != 0 || unlockpt(self->fd) != 0)
        return false;
    self->peer = open(ptsname(self->fd), O_RDWR | O_NOCTTY | O_NONBLOCK);
    return self->peer >= 0;
}

// ---- locks, FIFO, child

static bool set_up_two_opens(struct waiting *self)
{
    self->fd = memfd_create("locked", 0);
    self->peer = open(path_of(self->fd), O_RDWR | O_CLOEXEC);
    return self->peer >= 0;
}

static long call_flock(struct waiting *self)
{
    long result = CALL(flock, self->fd, LOCK_EX);
    flock(self->fd, LOCK_UN);
    sleep_ns(2 * MS);
    return result;
}

static void wake_flock(struct waiting *self)
{
    if (self->held)
        self->held = flock(self->peer, LOCK_UN) != 0;
    else
        self->held = flock(self->peer, LOCK_EX | LOCK_NB) == 0;
}

static long lock_record(int fd, int command, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_len = 1};
    return CALL(fcntl, fd, command, &lock);
}

// Of the open file instead of the process, so that two threads can contend; waits as F_SETLKW.
static long call_setlkw(struct waiting *self)
{
    long result = lock_record(self->fd, F_OFD_SETLKW, F_WRLCK);
    lock_record(self->fd, F_OFD_SETLK, F_UNLCK);
    sleep_ns(2 * MS);
    return result;
}

static void wake_setlkw(struct waiting *self)
{
    if (self->held)
        self->held = lock_record(self->peer, F_OFD_SETLK, F_UNLCK) != 0;
    else
        self->held = lock_record(self->peer, F_OFD_SETLK, F_WRLCK) == 0;
}

static bool set_up_fifo(struct waiting *self)
{
    char name[64];
    snprintf(name, sizeof name, "/tmp/blocking-fifo-%d", (int)getpid());
    if (mkfifo(name, 0600) != 0)
        return false;
    self->fd = open(name, O_PATH | O_CLOEXEC);
    unlink(name); // opened from now on through the descriptor
    return self->fd >= 0;
}

static long call_open_fifo(struct waiting *self)
{
    long result = CALL(openat, AT_FDCWD, path_of(self->fd), O_RDONLY);
    return result < 0 ? result : close((int)result);
}

static void wake_fifo(struct waiting *self)
{
    int fd = open(path_of(self->fd), O_WRONLY | O_NONBLOCK);
    if (fd >= 0)
        close(fd);
}

static long call_wait4(struct waiting *self)
{
    (void)self;
    pid_t child = fork();
    if (child == 0) {
        nanosleep(&timeout, NULL);
        _exit(0);
    }
    int status = -1;
    long result = CALL(wait4, child, &status, 0, NULL);
    if (result < 0)
        waitpid(child, NULL, 0);
    return result == child && status == 0 ? 0 : result;
}

// ---- large transfers: these can come out short when a running thread is stopped inside of them

#define LARGE (1 << 20)

static char large_buffer[LARGE];

static bool set_up_large_pipe(struct waiting *self)
{
    int fds[2];
    if (pipe(fds) != 0)
        return false;
    self->fd = fds[1];
    self->peer = fds[0];
    return true;
}

static bool set_up_stream(struct waiting *self)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        return false;
    self->fd = fds[0];
    self->peer = fds[1];
    return true;
}

static void drain(struct waiting *self)
{
    static char sink[65536];
    for (int i = 0; i < 64; i++) { // what is there, without waiting for more
        struct pollfd fd = {.fd = self->peer, .events = POLLIN};
        if (poll(&fd, 1, 0) != 1 || read(self->peer, sink, sizeof sink) <= 0)
            return;
    }
}

static void feed(struct waiting *self)
{
    static const char zeros[65536];
    while (send(self->peer, zeros, sizeof zeros, MSG_DONTWAIT) > 0)
        ;
}

static long call_write_large(struct waiting *self)
{
    return CALL(write, self->fd, large_buffer, LARGE);
}

static long call_send_large(struct waiting *self)
{
    return CALL(sendto, self->fd, large_buffer, LARGE, 0, NULL, 0);
}

static long call_recv_large(struct waiting *self)
{
    return CALL(recvfrom, self->fd, large_buffer, LARGE, MSG_WAITALL, NULL, NULL);
}
