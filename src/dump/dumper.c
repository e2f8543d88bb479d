// SPDX-License-Identifier: MIT
#include "dump/dumper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/patience.h"
#include "collect/preflight.h"
#include "dump/dumper_child.h"
#include "sample/priority.h"
#include "sample/sampler.h"
#include "symbol/headers.h"

#define DEPTH_MAX 4096
#define RESTARTS_MAX 20
#define EXECS_MAX 20 // times that a dump is begun anew
#define RESERVED 8 // in the last 1 / RESERVED of the timeout no running thread is waited for
// Time that a census has to release its threads after an interrupt.
#define PARTING_NS (500 * NS_PER_MS)
#define LOOK_MS 1                    // longest time that a record waits in the ring
#define PIECES_MAX 12 // most copies of one stack
#define STALLED_NS (300 * NS_PER_MS) // longest time that reading one thread may take

static void read_facts(struct dumper *dumper)
{
    struct proc_status status;
    bool known = procfs_status(dumper->pid, &status) == RC_OK;
    dumper->target.inner_tids = known && status.inner_pid && status.inner_pid != dumper->pid;
    dumper->target.filtered = !known || status.seccomp;
}

enum rc dumper_open(pid_t pid, const struct dumper_options *options, struct dumper **out,
                    struct err *err)
{
    // It is opened before the check, so that it stays with this process.
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    enum rc rc = preflight_target(pid, err);
    if (rc == RC_OK && pidfd < 0)
        rc = err_set(err, RC_GONE, "%d has ended", (int)pid);
    if (rc != RC_OK) {
        close(pidfd);
        return rc;
    }
    struct dumper *dumper = xcalloc(1, sizeof *dumper);
    dumper->pid = pid;
    dumper->pidfd = pidfd;
    dumper->maps_fd = -1;
    dumper->options = *options;
    headers_isolate();
    dumper->code.modules = modules_new();
    dumper->code.unknown = modules_special(dumper->code.modules, MODULE_ANON, "[unknown]");
    dumper->code.symbolizer = symbolizer_new(dumper->code.modules);
    symbolizer_isolate(dumper->code.symbolizer);
    symbolizer_add_root(dumper->code.symbolizer, pid);
    dumper->code.walker = walker_new(DEPTH_MAX);
    dumper->code.names = dumper_names_new(dumper->code.symbolizer);
    dumper->control = control_new(CENSUS_RING, err);
    rc = dumper->control ? thread_filter_new(options->threads, &dumper->threads, err) : RC_FAIL;
    if (rc != RC_OK) {
        dumper_close(dumper);
        return rc;
    }
    read_facts(dumper);
    *out = dumper;
    return RC_OK;
}

static void forget_seen(struct dumper *dumper)
{
    for (size_t i = 0; i < dumper->count; i++)
        free(dumper->seen[i].stack);
    dumper->count = dumper->stack_bytes = 0;
    map_clear(&dumper->index);
}

void dumper_close(struct dumper *dumper)
{
    if (!dumper)
        return;
    if (dumper->census.watched)
        watchdog_stop(&dumper->census.watchdog);
    forget_seen(dumper);
    process_image_fini(&dumper->code.image);
    walker_free(dumper->code.walker);
    dumper_names_free(dumper->code.names);
    symbolizer_free(dumper->code.symbolizer);
    modules_free(dumper->code.modules);
    control_free(dumper->control);
    regions_fini(&dumper->regions);
    regions_fini(&dumper->mappings);
    map_fini(&dumper->index);
    map_fini(&dumper->switches);
    thread_filter_free(dumper->threads);
    headers_end();
    free(dumper->seen);
    cleanup_fd(&dumper->maps_fd);
    close(dumper->pidfd);
    free(dumper);
}

struct modules *dumper_modules(const struct dumper *dumper)
{
    return dumper->code.modules;
}

