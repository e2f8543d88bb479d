// SPDX-License-Identifier: MIT
// A thread for each way of waiting that is no lock, for ever: descriptors of all kinds, sleeps,
// children, signals. Prints one line of JSON, then "ready", when each of them is in its system
// call:
//   {"waits": [{"tid": 12, "name": "read pipe", "kind": "pipe", "timed": false,
//               "text": ["read on fd 5 (pipe", ...]}, ...], "absent": ["name", ...]}
// kind: as in wait_kind_names. text: what has to stand in the words for it. absent: what this
// machine does not have. The other end of the TCP connection is a process called "peer".
#include "target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>

#define TEXTS 4

struct waiting {
    const char *name, *kind;
    long number;                          // of the system call
    void (*set_up)(struct waiting *self); // fills in fd and text
    void (*wait)(struct waiting *self);
    bool timed, absent;
    int fd, other;
    char text[TEXTS][128];
    volatile pid_t tid;
};

static pid_t peer;
static char directory[] = "/tmp/descriptors-XXXXXX";

static void tell(struct waiting *self, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void tell(struct waiting *self, size_t at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(self->text[at], sizeof self->text[at], format, args);
    va_end(args);
}

static void path_of(const char *name, char path[108])
{
    snprintf(path, 108, "%s/%s", directory, name);
}

// ---- descriptors

static void read_one(struct waiting *self)
{
    char byte;
    (void)!read(self->fd, &byte, 1);
}

static void read_eight(struct waiting *self)
{
    uint64_t value;
    (void)!read(self->fd, &value, sizeof value);
}

static void set_up_pipe(struct waiting *self)
{
    int ends[2];
    if (pipe(ends) != 0)
        die("pipe");
    self->fd = ends[0];
    self->other = ends[1];
    tell(self, 0, "read on fd %d (pipe", self->fd);
    tell(self, 1, "written by this process");
}

static void set_up_full_pipe(struct waiting *self)
{
    set_up_pipe(self);
    fcntl(self->other, F_SETFL, O_NONBLOCK);
    char bytes[4096] = {0};
    while (write(self->other, bytes, sizeof bytes) > 0)
        ;
    fcntl(self->other, F_SETFL, 0);
    tell(self, 0, "write on fd %d (pipe", self->other);
    tell(self, 1, "read by this process");
}

static void write_other(struct waiting *self)
{
    (void)!write(self->other, "", 1);
}

static int listen_tcp(struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(fd, (struct sockaddr *)address, sizeof *address) != 0 || listen(fd, 5) != 0 ||
        getsockname(fd, (struct sockaddr *)address, &length) != 0)
        die("listen");
    return fd;
}

// The other end is another process, which holds it as long as we live.
static void set_up_tcp(struct waiting *self)
{
    struct sockaddr_in address, other;
    socklen_t length = sizeof other;
    int listener = listen_tcp(&address);
    if ((peer = fork()) == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, "peer");
        close(listener);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
            die("connect");
        for (;;)
            pause();
    }
    self->fd = accept(listener, (struct sockaddr *)&other, &length);
    close(listener);
    tell(self, 0, "on fd %d (tcp 127.0.0.1:%d to 127.0.0.1:%d", self->fd,
         ntohs(address.sin_port), ntohs(other.sin_port));
    tell(self, 1, "of %d \"peer\"", peer);
}

static void set_up_listener(struct waiting *self)
{
    struct sockaddr_in address;
    self->fd = listen_tcp(&address);
    tell(self, 0, "on fd %d (tcp 127.0.0.1:%d, listening)", self->fd, ntohs(address.sin_port));
}

static void accept_one(struct waiting *self)
{
    accept(self->fd, NULL, NULL);
}

static void set_up_udp6(struct waiting *self)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t length = sizeof address;
    self->fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    self->absent = self->fd < 0 ||
                   bind(self->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
                   getsockname(self->fd, (struct sockaddr *)&address, &length) != 0;
    tell(self, 0, "on fd %d (udp [::1]:%d", self->fd, ntohs(address.sin6_port));
}

