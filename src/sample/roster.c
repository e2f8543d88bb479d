// SPDX-License-Identifier: MIT
#include "sample/roster.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sample/record.h"

#define HOT_NS NS_PER_S
#define SCAN_SHARE 20           // listing takes at most one part in so many of our time
#define TEXT_MAX 256
#define SPARE_FDS 64
#define CHARGE_DELAY_NS (20 * NS_PER_MS) // of the kernel, at its ticks

static int open_task_file(const struct watched *process, pid_t tid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "%d/%s", tid, name);
    return openat(process->task_fd, path, O_RDONLY | O_CLOEXEC);
}

int thread_open(const struct thread *thread, const char *name)
{
    return open_task_file(thread->process, thread->tid, name);
}

// Reads a short file of a thread through its kept descriptor; when descriptors are short, through
// one for the moment.
static enum rc read_task_file(struct thread *thread, int *kept, const char *name,
                              char text[TEXT_MAX])
{
    AUTO_FD int moment = *kept < 0 ? open_task_file(thread->process, thread->tid, name) : -1;
    int fd = *kept < 0 ? moment : *kept;
    if (fd < 0)
        return errno == EMFILE || errno == ENFILE ? RC_LIMIT : RC_GONE;
    ssize_t got = pread(fd, text, TEXT_MAX - 1, 0);
    if (got <= 0)
        return RC_GONE;
    text[got] = '\0';
    if (fd == moment && fd < thread->fds_to_keep)
        *kept = steal_fd(&moment);
    return RC_OK;
}

void thread_end(struct thread *thread)
{
    thread->gone = true;
    thread->process->has_gone_threads = true;
}

enum rc thread_read(struct thread *thread, struct schedstat *stat)
{
    char text[TEXT_MAX];
    enum rc rc = read_task_file(thread, &thread->schedstat_fd, "schedstat", text);
    if (rc == RC_OK && !schedstat_parse(text, stat))
        rc = RC_FORMAT;
    if (rc == RC_GONE)
        thread_end(thread);
    return rc;
}

// All CPU time up to `stat` was somebody else's, or does not count.
static void rebase_to(struct thread *thread, const struct schedstat *stat)
{
    uint64_t skipped = stat->run_ns - thread->last.run_ns;
    thread->base_run += skipped;
    thread->reported_run += skipped;
    thread->last.run_ns = stat->run_ns;
}

void thread_note(struct thread *thread, const struct schedstat *stat, uint64_t *moved_ns)
{
    int64_t now = clock_now();
    if (!thread->known) {
        // Of a thread that was there before us, only what comes from here on counts.
        const struct watched *process = thread->process;
        uint64_t watched_ns = (uint64_t)(now - process->added_at) + CHARGE_DELAY_NS;
        bool ours = process->born_watched || (process->scanned_at && stat->run_ns < watched_ns);
        thread->base_run = ours ? 0 : stat->run_ns;
        thread->reported_run = thread->base_run;
        thread->reported_wait = stat->wait_ns;
        thread->told_at = now;
        thread->last.run_ns = thread->base_run;
    }
    // Less than before, or more than time has passed: by exec another thread took the number over.
    if (stat->run_ns < thread->last.run_ns ||
        (thread->known && stat->run_ns - thread->last.run_ns >
                              (uint64_t)(now - thread->noted_at) + CHARGE_DELAY_NS))
        rebase_to(thread, stat);
    thread->noted_at = now;
    *moved_ns += stat->run_ns - thread->last.run_ns;
    if (stat->run_ns != thread->last.run_ns || stat->switches != thread->last.switches)
        thread->unmoved_since = now;
    thread->last = *stat;
    thread->known = true;
}

int thread_cpu(struct thread *thread)
{
    char text[CLAIM_TEXT];
    return claim_text(thread, -1, "stat", text) ? proc_stat_cpu(text) : -1;
}

// The slower way, which needs no right to the file.
static bool state_is_running(struct thread *thread)
{
    char text[TEXT_MAX];
    struct proc_stat stat;
    return read_task_file(thread, &thread->syscall_fd, "stat", text) == RC_OK &&
           proc_stat_parse(text, &stat) && stat.state == 'R';
}

bool thread_is_running(struct thread *thread)
{
    char text[TEXT_MAX];
    if (thread->process->no_syscall)
        return state_is_running(thread);
    return read_task_file(thread, &thread->syscall_fd, "syscall", text) == RC_OK &&
           proc_syscall_is_running(text);
}

