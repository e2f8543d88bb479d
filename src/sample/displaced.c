// SPDX-License-Identifier: MIT
#include "sample/displaced.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sample/watched.h"

#define READS_MAX 128  // of schedstat in one search, 0.4 us each
#define PROOFS_MAX 12  // of sched, 4 us each
#define SAME_NS 1000   // a tick of the scheduler may have dated us anew
#define NEVER_OFF_NS (4 * NS_PER_US) // what a thread that ran all the time may seem to have missed

void displaced_init(struct displaced_search *search, int by, int cpu)
{
    *search = (struct displaced_search){.by = by, .cpu = cpu};
    search->own_fd = open("/proc/thread-self/sched", O_RDONLY | O_CLOEXEC);
}

void displaced_fini(struct displaced_search *search)
{
    if (search->own_fd >= 0)
        close(search->own_fd);
}

uint64_t displaced_exec_start(const char *text)
{
    const char *at = strstr(text, "se.exec_start");
    char *point;
    at = at ? strchr(at, ':') : NULL;
    if (!at)
        return 0;
    uint64_t ms = strtoull(at + 1, &point, 10);
    return *point == '.' ? ms * NS_PER_MS + strtoull(point + 1, NULL, 10) : 0;
}

static uint64_t own_start(struct displaced_search *search)
{
    char text[CLAIM_TEXT];
    if (search->own_start || search->own_fd < 0)
        return search->own_start;
    ssize_t got = pread(search->own_fd, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    return search->own_start = displaced_exec_start(text);
}

// Since it was stopped last it ran or waited all the time, up to now, and what it waited for is
// over: so it has just come off its CPU. Not proof enough where threads give way to each other.
static bool never_slept(const struct claim *claim, const struct schedstat *now, int64_t woke_at)
{
    if (!claim->exact_at || now->run_ns < claim->exact.run_ns)
        return false;
    uint64_t seen = now->run_ns - claim->exact.run_ns + now->wait_ns - claim->exact.wait_ns;
    return (int64_t)seen >= woke_at - claim->exact_at - NEVER_OFF_NS;
}

static char state_of(const char *stat)
{
    const char *at = strrchr(stat, ')');
    return at && at[1] ? at[2] : '?';
}

// Without dates: whether it waits for this CPU. It may have waited before us, which is found out
// when it has been stopped.
static bool waits_here(struct displaced_search *search, struct thread *thread)
{
    char text[CLAIM_TEXT];
    return claim_text(thread, -1, "stat", text) && state_of(text) == 'R' &&
           proc_stat_cpu(text) == search->cpu;
}

static bool came_off_as_we_came(struct displaced_search *search, struct thread *thread)
{
    char text[CLAIM_TEXT];
    if (search->proofs == 0) {
        search->bounded = true;
        return false;
    }
    search->proofs--;
    uint64_t start = claim_text(thread, thread->claim.sched_fd, "sched", text)
                         ? displaced_exec_start(text) : 0;
    if (!start || !own_start(search))
        return waits_here(search, thread);
    return start <= search->own_start && search->own_start - start <= SAME_NS;
}

static bool is_asleep(struct thread *thread)
{
    struct proc_syscall call;
    char text[CLAIM_TEXT];
    if (!thread->process->no_syscall)
        return claim_call(thread, &call);
    return claim_text(thread, -1, "stat", text) && state_of(text) != 'R';
}

static enum displaced examine(struct displaced_search *search, struct thread *thread)
{
    struct claim *claim = &thread->claim;
    if (!claim_read(thread, &claim->before) || claim->before.run_ns == claim->seen_run)
        return DISPLACED_NONE; // it has not run since it was read last
    claim->seen_run = claim->before.run_ns;
    bool ran_on = search->single && never_slept(claim, &claim->before, search->woke_at);
    if (!ran_on && !came_off_as_we_came(search, thread))
        return DISPLACED_NONE;
    if (!is_asleep(thread))
        return DISPLACED_RUNNING;
    return !ran_on || came_off_as_we_came(search, thread) ? DISPLACED_ASLEEP : DISPLACED_NONE;
}

static enum displaced try(struct displaced_search *search, struct thread *thread)
{
    if (search->reads == 0) {
        search->bounded = true;
        return DISPLACED_NONE;
    }
    if (!claim_take(thread, search->by)) {
        search->busy = true;
        return DISPLACED_NONE;
    }
    search->reads--;
    enum displaced now = thread->gone || thread->skipped ? DISPLACED_NONE
                                                         : examine(search, thread);
    thread->claim.moment = search->woke_at;
    if (now != DISPLACED_NONE)
        atomic_store_explicit(&thread->claim.cpu, search->cpu, memory_order_relaxed);
    else
        claim_release(thread);
    return now;
}

enum displaced displaced_find(struct displaced_search *search, const struct candidates *candidates,
                              int64_t woke_at, struct thread **found)
{
    search->woke_at = woke_at;
    search->own_start = 0;
    search->reads = READS_MAX;
    search->proofs = PROOFS_MAX;
    search->busy = search->bounded = false;
    search->single = candidates->count == 1;
    if (search->soon && candidates->count)
        own_start(search);
    size_t first = candidates->count ? search->searches++ % candidates->count : 0;
    for (int elsewhere = 0; elsewhere <= 1; elsewhere++) { // those that were last found here first
        for (size_t i = 0; i < candidates->count; i++) {
            struct thread *thread = candidates->threads[(first + i) % candidates->count];
            int cpu = atomic_load_explicit(&thread->claim.cpu, memory_order_relaxed);
            if ((cpu != search->cpu) != elsewhere)
                continue;
            enum displaced now = try(search, thread);
            *found = thread;
            if (now != DISPLACED_NONE)
                return now;
        }
    }
    return search->bounded ? DISPLACED_UNFOUND : search->busy ? DISPLACED_BUSY : DISPLACED_NONE;
}
