// SPDX-License-Identifier: MIT
#include "sample/sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sample/family.h"
#include "sample/priority.h"
#include "sample/report.h"

#define READS_A_ROUND 100             // threads read though they slept: about 50 us
#define SHORTFALL_NS (8 * NS_PER_MS)  // two scheduler ticks: clocks of others move in such steps
#define SWEEP_NS (250 * NS_PER_MS)    // least time between two reads of all threads for a shortfall
#define REPORT_NS NS_PER_S
#define RUNNING_MAX 32 // threads read before they are stopped: later, the first have moved on
#define LATE_NS NS_PER_MS
#define WATCHED_SLEEP_NS (10 * NS_PER_MS) // sign of life while a thread is interrupted
#define PARTING_NS (200 * NS_PER_MS)
#define STOP_NS (2ll * NS_PER_S)

struct sampler {
    struct control *control;
    const struct sampler_config *config;
    struct roster roster;
    struct look look;
    struct family family;
    uint64_t random; // state of xorshift64
    struct thread *running[RUNNING_MAX]; // seen so in this round, not sampled yet
    size_t running_count;
    int64_t off_cpu_ns; // a thread whose CPU time stands still for longer is on no CPU
};

static uint64_t random_next(struct sampler *sampler)
{
    sampler->random ^= sampler->random << 13;
    sampler->random ^= sampler->random >> 7;
    sampler->random ^= sampler->random << 17;
    return sampler->random;
}

// Half to one and a half periods: a regular rhythm would meet a periodic target always at the same
// place.
static int64_t next_interval(struct sampler *sampler)
{
    double spread = 0.5 + (double)(random_next(sampler) >> 11) * 0x1p-53;
    return (int64_t)(NS_PER_S / sampler->config->rate * spread);
}

// The kernel charges CPU time at every scheduler tick, but for CPUs that run without ticks.
static int64_t off_cpu_after(void)
{
    struct timespec tick;
    char cpus[64] = "";
    AUTO_FD int fd = open("/sys/devices/system/cpu/nohz_full", O_RDONLY | O_CLOEXEC);
    bool tickless = fd >= 0 && read(fd, cpus, sizeof cpus - 1) > 0 && cpus[0] >= '0';
    if (tickless || clock_getres(CLOCK_MONOTONIC_COARSE, &tick) != 0)
        return INT64_MAX;
    return 3 * ((int64_t)tick.tv_sec * NS_PER_S + tick.tv_nsec);
}

static bool is_wanted(const struct sampler *sampler, const struct thread *thread)
{
    const regex_t *wanted = sampler->config->threads;
    return !thread->skipped && (!wanted || regexec(wanted, thread->comm, 0, NULL, 0) == 0);
}

static void meet(struct sampler *sampler, struct thread *thread)
{
    struct proc_status status;
    if (procfs_status(thread->tid, &status) == RC_OK)
        thread->seccomp = status.seccomp != 0;
    for (unsigned i = 0; i < sampler->control->skipped_count; i++)
        if (sampler->control->skipped[i] == thread->tid)
            thread->skipped = true;
    report_thread_name(sampler->control, thread);
}

// Who runs is read of several threads before the first of them is stopped: a CPU that a stop leaves
// free is taken by a thread that had been waiting, which would then seem to have been running.
static void take_samples(struct sampler *sampler)
{
    for (size_t i = 0; i < sampler->running_count; i++)
        look_at(&sampler->look, sampler->running[i]);
    sampler->running_count = 0;
}

// Reads one thread; notes it for a sample if it runs. Nothing is read of one that has not moved
// since it was seen blocked.
static void visit(struct sampler *sampler, struct thread *thread, int64_t now)
{
    struct schedstat before;
    if (thread->gone || thread_read(thread, &before) != RC_OK)
        return;
    bool moved = before.switches != thread->last.switches;
    thread_note(thread, &before, &thread->process->read_ns);
    if (thread->blocked && !moved)
        return;
    if (now - thread->unmoved_since > sampler->off_cpu_ns)
        return; // runnable, and certainly not on a CPU: there the clock would have moved
    thread->blocked = !thread_is_running(thread);
    roster_make_hot(&sampler->roster, thread, now);
    if (thread->blocked || thread->interrupted)
        return;
    if (!thread->announced)
        meet(sampler, thread);
    if (!thread->announced || !is_wanted(sampler, thread))
        return;
    thread->at_request = before;
    sampler->running[sampler->running_count++] = thread;
    if (sampler->running_count == RUNNING_MAX)
        take_samples(sampler);
}

static void visit_cold(struct sampler *sampler, struct watched *process, size_t most, int64_t now)
{
    if (most > process->count)
        most = process->count;
    for (size_t i = 0; i < most; i++) {
        struct thread *thread = process->threads[process->next_cold++ % process->count];
        if (!thread->hot)
            visit(sampler, thread, now);
    }
    take_samples(sampler);
}