struct symbolizer *dumper_symbolizer(const struct dumper *dumper)
{
    return dumper->code.symbolizer;
}

// --- one census ---

// Asks in one question for the stacks of this record and of those behind it in the ring.
static void look_ahead(struct dumper *dumper, const struct record *record)
{
    const struct capture *captures[WALK_AHEAD];
    size_t count = 0;
    for (; record && record->kind == CENSUS_RECORD && count < WALK_AHEAD;
         record = ring_next(&dumper->control->ring, record)) {
        const struct census_record *seen = (const void *)record;
        if (dumper_has_stack(seen))
            captures[count++] = &seen->capture;
    }
    if (count && dumper->code.image.walked && !walked_has(dumper->code.image.walked, captures[0]))
        walked_ahead(dumper->code.image.walked, captures, count);
}

static void drain(struct dumper *dumper)
{
    struct ring *ring = &dumper->control->ring;
    for (const struct record *record; (record = ring_peek(ring)); ring_release(ring, record)) {
        if (record->kind != CENSUS_RECORD)
            continue;
        look_ahead(dumper, record);
        dumper_see(dumper, (const struct census_record *)(const void *)record);
    }
}

static bool is_over(const struct dumper *dumper)
{
    return dumper->time.out || dumper->ended || dumper->interrupted;
}

// Has the census release the threads that it holds, wait for no more, and report what it has.
static void heed_interrupts(struct dumper *dumper, int64_t now)
{
    const struct dumper_options *options = &dumper->options;
    if (dumper->interrupted || !options->interrupted || !options->interrupted(options->context))
        return;
    dumper->interrupted = true;
    atomic_store(&dumper->control->stop, 1);
    if (dumper->time.deadline > now + PARTING_NS)
        dumper->time.deadline = now + PARTING_NS;
}

// Reads records until the census is complete (true), or its process has ended, makes no progress or
// has no time left (false).
static bool follow(struct dumper *dumper, pid_t *child)
{
    struct control *control = dumper->control;
    struct pollfd fd = {.fd = control->wake_fd, .events = POLLIN};
    int64_t moved_at = clock_now(), busy_since = 0;
    pid_t tid = 0;
    for (;;) {
        eventfd_t ignored;
        poll(&fd, 1, LOOK_MS);
        eventfd_read(control->wake_fd, &ignored);
        bool complete = atomic_load(&control->ended); // read before the drain
        bool gone = !complete && sampler_ended(*child);
        uint64_t before = atomic_load(&control->ring.consumed);
        drain(dumper);
        dumper_names_go_on(dumper->code.names);
        if (gone)
            *child = 0;
        if (complete || gone)
            return complete;
        int64_t now = clock_now();
        pid_t with = atomic_load(&control->lives->busy_with);
        // The census renews it while it waits for threads.
        int64_t busy = atomic_load(&control->lives->busy_since);
        if (with != tid || busy != busy_since || atomic_load(&control->ring.consumed) != before)
            moved_at = now;
        tid = with;
        busy_since = busy;
        heed_interrupts(dumper, now);
        dumper->time.out = now >= dumper->time.deadline;
        if (dumper->time.out || now - moved_at > STALLED_NS)
            return false;
    }
}

void dumper_hurry(struct dumper *dumper)
{
    int64_t moment = clock_now() + PARTING_NS;
    symbolizer_set_deadline(dumper->code.symbolizer, moment);
    patience_until(moment);
}

static void reap(struct dumper *dumper)
{
    if (dumper->census.done)
        sampler_stop(dumper->control, dumper->census.done);
    dumper->census.done = 0;
    if (dumper->census.watched) {
        pid_t tid;
        dumper->census.held = watchdog_last_hold(&dumper->census.watchdog, 0, &tid) > 0;
        watchdog_guard(&dumper->census.watchdog, 0);
    }
    atomic_store(&dumper->control->stop, 0);
}

