// SPDX-License-Identifier: MIT
#include "sample/sampler.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "sample/orphan.h"
#include "sample/priority.h"
#include "sample/round.h"

#define LATE_NS NS_PER_MS
#define REST_SHARE 5
#define DEBT_NS (100 * NS_PER_MS)
#define STOP_NS (2ll * NS_PER_S) // that the sampler has to end by itself,
#define KILL_NS NS_PER_S         // and by force

// Exponential: only rounds that come without memory see what the target does on average. A stop
// changes when its thread runs next; with a least time between rounds, whatever runs right after a
// stop would be missed (C:D of 0.36:0.64 for a true 50:50 on busy CPUs).
static int64_t next_interval(struct round *round)
{
    uint32_t slowdown = atomic_load(&round->control->slowdown);
    return (int64_t)(-log(round_share(round)) * NS_PER_S / round->rate * (slowdown ? slowdown : 1));
}

static void rest(struct round *round, int64_t next)
{
    int64_t until = round_sleep(round, next);
    orphan_promise(until);
    tracer_sleep(until);
}

static void pause_until_told(struct round *round)
{
    struct control *control = round->control;
    round_finish(round);
    while (atomic_load(&control->paused) && !atomic_load(&control->stop)) {
        rest(round, clock_now() + NS_PER_S);
        round_collect(round, clock_now());
    }
    roster_rebase(&round->roster);
    if (round->children) {
        family_forget(&round->family);
        kin_rebase(&round->roster);
    }
}

// When to look next. With real-time priority, rounds that take long (thousands of threads that run)
// would take the CPU away from everybody: on average they get one part in REST_SHARE of the time.
static int64_t plan_next(struct round *round, int64_t planned, int64_t began)
{
    int64_t now = clock_now(), next = planned + next_interval(round);
    round->rested_at += REST_SHARE * (now - began);
    if (round->rested_at < now)
        round->rested_at = now;
    if (round->rested_at - now < DEBT_NS)
        return next;
    int64_t earliest = round->rested_at - DEBT_NS / 2;
    return next > earliest ? next : earliest;
}

static void sample_until_told(struct round *round)
{
    struct control *control = round->control;
    int64_t late_ns = (int64_t)(NS_PER_S / round->rate / 10);
    int64_t next = clock_now() + next_interval(round);
    if (late_ns > LATE_NS)
        late_ns = LATE_NS;
    while (!atomic_load(&control->stop) && round->roster.count) {
        rest(round, next);
        int64_t now = clock_now();
        round_collect(round, now);
        if (atomic_load(&control->paused)) {
            pause_until_told(round);
            next = clock_now();
        }
        if (now < next)
            continue;
        atomic_store_explicit(&control->behind, now - next, memory_order_relaxed);
        if (now - next > late_ns)
            atomic_fetch_add(&control->late, 1);
        round_make(round, now);
        next = plan_next(round, next, now);
    }
}

// Nothing of ours may reach a core file or outlive the main process for long. All signals are
// blocked.
static void set_up_process(pid_t parent)
{
    struct rlimit none = {0, 0};
    tracer_init();
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NAME, "ptprof-sampler");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
}

static struct control *own_control; // of this process

static void end_without_memory(void)
{
    atomic_store(&own_control->limit, ENOMEM);
    _exit(1);
}

static void run_sampler(struct control *control, const void *argument)
{
    const struct sampler_config *config = argument;
    own_control = control;
    mem_at_end(end_without_memory);
    struct round round = {
        .threads = config->threads,
        .rate = config->rate,
        .children = config->children,
        .look = {.unwind_live = config->unwind_live, .max_stop = config->max_stop},
    };
    round_init(&round, control);
    for (size_t i = 0; i < config->pid_count; i++)
        if (roster_add(&round.roster, config->pids[i], config->start_times[i], false) != RC_OK)
            continue; // gone since the main process looked: not to be told apart from gone later
    round_begin(&round);
    struct priority priority = priority_raise();
    atomic_store(&control->realtime, priority.realtime);
    atomic_store(&control->short_slice, priority.short_slice);
    orphan_prepare(control);
    sample_until_told(&round);
    round_finish(&round);
    atomic_store(&control->ended, !round.roster.count);
}

struct control *control_new(size_t ring_bytes, struct err *err)
{
    struct control *control = mmap(NULL, sizeof *control + ring_bytes, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (control == MAP_FAILED) {
        limits_sys(err, RC_FAIL, errno, "cannot get %zu KiB of shared memory", ring_bytes >> 10);
        return NULL;
    }
    // Copies of stacks may hold keys and passwords.
    madvise(control, sizeof *control + ring_bytes, MADV_DONTDUMP);
    ring_init(&control->ring, sizeof control->ring + ring_bytes);
    control->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return control;
}

void control_free(struct control *control)
{
    if (!control)
        return;
    close(control->wake_fd);
    munmap(control, sizeof *control + control->ring.size);
}

enum rc sampler_fork(struct control *control, sampler_body *body, const void *argument,
                     pid_t *child, struct err *err)
{
    pid_t parent = getpid();
    sigset_t all, before;
    atomic_store(&control->busy_since, 0);
    // A signal to the child must not run a handler of the program that it was copied from.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        set_up_process(parent);
        body(control, argument);
        eventfd_write(control->wake_fd, 1);
        _exit(0);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *child = pid > 0 ? pid : 0; // never -1, which kill takes for everybody
    return pid > 0 ? RC_OK : limits_sys(err, RC_FAIL, errno, "cannot start the sampler process");
}

enum rc sampler_start(struct control *control, const struct sampler_config *config, pid_t *child,
                      struct err *err)
{
    return sampler_fork(control, run_sampler, config, child, err);
}

void sampler_wake(pid_t child)
{
    kill(child, SIGTERM); // it takes the signal from tracer_sleep
}

bool sampler_ended(pid_t child)
{
    return waitpid(child, NULL, WNOHANG) != 0;
}

bool sampler_stop(struct control *control, pid_t child)
{
    struct timespec moment = {.tv_nsec = NS_PER_MS};
    int64_t began = clock_now();
    atomic_store(&control->stop, 1);
    sampler_wake(child);
    while (!sampler_ended(child)) {
        int64_t waited = clock_now() - began;
        if (waited >= STOP_NS + KILL_NS)
            return false;
        if (waited >= STOP_NS)
            kill(child, SIGKILL);
        clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
    }
    return true;
}