// All of a small process, of a large one as many as makes each come up once a second.
static size_t cold_share(const struct sampler *sampler, const struct watched *process)
{
    size_t fair = (size_t)ceil((double)process->count / sampler->config->rate);
    return fair > READS_A_ROUND ? fair : READS_A_ROUND;
}

static void visit_hot(struct sampler *sampler, int64_t now)
{
    size_t count = sampler->roster.hot_count;
    size_t start = count ? random_next(sampler) % count : 0;
    for (size_t i = 0; i < count; i++)
        visit(sampler, sampler->roster.hot[(start + i) % count], now);
    take_samples(sampler);
}

static void cool(struct roster *roster, int64_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < roster->hot_count; i++) {
        struct thread *thread = roster->hot[i];
        thread->hot = now < thread->hot_until || thread->interrupted;
        if (thread->hot)
            roster->hot[kept++] = thread;
    }
    roster->hot_count = kept;
}

// The process used more than the threads read account for: some other thread began to run.
static void follow_shortfall(struct sampler *sampler, struct watched *process, int64_t now)
{
    uint64_t cpu_ns;
    if (!watched_cpu(process, &cpu_ns))
        return;
    process->shortfall += cpu_ns - process->last_cpu;
    process->shortfall -= process->read_ns < process->shortfall ? process->read_ns
                                                                : process->shortfall;
    process->last_cpu = cpu_ns;
    process->read_ns = 0;
    if (process->shortfall < SHORTFALL_NS || now - process->swept_at < SWEEP_NS)
        return;
    process->swept_at = now;
    process->shortfall = 0;
    process->incomplete = true;
    visit_cold(sampler, process, process->count, now);
}

static void report_times(struct sampler *sampler, struct watched *process, int64_t now)
{
    for (size_t i = 0; i < process->count; i++) {
        struct thread *thread = process->threads[i];
        if (!thread->announced || thread->last.run_ns == thread->reported_run)
            continue;
        report_thread_name(sampler->control, thread);
        if (is_wanted(sampler, thread))
            report_thread_time(sampler->control, RECORD_THREAD_TIME, thread);
    }
    if (!sampler->config->threads) // else most of it was spent by threads that nobody asked for
        report_process_time(sampler->control, process, now);
}

static void part_with(struct sampler *sampler, struct watched *process, int64_t now)
{
    for (size_t i = 0; i < process->count; i++) {
        struct thread *thread = process->threads[i];
        if (!thread->announced || !(thread->gone || process->gone))
            continue;
        process->ended_cpu += thread->last.run_ns - thread->base_run;
        report_thread_time(sampler->control, RECORD_THREAD_END, thread);
        thread->announced = false;
    }
    if (!process->gone)
        return;
    report_times(sampler, process, now);
    report_process(sampler->control, RECORD_PROCESS_END, process);
}

static void tell_new(struct sampler *sampler, size_t from)
{
    for (size_t i = from; i < sampler->roster.count; i++)
        report_process(sampler->control, RECORD_PROCESS, sampler->roster.processes[i]);
}

static void clear_up(struct sampler *sampler, int64_t now)
{
    bool any = false;
    for (size_t i = 0; i < sampler->roster.count; i++) {
        struct watched *process = sampler->roster.processes[i];
        if (!process->gone && !process->has_gone_threads)
            continue;
        part_with(sampler, process, now);
        any = true;
    }
    if (any)
        roster_sweep(&sampler->roster);
}

static void make_round(struct sampler *sampler, int64_t now)
{
    struct roster *roster = &sampler->roster;
    sampler->look.round_began = now;
    atomic_fetch_add(&sampler->control->rounds, 1);
    visit_hot(sampler, now);
    for (size_t i = 0; i < roster->count; i++) {
        struct watched *process = roster->processes[i];
        roster_scan(roster, process, now);
        if (process->gone)
            continue;
        visit_cold(sampler, process, cold_share(sampler, process), now);
        follow_shortfall(sampler, process, now);
        if (now - process->reported_at >= REPORT_NS) {
            report_times(sampler, process, now);
            cool(roster, now);
        }
    }
    clear_up(sampler, now);
    size_t before = roster->count;
    if (sampler->config->children && family_look(&sampler->family, roster, now))
        tell_new(sampler, before);
}