static enum rc start(struct dumper *dumper, const struct census_config *config, pid_t *child,
                     struct err *err)
{
    reap(dumper);
    enum rc rc = census_start(dumper->control, config, child, err);
    // The fork comes before the thread starts: its child may find locks taken.
    if (rc == RC_OK && !dumper->census.watched) {
        rc = watchdog_start(&dumper->census.watchdog, dumper->control, err);
        dumper->census.watched = rc == RC_OK;
    }
    if (rc == RC_OK)
        watchdog_guard(&dumper->census.watchdog, *child);
    return rc;
}

static void stop(struct dumper *dumper, pid_t child, bool complete)
{
    dumper->census.done = child;
    if (child && complete)
        return; // its end takes a while, in which other work can be done
    if (child)
        kill(child, SIGKILL); // it hangs in a read; the kernel releases the threads that it holds
    reap(dumper);
    drain(dumper);
}

// Returns the mappings of the process, for stacks whose pages cannot be listed because we may only
// trace; otherwise NULL.
static const struct regions *mappings_of(struct dumper *dumper)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/pagemap", (int)dumper->pid);
    bool known = faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0 &&
                 regions_read(&dumper->mappings, dumper->pid, dumper->pid) == RC_OK;
    return known ? &dumper->mappings : NULL;
}

// Takes a census. A thread on which it hangs is left out by the next one, which goes on with the
// others.
static enum rc take_census(struct dumper *dumper, struct census_config config, struct err *err)
{
    config.pid = dumper->pid;
    config.threads = dumper->threads;
    config.inner_tids = dumper->target.inner_tids;
    config.filtered = dumper->target.filtered;
    config.cpus = &dumper->cpus;
    config.mappings = mappings_of(dumper);
    config.began = dumper->time.began;
    config.deadline = dumper->time.deadline - dumper->options.timeout / RESERVED;
    bool first = !config.tids && !config.together; // the first census of a dump
    config.done = first ? &dumper->index : NULL;
    for (unsigned i = 0; i <= RESTARTS_MAX; i++) {
        pid_t child = 0;
        enum rc rc = start(dumper, &config, &child, err);
        bool complete = rc == RC_OK && follow(dumper, &child);
        stop(dumper, child, complete);
        dumper->ended = dumper_has_ended(dumper);
        if (rc != RC_OK || complete || is_over(dumper) || !first)
            return rc;
        dumper_give_up(dumper, atomic_load(&dumper->control->lives->busy_with));
    }
    return RC_OK;
}

// Returns for each thread what the next copy of its stack has to hold. The caller frees it.
static struct stack_plan *plans_of(const struct dumper *dumper, struct map *plan_of)
{
    struct stack_plan *plans = xcalloc(dumper->count ? dumper->count : 1, sizeof *plans);
    for (size_t i = 0; i < dumper->count; i++) {
        plans[i] = dumper->seen[i].plan;
        map_put(plan_of, (uint64_t)dumper->seen[i].thread.tid, (uint32_t)i + 1);
    }
    return plans;
}

// Reads stacks again whose copies were too short, each as a whole at one moment.
static enum rc take_cut(struct dumper *dumper, struct err *err)
{
    struct map plan_of = {0};
    AUTO_FREE struct stack_plan *plans = plans_of(dumper, &plan_of);
    AUTO_FREE pid_t *tids = xcalloc(dumper->count ? dumper->count : 1, sizeof *tids);
    struct census_config config = {
        .tids = tids, .plan_of = &plan_of, .plans = plans, .stack_room = STACK_ROOM};
    for (size_t i = 0; i < dumper->count; i++) {
        if (dumper->seen[i].cut)
            tids[config.tid_count++] = dumper->seen[i].thread.tid;
        dumper->seen[i].cut = false;
    }
    enum rc rc = config.tid_count ? take_census(dumper, config, err) : RC_OK;
    map_fini(&plan_of);
    return rc;
}

