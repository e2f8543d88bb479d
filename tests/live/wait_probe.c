// SPDX-License-Identifier: MIT
// wait_probe PID: why each thread of a process waits, and the verdict, as one line of JSON. Threads
// are read in place, none is stopped.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "symbol/symbolizer.h"
#include "target/memory.h"
#include "target/module.h"
#include "unwind/space_unwinder.h"
#include "wait/deadlock.h"

#define STACK_MAX 65536u
#define DEPTH_MAX 64

struct probe {
    pid_t pid;
    struct modules *modules;
    struct space *space;
    struct unwinder *unwinder;
    struct symbolizer *symbolizer;
    struct wait_thread *threads;
    size_t count, capacity;
    struct capture *capture;
    char *file; // what `file` gave last
};

static const char *function_at(struct probe *probe, uint64_t pc)
{
    const struct area *area = space_find(probe->space, pc);
    if (!area)
        return NULL;
    const struct mapping *mapping = area->mapping;
    const struct symbol *symbol = symbolizer_lookup(
        probe->symbolizer, mapping->id, pc - area->start + mapping->offset);
    return symbol->found ? symbol->lines[symbol->line_count - 1].system_name : NULL;
}

// A caller's stack pointer is right above its return address.
static uint64_t find_return(const struct capture *capture, uint64_t pc, uint64_t above)
{
    uint64_t value, base = capture->regs.rsp;
    for (uint64_t at = above; at + 8 <= base + capture->stack_length; at += 8) {
        memcpy(&value, capture->stack + (at - base), sizeof value);
        if (value == pc)
            return at + 8;
    }
    return 0;
}

static void unwind(struct probe *probe, struct wait_thread *thread)
{
    struct capture *capture = probe->capture;
    memset(capture, 0, sizeof *capture);
    capture->regs.rsp = thread->call.sp;
    capture->regs.rip = thread->call.pc;
    capture->stack_asked = STACK_MAX;
    capture->stack_length =
        (uint32_t)memory_read_some(probe->pid, thread->call.sp, capture->stack, STACK_MAX);
    struct unwind_result result = unwinder_walk(probe->unwinder, capture);
    struct wait_frame *frames = xcalloc(result.count, sizeof *frames);
    uint64_t sp = thread->call.sp;
    for (size_t i = 0; i < result.count; i++) {
        const struct unwind_frame *frame = &result.frames[i];
        uint64_t found = i ? find_return(capture, frame->pc, sp) : sp;
        sp = found ? found : sp;
        frames[i] = (struct wait_frame){
            frame->pc, found, function_at(probe, frame->pc - !frame->interrupted)};
    }
    thread->frames = frames;
    thread->frame_count = result.count;
    unsigned char *stack = xmalloc(capture->stack_length + 1);
    memcpy(stack, capture->stack, capture->stack_length);
    thread->stack = stack;
    thread->stack_length = capture->stack_length;
}

static void see(void *context, pid_t tid)
{
    struct probe *probe = context;
    AUTO_BUF struct buf text = {0};
    struct wait_thread thread = {.tid = tid};
    struct proc_status status;
    if (procfs_status(tid, &status) != RC_OK ||
        procfs_comm(probe->pid, tid, thread.comm) != RC_OK ||
        procfs_read(&text, "/proc/%d/task/%d/syscall", probe->pid, tid) != RC_OK)
        return;
    thread.inner_tid = status.inner_pid;
    thread.state = status.state;
    thread.running = !proc_syscall_parse(text.data, &thread.call);
    if (!thread.running)
        unwind(probe, &thread);
    ARRAY_RESERVE(probe->threads, probe->count, probe->capacity);
    probe->threads[probe->count++] = thread;
}

static bool read_memory(void *context, uint64_t address, void *to, size_t length)
{
    return memory_read(((struct probe *)context)->pid, address, to, length);
}

static const char *file_at(void *context, uint64_t address)
{
    struct probe *probe = context;
    const struct area *area = space_find(probe->space, address);
    if (!area)
        return NULL;
    free(probe->file);
    return probe->file = escape_text_dup(area->mapping->module->path);
}

static void print_text(const char *key, const char *text)
{
    AUTO_BUF struct buf out = {0};
    escape_json(&out, text ? text : "");
    printf("\"%s\":\"%s\",", key, out.data ? out.data : "");
}