bool thread_call(struct thread *thread, struct proc_syscall *call)
{
    char text[TEXT_MAX];
    return !thread->process->no_syscall &&
           read_task_file(thread, &thread->syscall_fd, "syscall", text) == RC_OK &&
           proc_syscall_parse(text, call);
}

void roster_make_hot(struct roster *roster, struct thread *thread, int64_t now)
{
    thread->hot_until = now + HOT_NS;
    if (thread->hot)
        return;
    thread->hot = true;
    ARRAY_RESERVE(roster->hot, roster->hot_count, roster->hot_capacity);
    roster->hot[roster->hot_count++] = thread;
}

static void thread_add(struct roster *roster, struct watched *process, pid_t tid)
{
    struct thread *thread = xcalloc(1, sizeof *thread);
    thread->number = atomic_fetch_add(&roster->control->next_thread, 1);
    thread->tid = tid;
    thread->process = process;
    thread->fds_to_keep = roster->fds_to_keep;
    thread->schedstat_fd = thread->syscall_fd = -1;
    thread->claim = (struct claim){.cpu = -1, .schedstat_fd = -1, .sched_fd = -1, .syscall_fd = -1};
    thread->listed = true;
    ARRAY_RESERVE(process->threads, process->count, process->capacity);
    process->threads[process->count++] = thread;
    atomic_fetch_add(&roster->control->threads_seen, 1);
    atomic_fetch_add(&roster->control->threads_known, 1);
}

static void close_kept(int fd)
{
    if (fd >= 0)
        close(fd);
}

void thread_free(struct thread *thread)
{
    close_kept(thread->schedstat_fd);
    close_kept(thread->syscall_fd);
    claim_close(&thread->claim);
    free(thread);
}

static void retire(struct roster *roster, struct thread *thread)
{
    atomic_fetch_sub(&roster->control->threads_known, 1);
    struct retired *retired = &roster->retired;
    ARRAY_RESERVE(retired->threads, retired->thread_count, retired->thread_capacity);
    retired->threads[retired->thread_count++] = thread;
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
        thread_add(listing->roster, listing->process, tid);
}

// A listing leaves out what comes behind a thread that ends under it.
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

// Reads once every thread that has not been read: what they used before us is to be known.
static void read_new_threads(struct watched *process)
{
    for (size_t i = 0; i < process->count; i++) {
        struct schedstat stat;
        uint64_t ignored = 0;
        struct thread *thread = process->threads[i];
        if (!thread->known && !thread->gone && thread_read(thread, &stat) == RC_OK)
            thread_note(thread, &stat, &ignored);
    }
}

// A zombie still has a task directory, and files in it.
bool watched_has_ended(const struct watched *process)
{
    struct pollfd end = {.fd = process->pid_fd, .events = POLLIN};
    return process->pid_fd >= 0 && poll(&end, 1, 0) > 0;
}

void roster_scan(struct roster *roster, struct watched *process, int64_t now)
{
    struct stat info;
    if (watched_has_ended(process) || fstat(process->task_fd, &info) != 0 || info.st_nlink <= 2) {
        process->gone = true;
        return;
    }
    // One that ended and another that began leave the number as it is until the first is missed.
    bool due = info.st_nlink - 2 != process->count || process->incomplete;
    if (!due || now - process->scanned_at < process->scan_cost * SCAN_SHARE)
        return;
    process->incomplete = false;
    list_threads(roster, process);
    read_new_threads(process);
    process->scanned_at = now;
    process->scan_cost = clock_now() - now;
}

