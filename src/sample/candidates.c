// SPDX-License-Identifier: MIT
#include "sample/candidates.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sample/report.h"

struct list_in_making {
    struct control *control;
    const struct thread_filter *threads;
    struct candidates *list;
};

static void add(void *context, struct thread *thread)
{
    const struct list_in_making *making = context;
    if (thread->gone || thread->process->gone ||
        !report_known_thread(making->control, making->threads, thread))
        return;
    claim_open(thread);
    making->list->threads[making->list->count++] = thread;
}

static uint64_t lately_ns(const struct thread *thread)
{
    return thread->busy_ns + thread->last.run_ns - thread->report.run;
}

static int by_use(const void *a, const void *b)
{
    uint64_t of_a = lately_ns(*(struct thread *const *)a);
    uint64_t of_b = lately_ns(*(struct thread *const *)b);
    return of_a > of_b ? -1 : of_a < of_b;
}

struct candidates *candidates_new(const struct roster *roster, const struct thread_filter *threads)
{
    bool small = roster_is_small(roster);
    size_t most = small ? roster_threads(roster) : roster->hot_count;
    struct candidates *list = xcalloc(1, sizeof *list + most * sizeof *list->threads);
    struct list_in_making making = {roster->control, threads, list};
    roster_each_likely(roster, add, &making);
    if (!small)
        qsort(list->threads, list->count, sizeof(struct thread *), by_use);
    return list;
}

bool candidates_are_same(const struct candidates *a, const struct candidates *b)
{
    return a->count == b->count &&
           (!a->count || !memcmp(a->threads, b->threads, a->count * sizeof *a->threads));
}
