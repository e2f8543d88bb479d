// SPDX-License-Identifier: MIT
#include "dump/dump.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

const char *const dump_problem_texts[] = {
    [DUMP_FINE] = "",
    [DUMP_MOVED] = "it ran while it was read: the stack may be a mix",
    [DUMP_DENIED] = "its registers are not for us: run as its user or as root, with "
                    "CAP_DAC_READ_SEARCH beside CAP_SYS_PTRACE, or with --stop-all",
    [DUMP_REFUSED] = "it runs, and somebody else traces it",
    [DUMP_UNSTOPPED] = "it runs, and did not stop in time",
    [DUMP_STARVED] = "it runs, and the time was over before it got a CPU to stop on",
    [DUMP_UNREAD] = "reading it took too long",
    [DUMP_UNWANTED] = "it runs, and was left alone",
};

bool dump_in_kernel(const struct dump_frame *frame)
{
    return frame->module && frame->module->kind == MODULE_KERNEL;
}

void dump_fini(struct dump *dump)
{
    for (size_t i = 0; i < dump->count; i++) {
        free(dump->threads[i].frames);
        wait_fini(&dump->waits[i]);
    }
    verdicts_free(dump->verdicts, dump->verdict_count);
    free(dump->threads);
    free(dump->waits);
    free(dump->exe);
    *dump = (struct dump){0};
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_owned(const struct wait *wait)
{
    return wait->kind == WAIT_LOCK || wait->kind == WAIT_JOIN || wait->owner != WAIT_NOBODY ||
           wait->owner_tid;
}

// Returns whether two waits are alike. Threads of a pool each sleep on a condition, connection or
// timeout of their own. A wait for another thread is alike only if it is for the same one.
static bool waits_alike(const struct wait *a, const struct wait *b)
{
    if (is_owned(a) || is_owned(b))
        return same_text(a->text, b->text);
    return a->kind == b->kind && same_text(a->syscall, b->syscall) &&
           same_text(a->object_kind, b->object_kind) && !a->text == !b->text;
}

static bool is_alike(const struct dump *dump, size_t a, size_t b)
{
    const struct dump_thread *one = &dump->threads[a], *other = &dump->threads[b];
    bool same = one->state == other->state && one->running == other->running &&
                one->queued == other->queued && one->problem == other->problem &&
                one->end == other->end && one->frame_count == other->frame_count &&
                waits_alike(&dump->waits[a], &dump->waits[b]);
    for (size_t i = 0; same && i < one->frame_count; i++)
        same = one->frames[i].pc == other->frames[i].pc &&
               (one->frames[i].pc || one->frames[i].offset == other->frames[i].offset);
    return same;
}

static uint64_t likeness(const struct dump_thread *thread)
{
    uint64_t hash = (uint64_t)thread->state;
    for (size_t i = 0; i < thread->frame_count; i++)
        hash = map_hash(hash ^ thread->frames[i].pc);
    return hash;
}

// When two groups share a hash, the later one is found under the hash of that hash.
void dump_group(const struct dump *dump, size_t *groups)
{
    struct map first = {0}; // hash -> index + 1
    for (size_t i = 0; i < dump->count; i++) {
        groups[i] = DUMP_NO_GROUP;
        if (!dump->threads[i].wanted)
            continue;
        uint64_t hash = likeness(&dump->threads[i]);
        uint32_t found;
        while ((found = map_get(&first, hash, 0)) && !is_alike(dump, found - 1, i))
            hash = map_hash(hash);
        if (!found)
            map_put(&first, hash, (uint32_t)i + 1);
        groups[i] = found ? found - 1 : i;
    }
    map_fini(&first);
}
