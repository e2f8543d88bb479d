// SPDX-License-Identifier: MIT
// Gives src/wait what it reads of the process, and checks whether its results are still true.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "dump/dumper_child.h"
#include "process/memory.h"
#include "process/space.h"
#include "symbol/headers.h"

#define QUIESCE_NS NS_PER_MS // time that threads have to block again

struct context {
    struct dumper *dumper;
    pid_t tid;   // a thread that has memory, unlike a leader that has ended
    char *shown; // the last result of `file`
};

static bool read_memory(void *context, uint64_t address, void *to, size_t length)
{
    return memory_read(((struct context *)context)->tid, address, to, length);
}

static const char *find_object(void *context, uint64_t address, uint64_t *offset)
{
    const struct dumper *dumper = ((struct context *)context)->dumper;
    return headers_object(dumper->code.image.space, address, offset);
}

static const char *find_file(void *context, uint64_t address)
{
    struct context *own = context;
    struct dumper *dumper = own->dumper;
    if (!dumper->regions.count &&
        regions_read(&dumper->regions, dumper->pid, own->tid) != RC_OK)
        return NULL;
    const struct proc_map *map = regions_find(&dumper->regions, address);
    if (!map || !*map->path)
        return NULL;
    free(own->shown);
    return own->shown = escape_text_dup(map->path);
}

static struct wait_frame *wait_frames(const struct dump_thread *thread)
{
    struct wait_frame *frames = xcalloc(thread->frame_count + 1, sizeof *frames);
    for (size_t i = 0; i < thread->frame_count; i++) {
        const struct dump_frame *frame = &thread->frames[i];
        const struct symbol *symbol = frame->symbol;
        frames[i] = (struct wait_frame){
            .pc = frame->pc,
            .sp = frame->sp,
            .name = symbol->found ? symbol->lines[symbol->line_count - 1].system_name : NULL,
        };
    }
    return frames;
}

static struct wait_thread wait_thread(const struct seen *seen)
{
    struct wait_thread thread = {
        .tid = seen->thread.tid,
        .inner_tid = seen->inner_tid,
        .state = seen->thread.state,
        .running = seen->thread.running,
        .starved = seen->thread.queued,
        .call = seen->call,
        .frames = wait_frames(&seen->thread),
        .frame_count = seen->thread.frame_count,
        .stack = seen->stack,
        .stack_length = seen->stack_length,
        .stack_address = seen->stack_address,
    };
    memcpy(thread.comm, seen->thread.comm, sizeof thread.comm);
    return thread;
}

static bool read_switches(const struct dumper *dumper, pid_t tid, uint64_t *switches)
{
    struct schedstat now;
    bool known = procfs_schedstat(dumper->pid, tid, &now) == RC_OK;
    *switches = known ? now.switches : 0;
    return known;
}

static bool is_still_there(const struct dumper *dumper, const struct seen *seen)
{
    AUTO_BUF struct buf text = {0};
    struct proc_syscall call;
    return procfs_read(&text, "/proc/%d/task/%d/syscall", (int)dumper->pid,
                       (int)seen->thread.tid) == RC_OK &&
           proc_syscall_parse(text.data, &call) && call.sp == seen->call.sp &&
           call.pc == seen->call.pc && call.number == seen->call.number &&
           call.args[0] == seen->call.args[0];
}

void dumper_quiesce(struct dumper *dumper)
{
    struct timespec moment = {.tv_nsec = QUIESCE_NS};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
    for (size_t i = 0; i < dumper->count; i++) {
        struct seen *seen = &dumper->seen[i];
        uint64_t switches;
        if (seen->thread.held && !seen->thread.running &&
            read_switches(dumper, seen->thread.tid, &switches) && is_still_there(dumper, seen))
            seen->switches = switches;
    }
}

bool dumper_has_moved(const struct dumper *dumper, const struct seen *seen)
{
    uint64_t now;
    return !read_switches(dumper, seen->thread.tid, &now) || now != seen->switches;
}

// Forgets an owner that may no longer be true. Locks were read after the threads. An owner counts
// if the thread that waits for it has not run from then until now; one that was found by what lies
// on its stack must not have run either. So all edges of a circle of waiting threads existed at one
// moment.
static void forget_stale(const struct dumper *dumper, const struct seen *waiting,
                         struct wait *wait)
{
    if (wait->owner == WAIT_NOBODY && !wait->owner_tid)
        return;
    bool stale = dumper_has_moved(dumper, waiting) ||
                 (wait->probable && wait->owner != WAIT_NOBODY &&
                  dumper_has_moved(dumper, &dumper->seen[wait->owner]));
    if (stale)
        wait_forget_owner(wait);
}

void dumper_find_waits(struct dumper *dumper, struct dump *dump)
{
    AUTO_FREE struct wait_thread *threads = xcalloc(dump->count + 1, sizeof *threads);
    struct context context = {.dumper = dumper, .tid = dumper->pid};
    for (size_t i = 0; i < dump->count; i++) {
        threads[i] = wait_thread(&dumper->seen[i]);
        if (threads[i].state != 'Z' && threads[0].state == 'Z' && context.tid == dumper->pid)
            context.tid = threads[i].tid;
    }
    struct wait_process process = {
        .pid = dumper->pid,
        .threads = threads,
        .count = dump->count,
        .context = &context,
        .read = read_memory,
        .object = find_object,
        .file = find_file,
    };
    dumper->regions.count = 0;
    wait_find_all(&process, dump->waits);
    for (size_t i = 0; i < dump->count; i++) {
        forget_stale(dumper, &dumper->seen[i], &dump->waits[i]);
        free((void *)(uintptr_t)threads[i].frames);
    }
    free(context.shown);
}
