// SPDX-License-Identifier: MIT
#include "sample/roster.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "sample/record.h"

#define HOT_NS NS_PER_S
#define SCAN_SHARE 20           // listing takes at most one part in so many of our time
#define SPARE_FDS 64
#define SMALL 64                // threads

void roster_make_hot(struct roster *roster, struct thread *thread, int64_t now)
{
    thread->hot_until = now + HOT_NS;
    if (thread->hot)
        return;
    thread->hot = true;
    ARRAY_RESERVE(roster->hot, roster->hot_count, roster->hot_capacity);
    roster->hot[roster->hot_count++] = thread;
}

static void retire(struct roster *roster, struct thread *thread)
{
    atomic_fetch_sub(&roster->control->threads_known, 1);
    struct retired *retired = &roster->retired;
    ARRAY_RESERVE(retired->threads, retired->thread_count, retired->thread_capacity);
    retired->threads[retired->thread_count++] = thread;
}

static void add_thread(struct roster *roster, struct watched *process, pid_t tid)
{
    uint32_t number = atomic_fetch_add(&roster->control->next_thread, 1);
    ARRAY_RESERVE(process->threads, process->count, process->capacity);
    process->threads[process->count++] = thread_new(process, tid, number, roster->fds_to_keep);
    control_count(roster->control, COUNTER_THREADS_SEEN, 1);
    atomic_fetch_add(&roster->control->threads_known, 1);
}

struct listing {
    struct roster *roster;
    struct watched *process;
    size_t before; // how many threads were known
};

static void list_thread(void *context, pid_t tid)
{
    struct listing *listing = context;
    uint32_t at = map_get(&listing->roster->listed, (uint64_t)tid, 0);
    if (at)
        listing->process->threads[at - 1]->listed = true;
    else
        add_thread(listing->roster, listing->process, tid);
}

// A listing leaves out what comes behind a thread that ends meanwhile.
static void confirm(struct thread *thread)
{
    struct schedstat stat;
    enum rc ignored = thread_read(thread, &stat); // ends it if it is gone
    (void)ignored;
}

static void list_threads(struct roster *roster, struct watched *process)
{
    struct listing listing = {roster, process, process->count};
    map_clear(&roster->listed);
    for (size_t i = 0; i < process->count; i++) {
        process->threads[i]->listed = false;
        map_put(&roster->listed, (uint64_t)process->threads[i]->tid, (uint32_t)i + 1);
    }
    if (procfs_each_number(process->task_fd, list_thread, &listing) != RC_OK) {
        process->gone = true;
        return;
    }
    for (size_t i = 0; i < listing.before; i++)
        if (!process->threads[i]->listed)
            confirm(process->threads[i]);
    process->gone = process->count == 0;
}

// Returns when the thread began (CLOCK_MONOTONIC ns), which was after `since`.
static int64_t birth_of(const struct thread *thread, int64_t since)
{
    struct proc_stat stat;
    struct timespec boot;
    int64_t now = clock_now();
    if (clock_gettime(CLOCK_BOOTTIME, &boot) != 0 ||
        procfs_stat(thread->process->pid, thread->tid, &stat) != RC_OK)
        return now;
    int64_t suspended = (int64_t)boot.tv_sec * NS_PER_S + boot.tv_nsec - now;
    int64_t at = (int64_t)stat.start_time * (NS_PER_S / sysconf(_SC_CLK_TCK)) - suspended;
    return at < since ? since : at < now ? at : now;
}

// Reads every thread once as soon as it is listed, so that what it used before us is known.
static void read_new_threads(const struct roster *roster, struct watched *process)
{
    bool wall = atomic_load(&roster->control->idle);
    for (size_t i = 0; i < process->count; i++) {
        struct schedstat stat;
        uint64_t ignored = 0;
        struct thread *thread = process->threads[i];
        if (thread->known || thread->gone || thread_read(thread, &stat) != RC_OK)
            continue;
        thread_note(thread, &stat, &ignored);
        if (wall && (process->done.scanned_at || process->born_watched))
            thread->report.at = birth_of(thread, process->done.scanned_at);
    }
}

void roster_scan(struct roster *roster, struct watched *process, int64_t now)
{
    struct stat info;
    if (watched_has_ended(process) || fstat(process->task_fd, &info) != 0 || info.st_nlink <= 2) {
        process->gone = true;
        return;
    }
    // A thread that ended and another that began leave the number as it is until one is missed.
    bool due = info.st_nlink - 2 != process->count || process->incomplete;
    if (!due)
        process->done.alive_at = now;
    if (!due || now - process->done.scanned_at < process->done.scan_cost * SCAN_SHARE)
        return;
    process->incomplete = false;
    list_threads(roster, process);
    read_new_threads(roster, process);
    process->done.scanned_at = now;
    process->done.scan_cost = clock_now() - now;
}

bool roster_has(const struct roster *roster, pid_t pid)
{
    for (size_t i = 0; i < roster->count; i++)
        if (roster->processes[i]->pid == pid && !roster->processes[i]->gone)
            return true;
    return false;
}

size_t roster_threads(const struct roster *roster)
{
    size_t count = 0;
    for (size_t i = 0; i < roster->count; i++)
        count += roster->processes[i]->count;
    return count;
}

bool roster_is_small(const struct roster *roster)
{
    return roster_threads(roster) <= SMALL;
}

void roster_each_likely(const struct roster *roster, roster_visit *visit, void *context)
{
    bool small = roster_is_small(roster);
    for (size_t i = 0; i < roster->count && small; i++)
        for (size_t k = 0; k < roster->processes[i]->count; k++)
            visit(context, roster->processes[i]->threads[k]);
    for (size_t i = 0; i < roster->hot_count && !small; i++)
        visit(context, roster->hot[i]);
}

