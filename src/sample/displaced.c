// SPDX-License-Identifier: MIT
#include "sample/displaced.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sample/task_file.h"
#include "sample/watched.h"

#define READS_TOP 64     // of schedstat of those who use most, 0.4 us each,
#define READS_OTHERS 192 // and of the others
#define FEW 4            // readings of stat, 1.6 us each, in place of two of sched, 4.4 us each
#define SAME_NS 1000   // a tick of the scheduler may have dated us anew
#define WAITED_NS 1500         // for our CPU, longer than it takes to come onto one that is free
#define LATELY_NS (100 * NS_PER_MS)
#define CONTENDED 10   // the part of its CPU time for which a thread waits for a CPU
#define NEVER_OFF_NS (4 * NS_PER_US) // what a thread that ran all the time may seem to have missed

void displaced_init(struct displaced_search *search, int by, int cpu, bool soon)
{
    *search = (struct displaced_search){
        .by = by, .cpu = cpu, .soon = soon, .least_wait = UINT64_MAX};
    search->own_fd = open("/proc/thread-self/sched", O_RDONLY | O_CLOEXEC);
    search->own_stat_fd = soon ? open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC) : -1;
}

void displaced_fini(struct displaced_search *search)
{
    cleanup_fd(&search->own_fd);
    cleanup_fd(&search->own_stat_fd);
}

static uint64_t own_start(struct displaced_search *search)
{
    char text[CLAIM_TEXT];
    if (search->own_start || search->own_fd < 0)
        return search->own_start;
    (void)task_file_read(search->own_fd, text, sizeof text);
    return search->own_start = task_file_exec_start(text);
}

static uint64_t own_wait(const struct displaced_search *search)
{
    char text[CLAIM_TEXT];
    struct schedstat stat;
    return task_file_read(search->own_stat_fd, text, sizeof text) && schedstat_parse(text, &stat)
               ? stat.wait_ns : 0;
}

void displaced_rest(struct displaced_search *search)
{
    search->own_wait = own_wait(search);
}

static bool has_waited(struct displaced_search *search)
{
    uint64_t now = own_wait(search);
    uint64_t waited = now > search->own_wait ? now - search->own_wait : 0;
    search->least_wait = waited < search->least_wait ? waited : search->least_wait;
    return waited > search->least_wait + WAITED_NS;
}

// A thread that has waited for a CPU is owed time, so the scheduler lets it keep that CPU when an
// ordinary thread wakes there. The place where it then gives its CPU up does not tell where it was
// when our timer expired.
static bool kept_us_waiting(const struct displaced_search *search, struct claim *claim)
{
    const struct schedstat *now = &claim->before;
    if (search->soon && search->woke_at - claim->lately_at > LATELY_NS) {
        uint64_t ran_ns = now->run_ns - claim->lately.run_ns;
        claim->contended = claim->lately_at &&
                           (now->wait_ns - claim->lately.wait_ns) * CONTENDED > ran_ns;
        claim->lately = *now;
        claim->lately_at = search->woke_at;
    }
    return search->waited && claim->contended;
}

// Since its last stop the thread ran or waited all the time up to now, and its wait is over: so it
// has just come off its CPU. This is proof only where no other thread has run: threads that give
// way to each other do so within less than this can tell.
static bool never_slept(const struct claim *claim, const struct schedstat *now, int64_t woke_at)
{
    if (!claim->exact_at || now->run_ns < claim->exact.run_ns)
        return false;
    uint64_t seen = now->run_ns - claim->exact.run_ns + now->wait_ns - claim->exact.wait_ns;
    return (int64_t)seen >= woke_at - claim->exact_at - NEVER_OFF_NS;
}

// Without dates (a kernel without task/TID/sched) a thread that waits for this CPU may have waited
// before us, which is found out when it has been stopped.
static bool came_off_as_we_came(struct displaced_search *search, struct thread *thread)
{
    char text[CLAIM_TEXT];
    uint64_t start = claim_text(thread, thread->claim.sched_fd, "sched", text)
                         ? task_file_exec_start(text) : 0;
    if (!start || !own_start(search))
        return true;
    return start <= search->own_start && search->own_start - start <= SAME_NS;
}

// For a claimed thread. A thread that is on another CPU by now may have been on this one, but has
// run on since.
static bool is_here(struct displaced_search *search, struct displaced_moved *moved)
{
    char text[CLAIM_TEXT];
    struct thread *thread = moved->thread;
    const char *comm_end = claim_text(thread, thread->claim.stat_fd, "stat", text)
                               ? strrchr(text, ')') : NULL;
    moved->waits = comm_end && strncmp(comm_end, ") R", 3) == 0;
    return moved->here = comm_end && proc_stat_cpu(text) == search->cpu;
}