static void receive(struct waiting *self)
{
    char byte;
    (void)!recv(self->fd, &byte, 1, 0);
}

static void set_up_unix(struct waiting *self)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    path_of("socket", address.sun_path);
    self->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(self->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(self->fd, 5) != 0)
        die("unix socket");
    tell(self, 0, "on fd %d (unix socket %s, listening)", self->fd, address.sun_path);
}

static void set_up_unix_pair(struct waiting *self)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        die("socketpair");
    self->fd = ends[0];
    self->other = ends[1];
    tell(self, 0, "on fd %d (unix socket to this process", self->fd);
}

static void set_up_eventfd(struct waiting *self)
{
    self->fd = eventfd(0, EFD_CLOEXEC);
    tell(self, 0, "read on fd %d (eventfd)", self->fd);
}

static void set_up_timerfd(struct waiting *self)
{
    struct itimerspec hour = {.it_value.tv_sec = 3600};
    self->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    timerfd_settime(self->fd, 0, &hour, NULL);
    tell(self, 0, "read on fd %d (timerfd, due in ", self->fd);
}

static void set_up_signalfd(struct waiting *self)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    self->fd = signalfd(-1, &set, SFD_CLOEXEC);
    tell(self, 0, "read on fd %d (signalfd", self->fd);
}

static void read_signal(struct waiting *self)
{
    struct signalfd_siginfo info;
    (void)!read(self->fd, &info, sizeof info);
}

static void set_up_inotify(struct waiting *self)
{
    self->fd = inotify_init1(IN_CLOEXEC);
    tell(self, 0, "read on fd %d (inotify", self->fd);
}

static void read_inotify(struct waiting *self)
{
    char event[512];
    (void)!read(self->fd, event, sizeof event);
}

static void set_up_epoll(struct waiting *self)
{
    int ends[2];
    struct epoll_event event = {.events = EPOLLIN};
    self->fd = epoll_create1(EPOLL_CLOEXEC);
    self->other = eventfd(0, EFD_CLOEXEC);
    if (pipe(ends) != 0 || epoll_ctl(self->fd, EPOLL_CTL_ADD, self->other, &event) != 0 ||
        epoll_ctl(self->fd, EPOLL_CTL_ADD, ends[0], &event) != 0)
        die("epoll");
    tell(self, 0, "on fd %d (epoll of ", self->fd);
    tell(self, 1, "fd %d (eventfd)", self->other);
    tell(self, 2, "fd %d (pipe)", ends[0]);
    tell(self, 3, "%s", self->timed ? "timeout 1h" : "no timeout");
}

static void epoll_forever(struct waiting *self)
{
    struct epoll_event event;
    epoll_wait(self->fd, &event, 1, -1);
}

static void epoll_an_hour(struct waiting *self)
{
    struct epoll_event event;
    epoll_wait(self->fd, &event, 1, 3600 * 1000);
}

static void set_up_polled(struct waiting *self)
{
    self->fd = eventfd(0, EFD_CLOEXEC);
    self->other = eventfd(0, EFD_CLOEXEC);
    tell(self, 0, "fd %d (eventfd)", self->fd);
    tell(self, 1, "fd %d (eventfd)", self->other);
    tell(self, 2, "timeout 1h");
}

static void poll_an_hour(struct waiting *self)
{
    struct pollfd polled[] = {{self->fd, POLLIN, 0}, {-1, 0, 0}, {self->other, POLLIN, 0}};
    poll(polled, 3, 3600 * 1000);
}

static void select_an_hour(struct waiting *self)
{
    struct timeval hour = {.tv_sec = 3600};
    fd_set readable, writable;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(self->fd, &readable);
    FD_SET(self->other, &readable);
    select(self->other + 1, &readable, &writable, NULL, &hour);
}

// ---- files

static void set_up_fifo(struct waiting *self)
{
    char path[108];
    path_of("fifo", path);
    if (mkfifo(path, 0600) != 0)
        die(path);
    tell(self, 0, "openat of \"%s\"", path);
}

static void open_fifo(struct waiting *self)
{
    char path[108];
    path_of("fifo", path);
    self->fd = open(path, O_RDONLY);
}

