// SPDX-License-Identifier: MIT
#include "sample/sampler.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/memory_room.h"
#include "base/random.h"
#include "sample/orphan.h"
#include "sample/priority.h"
#include "sample/privilege.h"
#include "sample/round.h"
#include "sample/tracer.h"

#define BEHIND_NS (50 * NS_PER_MS) // rounds that are later than this are not made up for
#define STOP_NS (2ll * NS_PER_S) // that the sampler has to end by itself,
#define KILL_NS NS_PER_S         // and by force

static int64_t next_interval(struct round *round)
{
    uint32_t slowdown = atomic_load(&round->control->slowdown);
    double rate = round_rate(round, clock_now()) / (slowdown ? slowdown : 1);
    return random_interval(&round->random, rate);
}

static void rest(struct round *round, int64_t until)
{
    orphan_promise(until);
    round_await(round, until);
    tracer_sleep(until);
}

static void pause_until_told(struct round *round)
{
    struct control *control = round->control;
    cpu_samplers_pause(&round->samplers, true);
    round_report(round);
    while (atomic_load(&control->paused) && !atomic_load(&control->stop))
        rest(round, clock_now() + NS_PER_S);
    roster_rebase(&round->roster);
    if (round->children) {
        family_forget(&round->family);
        child_time_rebase(&round->roster);
    }
    cpu_samplers_pause(&round->samplers, atomic_load(&control->stop_nobody.is_so));
}

// CPU time up to now is told before samples stand for it, or no longer do.
static void follow_in_place(struct round *round)
{
    struct control *control = round->control;
    bool in_place = atomic_load(&control->stop_nobody.wanted);
    if (in_place == atomic_load(&control->stop_nobody.is_so))
        return;
    cpu_samplers_pause(&round->samplers, true);
    round_tell(round);
    atomic_store(&control->stop_nobody.is_so, in_place);
    cpu_samplers_pause(&round->samplers, in_place);
}

static void read_until_told(struct round *round)
{
    struct control *control = round->control;
    int64_t next = clock_now() + next_interval(round);
    while (!atomic_load(&control->stop) && round->roster.count) {
        rest(round, next);
        if (atomic_load(&control->paused)) {
            pause_until_told(round);
            next = clock_now();
        }
        follow_in_place(round);
        int64_t now = clock_now();
        if (now < next)
            continue;
        round_make(round, now);
        next += next_interval(round); // what began late is followed the sooner
        if (next < now - BEHIND_NS)
            next = now;
    }
}

// Descriptors of the main process are not for this one, and count against its limit.
static void close_all_but(int kept)
{
    syscall(SYS_close_range, STDERR_FILENO + 1, kept - 1, 0);
    syscall(SYS_close_range, kept + 1, ~0u, 0);
}

// Nothing of ours may reach a core file or outlive the main process for long. All signals are
// blocked.
static void set_up_process(pid_t parent, int wake_fd)
{
    struct rlimit none = {0, 0};
    memory_offer_end(); // the target is not to lose its sampler while it is held
    close_all_but(wake_fd);
    tracer_init();
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NAME, "ptprof-sampler");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    privilege_reduce(); // without filters this is a kernel that cannot do better
}

static struct control *own_control; // of this process

static void end_without_memory(void)
{
    atomic_store(&own_control->counts[COUNTER_LIMIT], ENOMEM);
    _exit(1);
}

static void begin_seconds(struct control *control)
{
    int64_t now = clock_now();
    atomic_store(&control->at.second, now);
    atomic_store(&control->at.began, now);
}

static void run_sampler(struct control *control, const void *argument)
{
    const struct sampler_config *config = argument;
    own_control = control;
    mem_at_end(end_without_memory);
    // A page that this process lacks is a wait for whoever changes its mappings just then.
    madvise(control, sizeof *control + control->ring.size, MADV_POPULATE_WRITE);
    struct round round = {
        .threads = config->threads,
        .rate = config->rate,
        .children = config->children,
        .look = {.unwind_live = config->unwind_live, .max_stop = config->max_stop},
        .samplers.orders = {.control = control, .rate = config->rate, .max_stop = config->max_stop,
                            .unwind_live = config->unwind_live},
    };
    struct err err = {0};
    if (tracer_begin_thread(&err) != RC_OK)
        return; // another one will be tried
    round_init(&round, control);
    if (!atomic_load(&control->at.began))
        begin_seconds(control);
    for (size_t i = 0; i < config->pid_count; i++)
        if (roster_add(&round.roster, config->pids[i], config->start_times[i], false) != RC_OK)
            continue; // gone since the main process looked: not to be told apart from gone later
    orphan_prepare(control);
    priority_prompt();
    atomic_store(&control->stop_nobody.is_so, atomic_load(&control->stop_nobody.wanted));
    cpu_samplers_pause(&round.samplers, atomic_load(&control->stop_nobody.is_so));
    round_begin(&round);
    read_until_told(&round);
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
    control->life_count = 1 + (unsigned)sysconf(_SC_NPROCESSORS_CONF);
    control->lives = mmap(NULL, control->life_count * sizeof *control->lives,
                          PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (control->lives == MAP_FAILED) {
        err_sys(err, RC_FAIL, errno, "cannot get shared memory");
        munmap(control, sizeof *control + ring_bytes);
        return NULL;
    }
    ring_init(&control->ring, sizeof control->ring + ring_bytes);
    control->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (control->wake_fd >= 0)
        return control;
    limits_sys(err, RC_LIMIT, errno, "cannot begin");
    control_free(control);
    return NULL;
}

void control_free(struct control *control)
{
    if (!control)
        return;
    if (control->wake_fd >= 0)
        close(control->wake_fd);
    munmap(control->lives, control->life_count * sizeof *control->lives);
    munmap(control, sizeof *control + control->ring.size);
}

enum rc sampler_fork(struct control *control, sampler_body *body, const void *argument,
                     pid_t *child, struct err *err)
{
    pid_t parent = getpid();
    sigset_t all, before;
    for (unsigned i = 0; i < control->life_count; i++)
        atomic_store(&control->lives[i].busy_since, 0);
    // A signal to the child must not run a handler of the program that it was copied from.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        set_up_process(parent, control->wake_fd);
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