// For a claimed thread that was just read.
static enum displaced prove(struct displaced_search *search, struct displaced_moved *moved)
{
    struct claim *claim = &moved->thread->claim;
    if (!moved->here && !is_here(search, moved))
        return DISPLACED_NONE;
    bool late = kept_us_waiting(search, claim);
    if (moved->waits && search->single && never_slept(claim, &claim->before, search->woke_at))
        return late ? DISPLACED_WAITED : DISPLACED_RUNNING;
    if (!came_off_as_we_came(search, moved->thread))
        return DISPLACED_NONE;
    return late ? DISPLACED_WAITED : moved->waits ? DISPLACED_RUNNING : DISPLACED_ASLEEP;
}

// Returns whether the thread could be claimed and read; then it is claimed.
static bool take(struct displaced_search *search, struct thread *thread)
{
    if (thread->gone || thread->skipped)
        return false;
    if (!claim_take(thread, search->by)) {
        search->busy = true;
        return false;
    }
    if (claim_read(thread, &thread->claim.before))
        return true;
    claim_release(thread);
    return false;
}

// Threads that were last found on this CPU rank first, then those that ran most since they were
// read.
static void note_moved(struct displaced_search *search, struct thread *thread, uint64_t ran_ns)
{
    bool here = atomic_load_explicit(&thread->claim.cpu, memory_order_relaxed) == search->cpu;
    struct displaced_moved moved = {.thread = thread, .rank = here ? ran_ns | 1ull << 63 : ran_ns};
    size_t at = search->moved_count;
    search->bounded |= at == DISPLACED_PROOFS;
    if (at == DISPLACED_PROOFS && moved.rank <= search->moved[--at].rank)
        return;
    for (; at > 0 && search->moved[at - 1].rank < moved.rank; at--)
        search->moved[at] = search->moved[at - 1];
    search->moved[at] = moved;
    search->moved_count += search->moved_count < DISPLACED_PROOFS;
}

static void read_candidates(struct displaced_search *search, const struct candidates *candidates,
                            size_t first, size_t count)
{
    search->moved_count = 0;
    search->single = false;
    for (size_t i = first; i < first + count; i++) {
        struct thread *thread = candidates->threads[i];
        if (!take(search, thread))
            continue;
        struct claim *claim = &thread->claim;
        uint64_t ran_ns = claim->before.run_ns - claim->seen_run;
        claim->seen_run = claim->before.run_ns;
        claim_release(thread);
        if (ran_ns)
            note_moved(search, thread, ran_ns);
    }
}

// Reading of a few threads where they are costs less than one proof by dates, and mostly leaves
// one.
static void drop_who_is_elsewhere(struct displaced_search *search)
{
    size_t count = search->moved_count, kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct displaced_moved *moved = &search->moved[i];
        if (!claim_take(moved->thread, search->by)) {
            search->busy = true;
            continue;
        }
        if (is_here(search, moved))
            search->moved[kept++] = *moved;
        claim_release(moved->thread);
    }
    search->moved_count = kept;
}

static enum displaced prove_one(struct displaced_search *search, struct thread **found)
{
    for (size_t i = 0; i < search->moved_count; i++) {
        struct thread *thread = search->moved[i].thread;
        if (!take(search, thread))
            continue;
        enum displaced now = prove(search, &search->moved[i]);
        thread->claim.moment = search->woke_at;
        *found = thread;
        if (now != DISPLACED_NONE) {
            atomic_store_explicit(&thread->claim.cpu, search->cpu, memory_order_relaxed);
            return now;
        }
        claim_release(thread);
    }
    return DISPLACED_NONE;
}

// Reads the first candidates, which use most CPU time, and of the others some in turn.
static enum displaced search_all(struct displaced_search *search,
                                 const struct candidates *candidates, struct thread **found)
{
    size_t top = candidates->count < READS_TOP ? candidates->count : READS_TOP;
    size_t others = candidates->count - top;
    read_candidates(search, candidates, 0, top);
    if (search->moved_count > 1 && search->moved_count <= FEW)
        drop_who_is_elsewhere(search);
    search->single = search->moved_count == 1 && !others && !search->busy;
    enum displaced now = prove_one(search, found);
    if (now != DISPLACED_NONE || !others)
        return now;
    size_t first = search->next_other < others ? search->next_other : 0;
    size_t count = others - first < READS_OTHERS ? others - first : READS_OTHERS;
    search->next_other = first + count;
    search->bounded |= count < others;
    read_candidates(search, candidates, top + first, count);
    return prove_one(search, found);
}

enum displaced displaced_find(struct displaced_search *search, const struct candidates *candidates,
                              int64_t woke_at, struct thread **found)
{
    search->woke_at = woke_at;
    search->own_start = 0;
    search->busy = search->bounded = false;
    if (search->soon && candidates->count) {
        own_start(search);
        search->waited = has_waited(search);
    }
    enum displaced now = search_all(search, candidates, found);
    if (now != DISPLACED_NONE)
        return now;
    return search->bounded ? DISPLACED_UNFOUND : search->busy ? DISPLACED_BUSY : DISPLACED_NONE;
}
