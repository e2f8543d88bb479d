// SPDX-License-Identifier: MIT
// A thread that spins while real-time signals with a running number are queued to it, and that
// makes page faults which it handles. Counts every signal that came out of order, with another
// value, or with another fault address than the one that was touched.
#include "target.h"

#include <setjmp.h>
#include <sys/mman.h>

#define PAGES 64
#define PAGE 4096

static volatile int64_t signals, wrong_signals, faults, wrong_faults;
static volatile int expected;
static volatile char *touched;
static char *forbidden;
static sigjmp_buf after_fault;
static pthread_t receiver_thread;

static void on_number(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    if (info->si_value.sival_int != expected || info->si_code != SI_QUEUE ||
        info->si_pid != getpid())
        wrong_signals++;
    expected = info->si_value.sival_int + 1;
    signals++;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    if (info->si_addr != touched || info->si_code != SEGV_ACCERR)
        wrong_faults++;
    faults++;
    siglongjmp(after_fault, 1);
}

static void handle(int number, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(number, &action, NULL);
}

static void fault_at(size_t offset)
{
    touched = forbidden + offset;
    if (sigsetjmp(after_fault, 1) == 0)
        *touched = 1;
}

static void *receiver(void *unused)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    for (size_t i = 0;; i++) {
        fault_at(i * 1237 % (PAGES * PAGE));
        for (int n = 0; n < 10; n++)
            burn();
    }
    return unused;
}

// Queues more than one at a time, so that order matters; never so many that the queue is full.
static void *sender(void *unused)
{
    for (int number = 0;;) {
        for (int i = 0; i < 100; i++, number++)
            while (pthread_sigqueue(receiver_thread, SIGRTMIN, (union sigval){.sival_int = number}))
                sleep_ns(MS);
        sleep_ns(20 * MS);
    }
    return unused;
}

int main(void)
{
    block_signals();
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    forbidden = mmap(NULL, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (forbidden == MAP_FAILED)
        die("mmap");
    handle(SIGRTMIN, on_number);
    handle(SIGSEGV, on_fault);
    receiver_thread = start(receiver, NULL, "receiver");
    start(sender, NULL, "sender");
    ready();
    await_signal();
    printf("{\"signals\": %lld, \"wrong_signals\": %lld, \"faults\": %lld, \"wrong_faults\": "
           "%lld}\n",
           (long long)signals, (long long)wrong_signals, (long long)faults,
           (long long)wrong_faults);
    return 0;
}