static bool is_any_cut(const struct dumper *dumper)
{
    bool cut = false;
    for (size_t i = 0; i < dumper->count && !cut; i++)
        cut = dumper->seen[i].cut;
    return cut;
}

// Reads cut stacks again, up to the root: each copy asks for what the one before lacked.
static enum rc take_piecewise(struct dumper *dumper, struct err *err)
{
    enum rc rc = RC_OK;
    for (unsigned i = 0; i < PIECES_MAX && rc == RC_OK && !is_over(dumper) && is_any_cut(dumper);
         i++)
        rc = take_cut(dumper, err);
    return rc;
}

// Stops threads whose unwind tables need a register that the kernel does not show of a blocked
// thread.
static enum rc take_stopped(struct dumper *dumper, struct err *err)
{
    AUTO_FREE pid_t *tids = xcalloc(dumper->count ? dumper->count : 1, sizeof *tids);
    struct census_config config = {.tids = tids, .stack_room = STACK_FIRST, .asleep = true};
    for (size_t i = 0; i < dumper->count; i++) {
        const struct dump_thread *thread = &dumper->seen[i].thread;
        if (thread->wanted && thread->end == UNWIND_NO_REGISTER && thread->state == 'S')
            tids[config.tid_count++] = thread->tid;
    }
    return config.tid_count ? take_census(dumper, config, err) : RC_OK;
}

static enum rc take_together(struct dumper *dumper, struct err *err)
{
    struct map plan_of = {0};
    AUTO_FREE struct stack_plan *plans = plans_of(dumper, &plan_of);
    struct census_config config = {
        .plan_of = &plan_of, .plans = plans, .stack_room = STACK_ROOM, .together = true};
    memset(&dumper->control->held, 0, sizeof dumper->control->held);
    enum rc rc = take_census(dumper, config, err);
    map_fini(&plan_of);
    if (rc == RC_OK && !is_over(dumper) &&
        (!dumper->control->held.count || dumper->census.held))
        rc = err_set(err, RC_FAIL,
                     "the threads of %d could not be held together\n"
                     "  Without --stop-all those that run are held one by one.",
                     (int)dumper->pid);
    return rc;
}

static enum rc take_all(struct dumper *dumper, struct err *err)
{
    struct census_config config = {.stack_room = STACK_FIRST};
    enum rc rc = take_census(dumper, config, err);
    if (rc == RC_OK && !is_over(dumper))
        rc = take_piecewise(dumper, err);
    bool stops = dumper->options.stop_cut || dumper->options.stop_all;
    if (rc == RC_OK && dumper->options.stop_cut && !is_over(dumper))
        rc = take_stopped(dumper, err);
    if (rc == RC_OK && dumper->options.stop_all && !is_over(dumper))
        rc = take_together(dumper, err);
    if (stops)
        dumper_quiesce(dumper);
    return rc;
}

// --- results ---

static int compare(const void *left, const void *right, void *pid)
{
    pid_t main_tid = *(const pid_t *)pid;
    const struct dump_thread *a = &((const struct seen *)left)->thread;
    const struct dump_thread *b = &((const struct seen *)right)->thread;
    if ((a->tid == main_tid) != (b->tid == main_tid))
        return a->tid == main_tid ? -1 : 1;
    if (a->cpu_ns != b->cpu_ns)
        return a->cpu_ns > b->cpu_ns ? -1 : 1;
    return a->tid < b->tid ? -1 : a->tid > b->tid;
}

static void note_switches(struct dumper *dumper)
{
    for (size_t i = 0; i < dumper->count; i++) {
        struct seen *seen = &dumper->seen[i];
        uint64_t tid = (uint64_t)seen->thread.tid;
        uint32_t now = (uint32_t)seen->switches | 1u << 31; // never 0, which stands for none
        seen->thread.changed = map_get(&dumper->switches, tid, 0) != now || seen->thread.running;
        map_put(&dumper->switches, tid, now);
    }
}