static void retire_process(struct roster *roster, struct watched *process)
{
    struct retired *retired = &roster->retired;
    for (size_t i = 0; i < process->count; i++)
        retire(roster, process->threads[i]);
    process->count = 0;
    ARRAY_RESERVE(retired->processes, retired->process_count, retired->process_capacity);
    retired->processes[retired->process_count++] = process;
}

// Returns the reading of the process's clock at which what counts began. Nothing of its past does,
// but for what a sampler before us had begun to count.
static uint64_t base_of(struct control *control, const struct watched *process)
{
    uint64_t told_ns;
    if (process->born_watched)
        return 0;
    bool taken_over = handover_find(&control->handover, process->pid, &told_ns) &&
                      told_ns <= process->cpu.last;
    return taken_over ? told_ns : process->cpu.last;
}

// To be asked while a descriptor of the process is open: the process that has the number now had it
// then too, or began later.
static bool began_at(pid_t pid, uint64_t start_time)
{
    struct proc_stat stat;
    return !start_time ||
           (procfs_stat(pid, pid, &stat) == RC_OK && stat.start_time == start_time);
}

static enum rc add(struct roster *roster, pid_t pid, uint64_t start_time, bool born_watched)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    AUTO_FD int opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0)
        limits_note(errno);
    if (opened < 0)
        return errno == EACCES || errno == EPERM ? RC_DENIED : RC_GONE;
    if (!began_at(pid, start_time))
        return RC_GONE;
    struct watched *process = xcalloc(1, sizeof *process);
    process->pid = pid;
    process->done.added_at = clock_now();
    process->task_fd = steal_fd(&opened);
    process->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    process->maps_fd = process->pages_fd = -1;
    process->born_watched = born_watched;
    process->to_report = RECORD_PROCESS;
    if (clock_getcpuclockid(pid, &process->cpu_clock) == 0 &&
        watched_cpu(process, &process->cpu.last)) {
        process->cpu.base = base_of(roster->control, process);
        roster_scan(roster, process, clock_now());
        watched_find_image(process);
    }
    if (process->maps_fd < 0 || !process->count) { // it ended meanwhile
        retire_process(roster, process);
        return RC_GONE;
    }
    process->no_syscall = watched_is_refused(process, "syscall");
    watched_name(process);
    process->number = atomic_fetch_add(&roster->control->next_process, 1);
    handover_note(&roster->control->handover, pid, process->cpu.base);
    ARRAY_RESERVE(roster->processes, roster->count, roster->capacity);
    roster->processes[roster->count++] = process;
    return RC_OK;
}

// A process that is not seen for want of descriptors must not look as if it had ended.
enum rc roster_add(struct roster *roster, pid_t pid, uint64_t start_time, bool born_watched)
{
    enum rc rc = add(roster, pid, start_time, born_watched);
    if (rc != RC_OK && limits_noted())
        atomic_store(&roster->control->counts[COUNTER_LIMIT], limits_noted());
    return rc;
}

static bool is_over(const struct thread *thread)
{
    return (thread->gone || thread->process->gone) && !atomic_load(&thread->claim.by);
}

static void sweep_hot(struct roster *roster)
{
    size_t kept = 0;
    for (size_t i = 0; i < roster->hot_count; i++) {
        struct thread *thread = roster->hot[i];
        if (!is_over(thread))
            roster->hot[kept++] = thread;
    }
    roster->hot_count = kept;
}

static void sweep_threads(struct roster *roster, struct watched *process)
{
    size_t kept = 0;
    for (size_t i = 0; i < process->count; i++) {
        struct thread *thread = process->threads[i];
        if (is_over(thread))
            retire(roster, thread);
        else
            process->threads[kept++] = thread;
    }
    process->count = kept;
    process->has_gone_threads = false;
}

void roster_init(struct roster *roster, struct control *control)
{
    struct rlimit limit;
    *roster = (struct roster){.control = control, .fds_to_keep = 0};
    // We shall count once more those that a sampler before us knew.
    control_count(control, COUNTER_THREADS_SEEN, -atomic_exchange(&control->threads_known, 0));
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    rlim_t most = limit.rlim_max < INT_MAX ? limit.rlim_max : INT_MAX;
    roster->fds_to_keep = (int)most - SPARE_FDS;
}

void roster_sweep(struct roster *roster)
{
    size_t kept = 0;
    sweep_hot(roster);
    for (size_t i = 0; i < roster->count; i++) {
        struct watched *process = roster->processes[i];
        if (process->gone || process->has_gone_threads)
            sweep_threads(roster, process);
        if (process->gone && !process->count)
            retire_process(roster, process);
        else
            roster->processes[kept++] = process;
    }
    roster->count = kept;
}

void roster_rebase(struct roster *roster)
{
    for (size_t i = 0; i < roster->count; i++) {
        struct watched *process = roster->processes[i];
        uint64_t cpu_ns;
        if (watched_cpu(process, &cpu_ns)) {
            process->cpu.base += cpu_ns - process->cpu.last;
            process->cpu.last = cpu_ns;
            handover_note(&roster->control->handover, process->pid, cpu_ns);
        }
        for (size_t k = 0; k < process->count; k++)
            thread_rebase(process->threads[k]);
        process->born_watched = false; // threads born meanwhile begin to count when they are listed
        process->done.scanned_at = 0;
        process->incomplete = true;
    }
}
