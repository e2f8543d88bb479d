// SPDX-License-Identifier: MIT
// Makes threads with frames from the records of a census.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "dump/dumper_child.h"
#include "process/space.h"

#define REFRESH_NS (100 * NS_PER_MS) // least time between two reads of maps because of unknown pcs
#define KEPT_MAX ((size_t)256 << 20) // bytes of all stacks together
#define STACK_MARGIN (2u << 10)

// --- memory of the process, for its unwinder ---

void dumper_refresh(struct dumper *dumper, pid_t tid)
{
    struct process_image *image = &dumper->code.image;
    if (!image->space || !process_image_refresh(image, tid)) // or it executed another program
        process_image_load(image, dumper->code.modules, dumper->pid, tid, 0, dumper->code.walker);
}

// Unwinds a capture. A pc that is not in a known mapping may belong to a library that was loaded
// since the maps were read.
static struct unwind_result unwind(struct dumper *dumper, pid_t tid, const struct capture *capture)
{
    struct process_image *image = &dumper->code.image;
    struct unwind_result stack = walked_walk(image->walked, capture);
    bool stale = space_is_empty(image->space) || clock_now() - image->refreshed_at > REFRESH_NS;
    if (process_image_is_true(image, capture, &stack) &&
        (!stale || process_image_holds(image, &stack)))
        return stack;
    dumper_refresh(dumper, tid);
    return walked_walk(image->walked, capture);
}

// --- threads ---

static struct dump_frame frame_of(struct dumper *dumper, const struct unwind_frame *frame)
{
    uint64_t offset;
    const struct area *area =
        space_locate(dumper->code.image.space, frame->pc - !frame->interrupted, &offset);
    const struct mapping *mapping = area ? area->mapping : dumper->code.unknown;
    dumper_names_want(dumper->code.names, mapping->id, offset);
    return (struct dump_frame){
        .pc = frame->pc,
        .sp = frame->sp,
        .interrupted = frame->interrupted,
        .module = area ? mapping->module : NULL,
        .mapping = mapping->id,
        .offset = offset,
    };
}

// Keeps the stack, which is scanned for the addresses of locks later. What lies above the root
// frame is not kept.
static void keep_stack(struct dumper *dumper, struct seen *seen, const struct capture *capture,
                       const struct unwind_result *stack)
{
    size_t length = stack->end == UNWIND_BOTTOM && stack->stack_needed < capture->stack_length
                        ? stack->stack_needed
                        : capture->stack_length;
    if (dumper->stack_bytes + length > KEPT_MAX)
        return;
    dumper->stack_bytes += length;
    seen->stack = xmalloc(length ? length : 1);
    memcpy(seen->stack, capture->stack, length);
    seen->stack_length = length;
    seen->stack_address = capture_sp(capture);
}

static void plan_next(struct seen *seen, const struct capture *capture,
                      const struct unwind_result *stack)
{
    bool longer = stack_windows_is_behind(capture, stack) && capture->stack_asked < STACK_MAX;
    uint32_t wanted = stack->stack_needed + stack->stack_needed / 4 + STACK_MARGIN;
    bool windows = stack_windows_learn(&seen->windows, capture, stack);
    seen->plan = (struct stack_plan){
        .bytes = longer || wanted > STACK_MAX ? STACK_MAX : wanted};
    stack_windows_plan(&seen->windows, &seen->plan);
    seen->cut = longer || windows;
}

static void take_stack(struct dumper *dumper, struct seen *seen, const struct capture *capture)
{
    struct unwind_result stack = unwind(dumper, seen->thread.tid, capture);
    plan_next(seen, capture, &stack);
    seen->thread.end = stack.end;
    seen->thread.frame_count = stack.count;
    seen->thread.frames = xcalloc(stack.count, sizeof *seen->thread.frames);
    for (size_t i = 0; i < stack.count; i++)
        seen->thread.frames[i] = frame_of(dumper, &stack.frames[i]);
    keep_stack(dumper, seen, capture, &stack);
}

static enum dump_problem problem_of(uint32_t flags, bool wanted)
{
    static const struct {
        uint32_t flag;
        enum dump_problem problem;
    } problems[] = {
        {CENSUS_MOVED, DUMP_MOVED},
        {CENSUS_DENIED, DUMP_DENIED},
        {CENSUS_REFUSED, DUMP_REFUSED},
        {CENSUS_UNSTOPPED, DUMP_UNSTOPPED},
        {CENSUS_STARVED, DUMP_STARVED},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(problems); i++)
        if (flags & problems[i].flag && !(flags & CENSUS_HELD))
            return problems[i].problem;
    return flags & (CENSUS_HELD | CENSUS_CALL) ? DUMP_FINE : wanted ? DUMP_UNREAD : DUMP_UNWANTED;
}

static const struct proc_syscall no_call = {.number = WAIT_CALL_UNKNOWN};

static struct seen *seen_of(struct dumper *dumper, pid_t tid)
{
    uint32_t index = map_get(&dumper->index, (uint64_t)tid, 0);
    if (index)
        return &dumper->seen[index - 1];
    ARRAY_RESERVE(dumper->seen, dumper->count, dumper->capacity);
    map_put(&dumper->index, (uint64_t)tid, (uint32_t)dumper->count + 1);
    struct seen *seen = &dumper->seen[dumper->count++];
    *seen = (struct seen){
        .thread = {.tid = tid, .state = '?'},
        .call = no_call,
    };
    return seen;
}

// Returns whether the record has a stack; that of a zombie has none.
bool dumper_has_stack(const struct census_record *record)
{
    return record->flags & (CENSUS_HELD | CENSUS_CALL) && capture_pc(&record->capture);
}

void dumper_see(struct dumper *dumper, const struct census_record *record)
{
    struct seen *seen = seen_of(dumper, record->thread.tid);
    uint32_t flags = record->flags;
    if (seen->thread.frames && !(flags & (CENSUS_HELD | CENSUS_CALL)))
        return; // an earlier record has more
    free(seen->stack);
    free(seen->thread.frames);
    const struct in_place_thread *from = &record->thread;
    bool running = flags & CENSUS_RUNNING;
    bool wanted = thread_filter_matches(dumper->threads, from->comm);
    bool asleep = !running && from->asleep_since && from->state != 'Z';
    *seen = (struct seen){
        .flags = flags,
        .inner_tid = record->inner_tid,
        .switches = from->stat.switches,
        .call = flags & (CENSUS_HELD | CENSUS_CALL) ? from->call : no_call,
        .windows = seen->windows,
        .thread = {
            .tid = from->tid,
            .state = running ? 'R' : from->state,
            .running = running,
            .queued = flags & CENSUS_QUEUED,
            .held = flags & CENSUS_HELD,
            .wanted = wanted,
            .problem = problem_of(flags, wanted),
            .cpu_ns = from->stat.run_ns,
            .queued_ns = from->stat.wait_ns,
            .blocked_ns = asleep ? clock_now() - from->asleep_since : 0,
        },
    };
    memcpy(seen->thread.comm, from->comm, sizeof seen->thread.comm);
    if (dumper_has_stack(record))
        take_stack(dumper, seen, &record->capture);
}

void dumper_give_up(struct dumper *dumper, pid_t tid)
{
    struct seen *seen = seen_of(dumper, tid);
    if (seen->thread.frames)
        return;
    seen->thread.problem = DUMP_UNREAD;
    if (procfs_comm(dumper->pid, tid, seen->thread.comm) != RC_OK)
        seen->thread.comm[0] = '\0';
    seen->thread.wanted = thread_filter_matches(dumper->threads, seen->thread.comm);
}