static void print_wait(const struct wait_thread *thread, const struct wait *wait)
{
    printf("{\"tid\":%d,", thread->tid);
    print_text("name", thread->comm);
    print_text("kind", wait_kind_names[wait->kind]);
    print_text("syscall", wait->syscall);
    print_text("text", wait->text);
    print_text("object_kind", wait->object_kind);
    print_text("leaf", thread->frame_count ? thread->frames[0].name : NULL);
    printf("\"object\":%" PRIu64 ",\"owner\":%d,\"known\":%s,\"probable\":%s,", wait->object,
           wait->owner_tid, wait->owner != WAIT_NOBODY ? "true" : "false",
           wait->probable ? "true" : "false");
    const struct wait_frame *frame = NULL;
    printf("\"timed\":%s,\"owner_frame\":%d,\"frames\":[", wait->timed ? "true" : "false",
           wait->owner_frame == WAIT_NOBODY ? -1 : (int)wait->owner_frame);
    for (size_t i = 0; i < thread->frame_count && i < 8; i++) {
        AUTO_BUF struct buf out = {0};
        frame = &thread->frames[i];
        escape_json(&out, frame->name ? frame->name : "?");
        printf("%s\"%s\"", i ? "," : "", out.data);
    }
    printf("]}");
}

static void print_verdicts(const struct probe *probe, const struct wait *waits)
{
    static const char *const kinds[] = {"none", "chain", "deadlock", "probable deadlock"};
    struct verdict *verdicts;
    size_t count = deadlock_find(waits, probe->count, &verdicts);
    for (size_t i = 0; i < count; i++) {
        printf("%s{\"kind\":\"%s\",\"waiting\":%zu,\"chain\":[", i ? "," : "",
               kinds[verdicts[i].kind], verdicts[i].waiting);
        for (size_t k = 0; k < verdicts[i].count; k++)
            printf("%s%d", k ? "," : "", probe->threads[verdicts[i].chain[k]].tid);
        printf("]}");
    }
    verdicts_free(verdicts, count);
}

static void find_and_print(struct probe *probe)
{
    struct wait_process process = {
        .pid = probe->pid,
        .threads = probe->threads,
        .count = probe->count,
        .context = probe,
        .read = read_memory,
        .file = file_at,
    };
    AUTO_FREE struct wait *waits = xcalloc(probe->count + 1, sizeof *waits);
    int64_t begin = clock_now();
    wait_find_all(&process, waits);
    printf("{\"find_ns\":%" PRId64 ",\"waits\":[", clock_now() - begin);
    for (size_t i = 0; i < probe->count; i++) {
        printf(i ? "," : "");
        print_wait(&probe->threads[i], &waits[i]);
    }
    printf("],\"verdicts\":[");
    print_verdicts(probe, waits);
    printf("]}\n");
    for (size_t i = 0; i < probe->count; i++)
        wait_fini(&waits[i]);
}

int main(int argc, char **argv)
{
    struct probe probe = {.pid = argc == 2 ? atoi(argv[1]) : 0};
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", probe.pid);
    AUTO_FD int task = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (probe.pid <= 0 || task < 0) {
        fprintf(stderr, "usage: wait_probe PID\n");
        return 2;
    }
    probe.modules = modules_new();
    probe.space = space_new(probe.modules, probe.pid, probe.pid);
    probe.unwinder = space_unwinder_new(probe.space, DEPTH_MAX);
    probe.symbolizer = symbolizer_new(probe.modules);
    probe.capture = xmalloc(sizeof *probe.capture + STACK_MAX);
    bool changed;
    if (space_refresh(probe.space, probe.pid, &changed) != RC_OK ||
        procfs_each_number(task, see, &probe) != RC_OK)
        return 1;
    find_and_print(&probe);
    for (size_t i = 0; i < probe.count; i++) {
        free((void *)(uintptr_t)probe.threads[i].frames);
        free((void *)(uintptr_t)probe.threads[i].stack);
    }
    free(probe.threads);
    free(probe.capture);
    free(probe.file);
    symbolizer_free(probe.symbolizer);
    unwinder_free(probe.unwinder);
    space_free(probe.space);
    modules_free(probe.modules);
    return 0;
}