bool watched_cpu(struct watched *process, uint64_t *cpu_ns)
{
    struct timespec time;
    if (clock_gettime(process->cpu_clock, &time) != 0)
        return false;
    *cpu_ns = (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
    return true;
}

// Through a thread: the maps of a leader that has ended are empty while the others run on.
static int open_maps(struct watched *process)
{
    for (size_t i = 0; i < process->count; i++) {
        AUTO_FD int fd = open_task_file(process, process->threads[i]->tid, "maps");
        char byte;
        if (fd >= 0 && pread(fd, &byte, 1, 0) == 1)
            return steal_fd(&fd);
    }
    return -1;
}

// Of a process of which a thread was found.
static bool is_refused(const struct watched *process, const char *name)
{
    AUTO_FD int fd = open_task_file(process, process->threads[0]->tid, name);
    return fd < 0 && errno == EACCES;
}

bool watched_same_image(const struct watched *process)
{
    char byte;
    return process->maps_fd >= 0 && pread(process->maps_fd, &byte, 1, 0) == 1;
}

// Under the same number: samplers read it meanwhile.
bool watched_open_image(struct watched *process)
{
    AUTO_FD int fd = open_maps(process);
    return fd >= 0 && dup3(fd, process->maps_fd, O_CLOEXEC) >= 0;
}

void watched_name(struct watched *process)
{
    char comm[COMM_MAX];
    if (procfs_comm(process->pid, process->pid, comm) == RC_OK)
        memcpy(process->comm, comm, sizeof comm);
}

bool roster_has(const struct roster *roster, pid_t pid)
{
    for (size_t i = 0; i < roster->count; i++)
        if (roster->processes[i]->pid == pid && !roster->processes[i]->gone)
            return true;
    return false;
}

void watched_free(struct watched *process)
{
    free(process->threads);
    close_kept(process->task_fd);
    close_kept(process->maps_fd);
    close_kept(process->pid_fd);
    free(process);
}

size_t roster_threads(const struct roster *roster)
{
    size_t count = 0;
    for (size_t i = 0; i < roster->count; i++)
        count += roster->processes[i]->count;
    return count;
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

// What is to count of the process began at this reading of its clock. Of its past nothing does, but
// for what a sampler before us had begun to count.
static uint64_t base_of(struct control *control, const struct watched *process)
{
    uint64_t told_ns;
    if (process->born_watched)
        return 0;
    bool taken_over = handover_find(&control->handover, process->pid, &told_ns) &&
                      told_ns <= process->last_cpu;
    return taken_over ? told_ns : process->last_cpu;
}

enum rc roster_add(struct roster *roster, pid_t pid, bool born_watched)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    int task_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (task_fd < 0)
        return errno == EACCES || errno == EPERM ? RC_DENIED : RC_GONE;
    struct watched *process = xcalloc(1, sizeof *process);
    process->pid = pid;
    process->added_at = clock_now();
    process->task_fd = task_fd;
    process->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    process->maps_fd = -1;
    process->born_watched = born_watched;
    process->untold = RECORD_PROCESS;
    if (clock_getcpuclockid(pid, &process->cpu_clock) == 0 &&
        watched_cpu(process, &process->last_cpu)) {
        process->base_cpu = base_of(roster->control, process);
        roster_scan(roster, process, clock_now());
        process->maps_fd = open_maps(process);
    }
    if (process->maps_fd < 0) { // it ended meanwhile
        retire_process(roster, process);
        return RC_GONE;
    }
    process->no_syscall = is_refused(process, "syscall");
    watched_name(process);
    process->number = atomic_fetch_add(&roster->control->next_process, 1);
    process->reported_at = clock_now();
    handover_note(&roster->control->handover, pid, process->base_cpu);
    ARRAY_RESERVE(roster->processes, roster->count, roster->capacity);
    roster->processes[roster->count++] = process;
    return RC_OK;
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
    // Those that a sampler before us knew we shall count once more.
    atomic_fetch_sub(&control->threads_seen, atomic_exchange(&control->threads_known, 0));
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

static void rebase_thread(struct thread *thread)
{
    struct schedstat stat;
    if (thread_read(thread, &stat) != RC_OK)
        return;
    rebase_to(thread, &stat);
    thread->reported_wait += stat.wait_ns - thread->last.wait_ns;
    thread->last = stat;
    thread->noted_at = clock_now();
    thread->told_at = 0;
}

void roster_rebase(struct roster *roster)
{
    for (size_t i = 0; i < roster->count; i++) {
        struct watched *process = roster->processes[i];
        uint64_t cpu_ns;
        if (watched_cpu(process, &cpu_ns)) {
            process->base_cpu += cpu_ns - process->last_cpu;
            process->last_cpu = cpu_ns;
            handover_note(&roster->control->handover, process->pid, cpu_ns);
        }
        for (size_t k = 0; k < process->count; k++)
            rebase_thread(process->threads[k]);
        process->born_watched = false; // threads born meanwhile begin to count when they are met
        process->scanned_at = 0;
        process->incomplete = true;
    }
}
