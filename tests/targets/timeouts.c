// SPDX-License-Identifier: MIT
// Calls that end by themselves after 300 ms, timers, and a clock, in a thread each. SIGTERM: prints
// of each call how many there were, how many ended early, how many took more than 400 ms, and how
// many gave something else; of the timers the expirations and how many there should be; and how
// often the clock went back.
#include "target.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#define TIMEOUT (300 * MS)
#define LATE (400 * MS)
#define EARLY (290 * MS) // sockets count in ticks of the kernel
#define PERIOD (2 * MS)

static int epoll, semaphore, sockets[2], timer;
static int64_t began, expired, back;

static bool wait_epoll(void)
{
    struct epoll_event event;
    return epoll_wait(epoll, &event, 1, (int)(TIMEOUT / MS)) == 0;
}

static bool wait_semaphore(void)
{
    struct sembuf take = {.sem_op = -1};
    struct timespec timeout = timespec_of(TIMEOUT);
    return semtimedop(semaphore, &take, 1, &timeout) == -1 && errno == EAGAIN;
}

static bool wait_signal(void)
{
    struct timespec timeout = timespec_of(TIMEOUT);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMAX);
    return sigtimedwait(&set, NULL, &timeout) == -1 && errno == EAGAIN;
}

static bool wait_socket(void)
{
    char byte;
    return recv(sockets[0], &byte, 1, 0) == -1 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

static struct call {
    const char *name;
    bool (*wait)(void);
    long calls, early, late, odd;
} calls[] = {
    {"epoll_wait", wait_epoll},
    {"semtimedop", wait_semaphore},
    {"sigtimedwait", wait_signal},
    {"recv", wait_socket},
};

static void *repeat(void *argument)
{
    struct call *call = argument;
    for (;;) {
        int64_t begin = clock_ns(CLOCK_MONOTONIC);
        bool right = call->wait();
        int64_t lasted = clock_ns(CLOCK_MONOTONIC) - begin;
        call->calls++;
        call->odd += !right;
        call->early += lasted < EARLY;
        call->late += lasted > LATE;
        for (int64_t until = thread_cpu() + MS; thread_cpu() < until;)
            burn();
    }
    return NULL;
}

static void *count_expirations(void *unused)
{
    uint64_t more;
    while (read(timer, &more, sizeof more) == sizeof more)
        __atomic_fetch_add(&expired, (int64_t)more, __ATOMIC_SEQ_CST);
    return unused;
}

static void *watch_clock(void *unused)
{
    for (int64_t last = 0, now;; last = now) {
        now = clock_ns(CLOCK_MONOTONIC);
        back += now < last;
        burn();
    }
    return unused;
}

static void open_all(void)
{
    struct timeval timeout = {.tv_usec = TIMEOUT / US};
    struct itimerspec period = {timespec_of(PERIOD), timespec_of(PERIOD)};
    epoll = epoll_create1(EPOLL_CLOEXEC);
    semaphore = semget(IPC_PRIVATE, 1, 0600);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (epoll < 0 || semaphore < 0 || timer < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0 ||
        setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0)
        die("timeouts");
    began = clock_ns(CLOCK_MONOTONIC);
    timerfd_settime(timer, 0, &period, NULL);
}

int main(void)
{
    sigset_t last;
    block_signals();
    sigemptyset(&last);
    sigaddset(&last, SIGRTMAX);
    pthread_sigmask(SIG_BLOCK, &last, NULL);
    open_all();
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        start(repeat, &calls[i], calls[i].name);
    start(count_expirations, NULL, "timer");
    start(watch_clock, NULL, "clock");
    ready();
    await_signal();
    sleep_ns(50 * MS); // so that the last expirations are counted
    int64_t counted = __atomic_load_n(&expired, __ATOMIC_SEQ_CST);
    int64_t due = (clock_ns(CLOCK_MONOTONIC) - began) / PERIOD;
    semctl(semaphore, 0, IPC_RMID);
    printf("{\"calls\": {");
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        printf("%s\"%s\": {\"calls\": %ld, \"early\": %ld, \"late\": %ld, \"odd\": %ld}",
               i ? ", " : "", calls[i].name, calls[i].calls, calls[i].early, calls[i].late,
               calls[i].odd);
    printf("}, \"expired\": %lld, \"due\": %lld, \"back\": %lld}\n", (long long)counted,
           (long long)due, (long long)back);
    return 0;
}