static void fill(struct dumper *dumper, struct dump *dump)
{
    const struct control *control = dumper->control;
    if (dumper->count)
        qsort_r(dumper->seen, dumper->count, sizeof *dumper->seen, compare, &dumper->pid);
    note_switches(dumper);
    dumper_name(dumper);
    dump->together = dumper->options.stop_all;
    dump->held_max = (int64_t)control->held.max;
    dump->repaired = atomic_load(&control->counts[COUNTER_REPAIRED]);
    dump->count = dumper->count;
    dump->threads = xcalloc(dump->count, sizeof *dump->threads);
    dump->waits = xcalloc(dump->count, sizeof *dump->waits);
    for (size_t i = 0; i < dump->count; i++) {
        dump->threads[i] = dumper->seen[i].thread; // their frames are moved, not copied
        dump->held += dump->threads[i].held;
        dump->in_place += !dump->threads[i].held && (dumper->seen[i].flags & CENSUS_CALL);
        if (dump->threads[i].tid == dumper->pid)
            memcpy(dump->comm, dump->threads[i].comm, sizeof dump->comm);
    }
    dumper_find_waits(dumper, dump);
    if (dumper->options.kernel)
        dumper_add_kernel(dumper, dump);
    dump->verdict_count = deadlock_find(dump->waits, dump->count, &dump->verdicts);
    dump->end = dumper->interrupted ? DUMP_INTERRUPTED
                : dumper->time.out ? DUMP_TIMEOUT
                : dumper->ended     ? DUMP_TARGET_ENDED
                                    : DUMP_COMPLETE;
}

static enum rc take_once(struct dumper *dumper, struct dump *dump, struct err *err)
{
    *dump = (struct dump){.pid = dumper->pid, .wall = clock_wall()};
    dumper_note_image(dumper);
    dump->exe = dumper_exe(dumper);
    dumper->time.out = dumper->ended = dumper->interrupted = false;
    atomic_store(&dumper->control->counts[COUNTER_REPAIRED], 0);
    memset(&dumper->control->held, 0, sizeof dumper->control->held);
    forget_seen(dumper);
    dumper_refresh(dumper, dumper->pid);
    enum rc rc = take_all(dumper, err);
    dumper_forget_other_program(dumper);
    if (rc == RC_OK && !dumper->count)
        rc = dumper->time.out || dumper->interrupted
                 ? err_set(err, RC_TIMEOUT, "no thread of %d could be read in time",
                           (int)dumper->pid)
                 : err_set(err, RC_GONE, "%d ended before one thread was read", (int)dumper->pid);
    fill(dumper, dump);
    reap(dumper);
    return rc;
}

enum rc dumper_take(struct dumper *dumper, struct dump *dump, struct err *err)
{
    unsigned execs = 0;
    int nice = priority_hurry();
    priority_gather(&dumper->cpus);
    walker_lead(dumper->code.walker);
    dumper->time.began = clock_now();
    dumper->time.deadline = dumper->time.began + dumper->options.timeout;
    enum rc rc = take_once(dumper, dump, err);
    while (dumper_has_executed(dumper)) {
        dump_fini(dump);
        if (dumper->time.out || dumper->interrupted || ++execs > EXECS_MAX) {
            rc = err_set(err, RC_TIMEOUT, "%d executed another program each time it was read",
                         (int)dumper->pid);
            break;
        }
        read_facts(dumper);
        rc = take_once(dumper, dump, err);
        if (rc == RC_GONE)
            rc = err_set(err, RC_FAIL,
                         "%d executed another program while it was read, and ended before a thread "
                         "of that one was",
                         (int)dumper->pid);
    }
    priority_spread(&dumper->cpus);
    priority_relax(nice);
    dump->executed = execs;
    dump->lasted = clock_now() - dumper->time.began;
    if (rc != RC_OK)
        dump_fini(dump);
    forget_seen(dumper);
    return rc;
}