// The peer of another process holds it, so that its name can be told.
static void set_up_flock(struct waiting *self)
{
    char path[108];
    path_of("locked", path);
    int ready_ends[2];
    char byte;
    if (pipe(ready_ends) != 0)
        die("pipe");
    pid_t holder = fork();
    if (holder == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, "locker");
        flock(open(path, O_RDWR | O_CREAT, 0600), LOCK_EX);
        (void)!write(ready_ends[1], "", 1);
        for (;;)
            pause();
    }
    (void)!read(ready_ends[0], &byte, 1);
    close(ready_ends[0]);
    close(ready_ends[1]);
    self->fd = open(path, O_RDWR | O_CLOEXEC);
    tell(self, 0, "flock on fd %d (%s)", self->fd, path);
    tell(self, 1, "exclusive");
    tell(self, 2, "held by %d \"locker\"", holder);
}

static void take_flock(struct waiting *self)
{
    flock(self->fd, LOCK_EX);
}

// ---- time, children, signals

static void sleep_an_hour(struct waiting *self)
{
    struct timespec hour = {3600, 0};
    (void)self;
    syscall(SYS_nanosleep, &hour, NULL);
}

static void set_up_sleep(struct waiting *self)
{
    tell(self, 0, "nanosleep for 1h");
}

static void sleep_until_later(struct waiting *self)
{
    struct timespec until;
    (void)self;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 7200;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void set_up_sleep_until(struct waiting *self)
{
    tell(self, 0, "clock_nanosleep, to end in ");
}

static void set_up_wait4(struct waiting *self)
{
    self->fd = peer;
    tell(self, 0, "wait4 for %d \"peer\"", peer);
}

static void wait_for_child(struct waiting *self)
{
    waitpid(self->fd, NULL, 0);
}

static void set_up_any_child(struct waiting *self)
{
    tell(self, 0, "wait4 for any child");
}

static void wait_for_any(struct waiting *self)
{
    (void)self;
    waitpid(-1, NULL, 0);
}

static void set_up_vfork(struct waiting *self)
{
    tell(self, 0, "vfork");
    tell(self, 1, "until it ends or runs a program");
}

static void fork_in_place(struct waiting *self)
{
    (void)self;
    if (vfork() == 0) {
        syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        for (;;)
            syscall(SYS_poll, NULL, 0, -1);
    }
}

static void set_up_sigwait(struct waiting *self)
{
    tell(self, 0, "rt_sigtimedwait for SIGUSR2, SIGWINCH, no timeout");
}

static void wait_for_signals(struct waiting *self)
{
    sigset_t set;
    int number;
    (void)self;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGWINCH);
    sigwait(&set, &number);
}

static void set_up_pause(struct waiting *self)
{
    tell(self, 0, "pause");
}

static void wait_for_ever(struct waiting *self)
{
    (void)self;
    pause();
}

static void set_up_futex(struct waiting *self)
{
    tell(self, 0, "futex nobody_wakes");
    tell(self, 1, "timeout 1h");
}

static int nobody_wakes;

static void wait_futex(struct waiting *self)
{
    struct timespec hour = {3600, 0};
    (void)self;
    syscall(SYS_futex, &nobody_wakes, FUTEX_WAIT_PRIVATE, 0, &hour, NULL, 0);
}

