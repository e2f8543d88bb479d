// SPDX-License-Identifier: MIT
#include "collect/spots.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "process/memory.h"
#include "process/space.h"
#include "symbol/headers.h"
#include "symbol/syscall_name.h"
#include "wait/sort.h"

#define SPOTS_MAX 65536 // that are told apart by what is waited for
#define FRAMES_MAX 12   // that are looked at for names of locks

void spots_init(struct spots *spots, struct profile *profile)
{
    *spots = (struct spots){.profile = profile};
}

void spots_fini(struct spots *spots)
{
    locks_fini(&spots->locks);
    map_fini(&spots->index);
    free(spots->list);
}

// --- what is asked of the process ---

// Stands for one that has ended, or runs another program since: there is nobody to ask.
static const struct process gone;

struct asking {
    const struct process *process;
    pid_t tid; // a thread that has memory, unlike a leader that has ended
    char *shown;
};

static bool read_memory(void *context, uint64_t address, void *to, size_t length)
{
    const struct asking *asking = context;
    pid_t pid = asking->process->pid;
    if (!pid)
        return false;
    return memory_read(asking->tid, address, to, length) || // or that thread has ended
           (pid != asking->tid && memory_read(pid, address, to, length));
}

static const char *find_object(void *context, uint64_t address, uint64_t *offset)
{
    struct space *space = ((struct asking *)context)->process->image.space;
    return space ? headers_object(space, address, offset) : NULL;
}

static const char *find_file(void *context, uint64_t address)
{
    struct asking *asking = context;
    struct space *space = asking->process->image.space;
    const struct area *area = space ? areas_find_module(space_areas(space), address) : NULL;
    free(asking->shown);
    return asking->shown = area ? escape_text_dup(area->mapping->module->path) : NULL;
}

// --- sorting ---

static bool is_futex(const struct spot *spot)
{
    const char *name = spot->call.number >= 0 ? syscall_name(spot->call.number) : NULL;
    return name && (strncmp(name, "futex", 5) == 0 || strcmp(name, "restart_syscall") == 0);
}

static const char *label_of(const struct wait_sort *sort, char text[32])
{
    if (sort->object_name || !sort->object)
        return sort->object_name;
    snprintf(text, 32, "%#" PRIx64, sort->object);
    return text;
}

static void keep(struct spots *spots, struct spot *spot, struct wait_sort *sort)
{
    char address[32];
    uint32_t wait = (uint32_t)(spot - spots->list) + 1;
    bool lock = sort->kind == WAIT_LOCK;
    spot->sorted = true;
    spot->lock = lock ? locks_meet(&spots->locks, spot->process, sort, wait) : 0;
    profile_wait_set(spots->profile, wait, sort->label, label_of(sort, address),
                     (struct profile_wait){.lock = lock,
                                           .inferred = lock && !sort->owner_at,
                                           .idle = sort->idle});
    if (spot->lock)
        locks_delay(&spots->locks, spot->lock, spot->delay_ns, spot->contentions);
    if (spot->lock || !lock)
        spot->delay_ns = spot->contentions = 0;
    free(sort->object_name);
}

// The innermost functions of the process itself.
static size_t name_frames(const struct spots *spots, uint32_t stack, struct symbolizer *symbolizer,
                          struct wait_frame frames[FRAMES_MAX])
{
    size_t count = 0;
    for (uint32_t at = stack; at && count < FRAMES_MAX;
         at = profile_node(spots->profile, at).parent) {
        struct location place =
            profile_location_get(spots->profile, profile_node(spots->profile, at).location);
        const struct symbol *symbol = symbolizer_lookup(symbolizer, place.mapping, place.offset);
        const struct symbol_line *line = &symbol->lines[symbol->line_count - 1];
        if (count || strncmp(line->name, "sys_", 4) != 0)
            frames[count++].name = symbol->found ? line->system_name : NULL;
    }
    return count;
}

// Spots of one process are sorted together, because the threads that may own what is waited for are
// looked up for all of them.
struct batch {
    const struct process *process;       // or `gone`
    const struct population *population; // NULL: no owner is looked for
    struct symbolizer *symbolizer;       // NULL: names do not matter
    uint32_t *chosen;                    // indices of spots
    size_t count;
};

static struct wait_thread *threads_of(const struct batch *batch, size_t *owners)
{
    size_t capacity = 0;
    struct wait_thread *threads = NULL;
    *owners = 0;
    for (struct account *thread = NULL; batch->population &&
         (thread = population_next(batch->population, batch->process, thread));) {
        pid_t inner_tid = thread->delays.inner_tid;
        if (!inner_tid && !batch->process->nested) // no look has met it yet
            inner_tid = thread->tid;
        ARRAY_RESERVE(threads, *owners, capacity);
        threads[(*owners)++] =
            (struct wait_thread){.tid = thread->tid, .inner_tid = inner_tid, .running = true};
    }
    return xrealloc(threads, (*owners + batch->count) * sizeof *threads);
}

static void sort_batch(struct spots *spots, const struct batch *batch)
{
    size_t owners;
    AUTO_FREE struct wait_thread *threads = threads_of(batch, &owners);
    AUTO_FREE struct wait_frame *frames = xcalloc(batch->count * FRAMES_MAX, sizeof *frames);
    AUTO_FREE struct wait_sort *sorts = xcalloc(batch->count, sizeof *sorts);
    struct asking asking = {.process = batch->process, .tid = spots->list[batch->chosen[0]].tid};
    for (size_t i = 0; i < batch->count; i++) {
        const struct spot *spot = &spots->list[batch->chosen[i]];
        struct wait_frame *own = frames + i * FRAMES_MAX;
        threads[owners + i] =
            (struct wait_thread){.state = spot->state, .call = spot->call, .frames = own};
        if (batch->symbolizer)
            threads[owners + i].frame_count =
                name_frames(spots, spot->stack, batch->symbolizer, own);
    }
    struct wait_process asked = {
        .pid = batch->process->pid,
        .threads = threads,
        .count = owners + batch->count,
        .context = &asking,
        .read = read_memory,
        .object = find_object,
        .file = find_file,
    };
    wait_sort(&asked, owners, sorts);
    for (size_t i = 0; i < batch->count; i++)
        keep(spots, &spots->list[batch->chosen[i]], &sorts[i]);
    free(asking.shown);
}

