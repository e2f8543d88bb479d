// SPDX-License-Identifier: MIT
// Where blocked threads are inside the kernel.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dump/dumper_child.h"
#include "process/kernel_stack.h"

// Returns the mapping for the code of a frame: each kernel module is one of its own.
static const struct mapping *mapping_of(struct dumper *dumper, const struct kernel_frame *frame)
{
    AUTO_FREE char *name = xasprintf("[%s]", frame->module[0] ? frame->module : "kernel");
    return modules_special(dumper->code.modules, MODULE_KERNEL, name);
}

static struct dump_frame frame_of(struct dumper *dumper, const struct kernel_frame *frame)
{
    const struct mapping *mapping = mapping_of(dumper, frame);
    uint64_t place =
        symbolizer_kernel_place(dumper->code.symbolizer, frame->function, frame->offset);
    return (struct dump_frame){
        .interrupted = true, // the kernel shows the offset as it has to be printed
        .symbol = symbolizer_lookup(dumper->code.symbolizer, mapping->id, place),
        .module = mapping->module,
        .mapping = mapping->id,
        .offset = place,
    };
}

static void prepend(struct dumper *dumper, struct dump_thread *thread,
                    const struct kernel_stack *stack)
{
    struct dump_frame *frames = xcalloc(stack->count + thread->frame_count, sizeof *frames);
    for (size_t i = 0; i < stack->count; i++)
        frames[i] = frame_of(dumper, &stack->frames[i]);
    if (thread->frame_count)
        memcpy(frames + stack->count, thread->frames, thread->frame_count * sizeof *frames);
    free(thread->frames);
    thread->frames = frames;
    thread->frame_count += stack->count;
}

// Adds frames of the kernel. They are left out for a thread that has run since its stack was
// copied, because it may be blocked elsewhere.
void dumper_add_kernel(struct dumper *dumper, struct dump *dump)
{
    dump->kernel = DUMP_KERNEL_ABSENT;
    for (size_t i = 0; i < dump->count && dump->kernel != DUMP_KERNEL_DENIED; i++) {
        struct dump_thread *thread = &dump->threads[i];
        struct kernel_stack stack;
        if (thread->running || !thread->wanted || !thread->frames)
            continue;
        enum rc rc = kernel_stack_read(dumper->pid, thread->tid, &stack);
        if (rc == RC_DENIED)
            dump->kernel = DUMP_KERNEL_DENIED;
        if (rc != RC_OK)
            continue;
        if (stack.count)
            dump->kernel = DUMP_KERNEL_READ;
        if (stack.count && !dumper_has_moved(dumper, &dumper->seen[i]))
            prepend(dumper, thread, &stack);
        kernel_stack_fini(&stack);
    }
}
