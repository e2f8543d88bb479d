// SPDX-License-Identifier: MIT
// From the records of a census to threads with frames.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "dump/dumper_child.h"
#include "unwind/space_unwinder.h"

#define DEPTH_MAX 4096
#define REFRESH_NS (100 * NS_PER_MS) // least time between two reads of maps for unknown pcs
#define KEPT_MAX ((size_t)256 << 20) // bytes of stacks in all
#define STACK_MARGIN (2u << 10)

// --- memory of the process, for its unwinder ---

// The maps of a leader that has ended are empty: any thread of it has them.
static void begin_space(struct dumper *dumper, pid_t tid)
{
    unwinder_free(dumper->unwinder);
    space_free(dumper->space);
    dumper->space = space_new(dumper->modules, dumper->pid, tid);
    dumper->unwinder = space_unwinder_new(dumper->space, DEPTH_MAX);
}

static void refresh(struct dumper *dumper, pid_t tid)
{
    bool changed = false;
    dumper->refreshed_at = clock_now();
    enum rc rc = dumper->space ? space_refresh(dumper->space, tid, &changed) : RC_GONE;
    if (rc == RC_GONE) // or it executed another program
        begin_space(dumper, tid);
    else if (changed)
        unwinder_flush(dumper->unwinder);
}

void dumper_refresh(struct dumper *dumper)
{
    refresh(dumper, dumper->pid);
}

static bool is_mapped(const struct dumper *dumper, const struct unwind_result *stack)
{
    return space_find(dumper->space, stack->frames[0].pc) &&
           (stack->end == UNWIND_BOTTOM ||
            space_find(dumper->space, stack->frames[stack->count - 1].pc));
}

// Another library may have come to lie where one was closed.
static bool is_true(const struct dumper *dumper, const struct unwind_result *stack, int64_t time)
{
    bool all = true;
    for (size_t i = 0; i < stack->count && all; i++)
        all = space_is_true(dumper->space, stack->frames[i].pc, time);
    return all;
}

// A pc that nothing is known of may belong to a library loaded since the maps were read.
static struct unwind_result unwind(struct dumper *dumper, pid_t tid, const struct capture *capture)
{
    struct unwind_result stack = unwinder_walk(dumper->unwinder, capture);
    bool stale = space_is_empty(dumper->space) || clock_now() - dumper->refreshed_at > REFRESH_NS;
    if (is_true(dumper, &stack, capture->time) && (!stale || is_mapped(dumper, &stack)))
        return stack;
    refresh(dumper, tid);
    return unwinder_walk(dumper->unwinder, capture);
}

// --- threads ---

static struct dump_frame frame_of(struct dumper *dumper, const struct unwind_frame *frame)
{
    uint64_t pc = frame->interrupted ? frame->pc : frame->pc - 1;
    const struct area *area = space_find(dumper->space, pc);
    const struct mapping *mapping = area ? area->mapping : dumper->unknown;
    bool by_address = mapping->module->kind == MODULE_ANON;
    uint64_t offset = by_address ? pc : pc - area->start + mapping->offset;
    dumper_names_want(dumper->names, mapping->id, offset);
    return (struct dump_frame){
        .pc = frame->pc,
        .sp = frame->sp,
        .interrupted = frame->interrupted,
        .module = area ? mapping->module : NULL,
        .mapping = mapping->id,
        .offset = offset,
    };
}

// Scanned for the addresses of locks later: what lies above the root frame is nobody's.
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
    if (!capture_pc(capture))
        return; // a zombie
    struct unwind_result stack = unwind(dumper, seen->thread.tid, capture);
    plan_next(seen, capture, &stack);
    seen->thread.end = stack.end;
    seen->thread.frame_count = stack.count;
    seen->thread.frames = xcalloc(stack.count, sizeof *seen->thread.frames);
    for (size_t i = 0; i < stack.count; i++)
        seen->thread.frames[i] = frame_of(dumper, &stack.frames[i]);
    keep_stack(dumper, seen, capture, &stack);
}

static bool is_wanted(const struct dumper *dumper, const char *comm)
{
    return !dumper->has_threads || regexec(&dumper->threads, comm, 0, NULL, 0) == 0;
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

void dumper_see(struct dumper *dumper, const struct census_record *record)
{
    struct seen *seen = seen_of(dumper, record->thread.tid);
    uint32_t flags = record->flags;
    if (seen->thread.frames && !(flags & (CENSUS_HELD | CENSUS_CALL)))
        return; // seen better before
    free(seen->stack);
    free(seen->thread.frames);
    const struct in_place_thread *from = &record->thread;
    bool running = flags & CENSUS_RUNNING, wanted = is_wanted(dumper, from->comm);
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
    if (flags & (CENSUS_HELD | CENSUS_CALL))
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
    seen->thread.wanted = is_wanted(dumper, seen->thread.comm);
}