// --- spots ---

static uint64_t key_of(const struct spot *spot)
{
    uint64_t key = map_hash((uint64_t)spot->process << 32 | spot->stack);
    key = map_hash(key ^ (uint64_t)spot->call.number);
    return map_hash(key ^ spot->call.args[0]);
}

static bool add(struct spots *spots, struct spot *spot)
{
    struct proc_stat stat;
    ARRAY_RESERVE(spots->list, spots->count, spots->capacity);
    bool known = procfs_stat(spot->tid, spot->tid, &stat) == RC_OK;
    spot->state = known ? stat.state : 'S';
    spots->list[spots->count++] = *spot;
    return profile_wait_add(spots->profile) == spots->count;
}

uint32_t spots_at(struct spots *spots, const struct process *process, pid_t tid,
                  const struct capture *capture, uint32_t stack)
{
    struct spot spot = {.process = process->number,
                        .image = process->image.number,
                        .stack = stack,
                        .tid = tid};
    spot.call.number = capture->flags & CAPTURE_IN_SYSCALL ? capture->syscall : -1;
    if (spot.call.number >= 0)
        registers_arguments(&capture->regs, spot.call.args);
    spot.call.sp = capture_sp(capture);
    spot.call.pc = capture_pc(capture);
    if (spots->count >= SPOTS_MAX) // then they are told apart by the system call
        spot.stack = 0, spot.call.args[0] = 0;
    uint64_t key = key_of(&spot);
    uint32_t wait = map_get(&spots->index, key, 0);
    if (wait || spots->count >= 2 * SPOTS_MAX || !add(spots, &spot))
        return wait;
    wait = (uint32_t)spots->count;
    map_put(&spots->index, key, wait);
    if (!is_futex(&spot)) // no name is needed
        sort_batch(spots, &(struct batch){process, NULL, NULL, &(uint32_t){wait - 1}, 1});
    return wait;
}

void spots_delay(struct spots *spots, uint32_t wait, uint64_t ns, uint64_t contentions)
{
    struct spot *spot = &spots->list[wait - 1];
    if (spot->lock) {
        locks_delay(&spots->locks, spot->lock, ns, contentions);
    } else if (!spot->sorted || profile_wait_get(spots->profile, wait)->lock) {
        spot->delay_ns += ns;
        spot->contentions += contentions;
    }
}

void spots_settle_last(struct spots *spots, locks_unseen *unseen, void *context)
{
    for (size_t i = 0; i < spots->count; i++) {
        struct spot *spot = &spots->list[i];
        uint32_t wait = (uint32_t)i + 1;
        if (profile_wait_get(spots->profile, wait)->lock && spot->delay_ns)
            profile_add(spots->profile, unseen(context, wait), spot->contentions, spot->delay_ns);
        spot->delay_ns = spot->contentions = 0;
    }
}

uint32_t spots_lock(const struct spots *spots, uint32_t wait)
{
    return wait ? spots->list[wait - 1].lock : 0;
}

static bool is_named(const struct spots *spots, uint32_t stack, size_t named)
{
    for (uint32_t at = stack; at; at = profile_node(spots->profile, at).parent)
        if (profile_node(spots->profile, at).location >= named)
            return false;
    return true;
}

static bool is_ready(const struct spots *spots, const struct spot *spot, size_t named)
{
    return !spot->sorted && is_named(spots, spot->stack, named);
}

// Sorts all that are ready of the process, and of the image, of the first one.
static void sort_process(struct spots *spots, struct batch *batch, size_t first, size_t named)
{
    const struct spot *like = &spots->list[first];
    const struct process *process = population_process(batch->population, like->process);
    if (process && process->image.number == like->image)
        batch->process = process;
    else
        batch->population = NULL;
    for (size_t i = first; i < spots->count; i++)
        if (spots->list[i].process == like->process && spots->list[i].image == like->image &&
            is_ready(spots, &spots->list[i], named))
            batch->chosen[batch->count++] = (uint32_t)i;
    sort_batch(spots, batch);
}

bool spots_sort(struct spots *spots, const struct population *population,
                struct symbolizer *symbolizer, size_t named)
{
    bool any = false, all = true;
    AUTO_FREE uint32_t *chosen = xcalloc(spots->count - spots->sorted + 1, sizeof *chosen);
    for (size_t i = spots->sorted; i < spots->count; i++) {
        struct batch batch = {&gone, population, symbolizer, chosen, 0};
        if (is_ready(spots, &spots->list[i], named)) {
            sort_process(spots, &batch, i, named);
            any = true;
        }
        all &= spots->list[i].sorted;
        spots->sorted += all;
    }
    return any;
}

bool spots_wait_for_names(const struct spots *spots)
{
    return spots->sorted < spots->count;
}

void spots_renumber(struct spots *spots, const uint32_t *stacks)
{
    map_clear(&spots->index);
    for (size_t i = 0; i < spots->count; i++) {
        spots->list[i].stack = stacks[spots->list[i].stack];
        map_put(&spots->index, key_of(&spots->list[i]), (uint32_t)i + 1);
    }
}