static struct waiting waits[] = { // first what forks: the children have nothing of the others
    {"tcp", "socket", SYS_recvfrom, set_up_tcp, receive},
    {"flock", "file", SYS_flock, set_up_flock, take_flock},
    {"listener", "socket", SYS_accept, set_up_listener, accept_one},
    {"udp6", "socket", SYS_recvfrom, set_up_udp6, receive},
    {"unix", "socket", SYS_accept, set_up_unix, accept_one},
    {"unix pair", "socket", SYS_read, set_up_unix_pair, read_one},
    {"pipe", "pipe", SYS_read, set_up_pipe, read_one},
    {"full pipe", "pipe", SYS_write, set_up_full_pipe, write_other},
    {"eventfd", "file", SYS_read, set_up_eventfd, read_eight},
    {"timerfd", "file", SYS_read, set_up_timerfd, read_eight},
    {"signalfd", "file", SYS_read, set_up_signalfd, read_signal},
    {"inotify", "file", SYS_read, set_up_inotify, read_inotify},
    {"epoll", "poll", SYS_epoll_wait, set_up_epoll, epoll_forever},
    {"epoll timed", "poll", SYS_epoll_wait, set_up_epoll, epoll_an_hour, .timed = true},
    {"poll", "poll", SYS_poll, set_up_polled, poll_an_hour, .timed = true},
    {"select", "poll", SYS_pselect6, set_up_polled, select_an_hour, .timed = true},
    {"fifo", "file", SYS_openat, set_up_fifo, open_fifo},
    {"nanosleep", "sleep", SYS_nanosleep, set_up_sleep, sleep_an_hour, .timed = true},
    {"sleep until", "sleep", SYS_clock_nanosleep, set_up_sleep_until, sleep_until_later,
     .timed = true},
    {"wait4", "child", SYS_wait4, set_up_wait4, wait_for_child},
    {"wait4 any", "child", SYS_wait4, set_up_any_child, wait_for_any},
    {"vfork", "child", SYS_vfork, set_up_vfork, fork_in_place},
    {"sigwait", "signal", SYS_rt_sigtimedwait, set_up_sigwait, wait_for_signals},
    {"pause", "signal", SYS_pause, set_up_pause, wait_for_ever},
    {"futex", "futex", SYS_futex, set_up_futex, wait_futex, .timed = true},
};

#define WAITS (sizeof waits / sizeof waits[0])

static void *run(void *argument)
{
    struct waiting *self = argument;
    self->tid = (pid_t)syscall(SYS_gettid);
    for (;;)
        self->wait(self);
    return NULL;
}

static void await_call(struct waiting *self)
{
    char path[64], text[64];
    for (;; sleep_ns(MS)) {
        snprintf(path, sizeof path, "/proc/self/task/%d/syscall", self->tid);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
        close(fd);
        text[length > 0 ? length : 0] = '\0';
        char *end;
        long number = strtol(text, &end, 10);
        if (end != text && number == self->number)
            return;
    }
}

static void print_truth(void)
{
    printf("{\"waits\": [");
    const char *comma = "";
    for (size_t i = 0; i < WAITS; i++) {
        const struct waiting *self = &waits[i];
        if (self->absent)
            continue;
        printf("%s{\"tid\": %d, \"name\": \"%s\", \"kind\": \"%s\", \"timed\": %s, \"text\": [",
               comma, self->tid, self->name, self->kind, self->timed ? "true" : "false");
        for (size_t k = 0; k < TEXTS && self->text[k][0]; k++) {
            printf(k ? ", \"" : "\"");
            for (const char *at = self->text[k]; *at; at++)
                printf(*at == '"' ? "\\\"" : "%c", *at);
            printf("\"");
        }
        printf("]}");
        comma = ", ";
    }
    printf("], \"absent\": [");
    comma = "";
    for (size_t i = 0; i < WAITS; i++)
        if (waits[i].absent) {
            printf("%s\"%s\"", comma, waits[i].name);
            comma = ", ";
        }
    puts("]}");
}

static void clean_up(void)
{
    static const char *const names[] = {"socket", "fifo", "locked"};
    char path[108];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        path_of(names[i], path);
        unlink(path);
    }
    rmdir(directory);
}

int main(void)
{
    sigset_t set;
    sigfillset(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (!mkdtemp(directory))
        die(directory);
    for (size_t i = 0; i < WAITS; i++)
        waits[i].set_up(&waits[i]);
    for (size_t i = 0; i < WAITS; i++)
        if (!waits[i].absent)
            start(run, &waits[i], waits[i].name);
    for (size_t i = 0; i < WAITS; i++)
        while (!waits[i].absent && !waits[i].tid)
            sleep_ns(MS);
    for (size_t i = 0; i < WAITS; i++)
        if (!waits[i].absent)
            await_call(&waits[i]);
    print_truth();
    ready();
    await_signal();
    clean_up();
    _exit(0);
}