// What the last second brought, and the threads that are still interrupted.
static void finish(struct sampler *sampler)
{
    int64_t deadline = clock_now() + PARTING_NS;
    while (sampler->look.interrupted_count && clock_now() < deadline) {
        tracer_sleep(clock_now() + WATCHED_SLEEP_NS);
        look_collect(&sampler->look, clock_now());
    }
    for (size_t i = 0; i < sampler->roster.count; i++) {
        struct watched *process = sampler->roster.processes[i];
        struct schedstat stat;
        for (size_t k = 0; k < process->count; k++)
            if (process->threads[k]->announced && thread_read(process->threads[k], &stat) == RC_OK)
                thread_note(process->threads[k], &stat, &process->read_ns);
        watched_cpu(process, &process->last_cpu);
        report_times(sampler, process, clock_now());
    }
}

static void pause_until_told(struct sampler *sampler)
{
    finish(sampler);
    while (atomic_load(&sampler->control->paused) && !atomic_load(&sampler->control->stop))
        tracer_sleep(clock_now() + NS_PER_S);
    roster_rebase(&sampler->roster);
}

static int64_t sleep_until(const struct sampler *sampler, int64_t next)
{
    int64_t sign = clock_now() + WATCHED_SLEEP_NS;
    return sampler->look.interrupted_count && sign < next ? sign : next;
}

static void sample_until_told(struct sampler *sampler)
{
    int64_t late_ns = (int64_t)(NS_PER_S / sampler->config->rate / 10);
    int64_t next = clock_now() + next_interval(sampler);
    if (late_ns > LATE_NS)
        late_ns = LATE_NS;
    while (!atomic_load(&sampler->control->stop) && sampler->roster.count) {
        tracer_sleep(sleep_until(sampler, next));
        int64_t now = clock_now();
        if (sampler->look.interrupted_count)
            look_collect(&sampler->look, now);
        if (atomic_load(&sampler->control->paused)) {
            pause_until_told(sampler);
            next = clock_now();
        }
        if (now < next)
            continue;
        if (now - next > late_ns)
            atomic_fetch_add(&sampler->control->late, 1);
        make_round(sampler, now);
        next += next_interval(sampler);
        if (next < clock_now()) // too much to do for this rate: rounds are left out
            next = clock_now() + next_interval(sampler) / 8;
    }
}

// Nothing of ours may reach a terminal, a core file or the rest of the machine from here.
static void set_up_process(pid_t parent)
{
    struct rlimit none = {0, 0}, files;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    tracer_init();
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NAME, "ptprof-sampler");
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
}

static _Noreturn void run_sampler(struct control *control, const struct sampler_config *config,
                                  pid_t parent)
{
    struct sampler sampler = {
        .control = control,
        .config = config,
        .roster.control = control,
        .look = {.control = control,
                 .roster = &sampler.roster,
                 .unwind_live = config->unwind_live,
                 .max_stop = config->max_stop},
        .random = (uint64_t)clock_now() | 1,
        .off_cpu_ns = off_cpu_after(),
    };
    set_up_process(parent);
    for (size_t i = 0; i < config->pid_count; i++)
        if (roster_add(&sampler.roster, config->pids[i], false) != RC_OK)
            continue; // gone since the main process looked: not to be told apart from gone later
    if (config->children) {
        family_init(&sampler.family);
        family_look(&sampler.family, &sampler.roster, clock_now());
    }
    tell_new(&sampler, 0);
    struct priority priority = priority_raise();
    atomic_store(&control->realtime, priority.realtime);
    atomic_store(&control->short_slice, priority.short_slice);
    sample_until_told(&sampler);
    finish(&sampler);
    atomic_store(&control->ended, !sampler.roster.count);
    eventfd_write(control->wake_fd, 1);
    _exit(0);
}

struct control *control_new(size_t ring_bytes, struct err *err)
{
    struct control *control = mmap(NULL, sizeof *control + ring_bytes, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (control == MAP_FAILED) {
        err_sys(err, RC_FAIL, errno, "cannot get %zu KiB of shared memory", ring_bytes >> 10);
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

enum rc sampler_start(struct control *control, const struct sampler_config *config, pid_t *child,
                      struct err *err)
{
    pid_t parent = getpid();
    atomic_store(&control->busy_since, 0);
    *child = fork();
    if (*child < 0)
        return err_sys(err, RC_FAIL, errno, "cannot start the sampler process");
    if (*child == 0)
        run_sampler(control, config, parent);
    return RC_OK;
}

bool sampler_ended(pid_t child)
{
    return waitpid(child, NULL, WNOHANG) != 0;
}

void sampler_stop(struct control *control, pid_t child)
{
    struct timespec moment = {.tv_nsec = NS_PER_MS};
    int64_t deadline = clock_now() + STOP_NS;
    atomic_store(&control->stop, 1);
    kill(child, SIGTERM); // wakes it, no more
    while (!sampler_ended(child)) {
        if (clock_now() >= deadline)
            kill(child, SIGKILL);
        clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
    }
}
