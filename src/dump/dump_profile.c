// SPDX-License-Identifier: MIT
#include "dump/dump_profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "collect/creations.h"
#include "dump/thread_start.h"
#include "profile/filling.h"
#include "profile/place.h"
#include "profile/types.h"

struct dump_filling {
    const struct dump *dump;
    struct modules *modules;
    struct plain_profile *to;
    struct filling filling;
    struct map locations; // hash of mapping and address -> location + 1
    uint32_t *stack;      // locations of the stack at hand, leaf first
    size_t capacity;
};

static void filling_begin(struct dump_filling *own, const struct dump *dump,
                         struct modules *modules, enum profile_kind kind)
{
    *own = (struct dump_filling){.dump = dump, .modules = modules, .to = plain_new()};
    profile_type_add(&profile_types[kind], own->to);
    own->to->time = dump->wall;
    filling_init(&own->filling, own->to, modules);
}

static struct plain_profile *filling_end(struct dump_filling *own)
{
    plain_judge_mappings(own->to);
    filling_fini(&own->filling);
    map_fini(&own->locations);
    free(own->stack);
    return own->to;
}

// --- code ---

static bool is_at(const struct plain_location *location, uint32_t mapping, uint64_t address)
{
    return location->mapping == mapping && location->address == address;
}

static uint32_t location_of(struct dump_filling *own, struct location at,
                            const struct symbol_line *lines, size_t count)
{
    uint32_t mapping =
        filling_mapping(&own->filling, modules_mapping(own->modules, at.mapping));
    uint64_t address = place_address(own->modules, at);
    uint64_t hash = map_hash(address) ^ mapping;
    uint32_t known;
    while ((known = map_get(&own->locations, hash, 0)) &&
           !is_at(&own->to->code.locations[known - 1], mapping, address))
        hash = map_hash(hash);
    if (known)
        return known - 1;
    const struct plain_line *filled = filling_lines(&own->filling, lines, count);
    uint32_t number = plain_add_location(own->to, mapping, address, filled, count);
    map_put(&own->locations, hash, number + 1);
    return number;
}

// Returns an entry of our own. The offset tells entries of one name apart.
static uint32_t special(struct dump_filling *own, const char *name, uint64_t offset)
{
    const struct mapping *mapping = modules_special(own->modules, MODULE_SPECIAL, name);
    const struct symbol_line line = {.name = name, .system_name = "", .file = ""};
    return location_of(own, (struct location){mapping->id, offset}, &line, 1);
}

static uint32_t frame_location(struct dump_filling *own, const struct dump_frame *frame)
{
    uint32_t number = location_of(own, (struct location){frame->mapping, frame->offset},
                                  frame->symbol->lines, frame->symbol->line_count);
    own->to->code.locations[number].inside = filling_inside(frame->symbol);
    return number;
}

// --- labels ---

static const char *state_of(const struct dump_thread *thread)
{
    enum profile_state state = thread->queued    ? STATE_QUEUED
                               : thread->running ? STATE_RUNNING
                                                 : STATE_BLOCKED;
    return profile_state_names[state];
}

static uint32_t thread_labels(struct dump_filling *own, const struct dump_thread *thread)
{
    struct plain_profile *to = own->to;
    char tid[16];
    snprintf(tid, sizeof tid, "%d", (int)thread->tid);
    uint32_t set = plain_with_text(to, 0, "thread", thread->comm);
    set = plain_with_text(to, set, "thread_id", tid);
    set = plain_with_text(to, set, "comm", own->dump->comm);
    set = plain_with_number(to, set, "tid", thread->tid);
    return plain_with_number(to, set, "pid", own->dump->pid);
}

static uint32_t with_lock(struct plain_profile *to, uint32_t set, const struct wait *wait)
{
    char address[32];
    if (wait->kind != WAIT_LOCK || (!wait->object && !wait->object_name))
        return set;
    snprintf(address, sizeof address, "0x%" PRIx64, wait->object);
    return plain_with_text(to, set, "lock", wait->object_name ? wait->object_name : address);
}

static uint32_t with_wait(struct dump_filling *own, uint32_t set, size_t index)
{
    const struct dump_thread *thread = &own->dump->threads[index];
    const struct wait *wait = &own->dump->waits[index];
    set = plain_with_text(own->to, set, "state", state_of(thread));
    if (wait->kind == WAIT_NONE || wait->kind == WAIT_CPU)
        return set;
    set = plain_with_text(own->to, set, "wait", wait_kind_names[wait->kind]);
    return with_lock(own->to, set, wait);
}

// --- samples ---

static void add_one(struct dump_filling *own, size_t stack_length, uint32_t labels)
{
    const int64_t one = 1;
    uint32_t stack = plain_stack(own->to, own->stack, stack_length);
    plain_add(own->to, plain_sample(own->to, stack, labels), &one);
}

static size_t fill_stack(struct dump_filling *own, const struct dump_thread *thread)
{
    size_t count = 0;
    for (; count < thread->frame_count; count++) {
        ARRAY_RESERVE(own->stack, count + 1, own->capacity);
        own->stack[count] = frame_location(own, &thread->frames[count]);
    }
    if (!count || thread->end != UNWIND_BOTTOM) {
        ARRAY_RESERVE(own->stack, count + 1, own->capacity);
        own->stack[count++] = special(own, "[truncated]", thread->end);
    }
    return count;
}

struct plain_profile *dump_threads_profile(const struct dump *dump, struct modules *modules)
{
    struct dump_filling own;
    filling_begin(&own, dump, modules, PROFILE_THREADS);
    for (size_t i = 0; i < dump->count; i++) {
        const struct dump_thread *thread = &dump->threads[i];
        if (!thread->wanted)
            continue;
        uint32_t labels = with_wait(&own, thread_labels(&own, thread), i);
        add_one(&own, fill_stack(&own, thread), labels);
    }
    return filling_end(&own);
}

// Returns the location of the function, wherever in it the thread is now: so threads that started
// in the same one are together.
static uint32_t start_location(struct dump_filling *own, const struct dump_thread *thread)
{
    const struct dump_frame *frame =
        thread_start_frame(thread, thread->tid == own->dump->pid);
    if (!frame)
        return special(own, "[truncated]", thread->end);
    const struct symbol *symbol = frame->symbol;
    if (!symbol->found || symbol->offset > frame->offset)
        return frame_location(own, frame);
    struct symbol_line line = *thread_start_line(frame);
    line.line = line.column = 0;
    uint32_t number = location_of(
        own, (struct location){frame->mapping, frame->offset - symbol->offset}, &line, 1);
    own->to->code.locations[number].inside = 1;
    return number;
}

struct plain_profile *dump_starts_profile(const struct dump *dump, struct modules *modules,
                                          const struct map *known)
{
    struct dump_filling own;
    filling_begin(&own, dump, modules, PROFILE_THREADCREATE);
    ARRAY_RESERVE(own.stack, 1, own.capacity);
    for (size_t i = 0; i < dump->count; i++) {
        const struct dump_thread *thread = &dump->threads[i];
        if (!thread->wanted || map_get(known, (uint64_t)thread->tid, 0))
            continue;
        own.stack[0] = start_location(&own, thread);
        own.stack[1] = special(&own, CREATOR_NOT_SEEN, 0);
        add_one(&own, 2, thread_labels(&own, thread));
    }
    return filling_end(&own);
}
