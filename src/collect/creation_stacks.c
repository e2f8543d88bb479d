// SPDX-License-Identifier: MIT
#include "collect/creation_stacks.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "process/perf_registers.h"

#define KNOWN_MAX 256 // stacks; then all are forgotten

struct known_frame {
    uint64_t above; // where its return address lies, in bytes from the leaf's stack pointer
    uint64_t pc;
};

struct known_stack {
    const struct process_image *image;
    int64_t refreshed_at; // the maps that it was found by
    uint64_t pc;
    struct known_frame *callers; // owned
    size_t count;
    uint32_t node;
};

void creation_stacks_init(struct creation_stacks *stacks, struct profile *profile,
                          struct modules *modules, size_t max_depth, uint32_t stack_bytes)
{
    stack_keeper_init(&stacks->keeper, profile, modules, max_depth);
    stacks->capture = xcalloc(1, sizeof *stacks->capture + stack_bytes);
    stacks->stack_bytes = stack_bytes;
}

static void forget(struct creation_stacks *stacks)
{
    for (size_t i = 0; i < stacks->count; i++)
        free(stacks->known[i].callers);
    stacks->count = 0;
}

void creation_stacks_fini(struct creation_stacks *stacks)
{
    forget(stacks);
    stack_keeper_fini(&stacks->keeper);
    free(stacks->known);
    free(stacks->capture);
}

static void fill_capture(struct creation_stacks *stacks, const struct perf_record *record)
{
    struct capture *capture = stacks->capture;
    size_t length = record->stack_length;
    length = length < stacks->stack_bytes ? length : stacks->stack_bytes;
    *capture = (struct capture){
        .time = record->time,
        .stack_length = (uint32_t)length,
        .stack_asked = stacks->stack_bytes,
        .regs = perf_registers(record->registers),
    };
    memcpy(capture->stack, record->stack, length);
}

// --- stacks that were seen before ---

static bool is_known(const struct known_stack *known, const struct perf_record *record,
                     uint64_t leaf)
{
    bool same = known->pc == leaf;
    for (size_t i = 0; same && i < known->count; i++) {
        const struct known_frame *caller = &known->callers[i];
        uint64_t pc = 0;
        same = caller->above + sizeof pc <= record->stack_length;
        if (same)
            memcpy(&pc, (const char *)record->stack + caller->above, sizeof pc);
        same = same && pc == caller->pc;
    }
    return same;
}

// Returns whether its code is known to be mapped still.
static bool is_true(const struct known_stack *known, int64_t time)
{
    struct space *space = known->image->space;
    bool holds = space_is_true(space, known->pc, time);
    for (size_t i = 0; holds && i < known->count; i++)
        holds = space_is_true(space, known->callers[i].pc - 1, time);
    return holds;
}

static uint32_t find_known(const struct creation_stacks *stacks,
                           const struct process_image *image, const struct perf_record *record)
{
    struct registers registers = perf_registers(record->registers);
    uint64_t leaf = registers_pc(&registers);
    for (size_t i = 0; i < stacks->count; i++) {
        const struct known_stack *known = &stacks->known[i];
        if (known->image == image && known->refreshed_at == image->refreshed_at &&
            is_known(known, record, leaf) && is_true(known, record->time))
            return known->node;
    }
    return 0;
}

// Fills in where return addresses lie: right below the stack pointer of the frame that they return
// to. Returns false when one of them is not there, as where the stack changes.
static bool find_callers(const struct capture *capture, const struct unwind_result *stack,
                         struct known_frame *callers)
{
    for (size_t i = 1; i < stack->count; i++) {
        const struct unwind_frame *frame = &stack->frames[i];
        uint64_t above = frame->sp - sizeof frame->pc - capture_sp(capture), pc = 0;
        if (!frame->sp || frame->interrupted || above > capture->stack_length - sizeof pc)
            return false;
        memcpy(&pc, capture->stack + above, sizeof pc);
        if (pc != frame->pc)
            return false;
        callers[i - 1] = (struct known_frame){above, pc};
    }
    return true;
}

static void remember(struct creation_stacks *stacks, const struct process_image *image,
                     const struct unwind_result *stack, uint32_t node)
{
    const struct capture *capture = stacks->capture;
    AUTO_FREE struct known_frame *callers = xcalloc(stack->count, sizeof *callers);
    if (stack->end != UNWIND_BOTTOM || capture->stack_length < sizeof(uint64_t) ||
        !find_callers(capture, stack, callers))
        return;
    if (stacks->count == KNOWN_MAX)
        forget(stacks);
    ARRAY_RESERVE(stacks->known, stacks->count, stacks->capacity);
    stacks->known[stacks->count++] = (struct known_stack){
        .image = image,
        .refreshed_at = image->refreshed_at,
        .pc = capture_pc(capture),
        .callers = steal_ptr(&callers),
        .count = stack->count - 1,
        .node = node,
    };
}

uint32_t creation_stacks_node(struct creation_stacks *stacks, struct process_image *image,
                              const struct perf_record *record)
{
    struct unwind_result stack;
    if (!record->stack || record->register_count != perf_registers_count || !image->space)
        return 0;
    uint32_t node = find_known(stacks, image, record);
    stacks->repeated += node != 0;
    if (node)
        return node;
    fill_capture(stacks, record);
    if (!process_image_walk(image, record->tid, stacks->capture, &stack))
        return 0;
    stacks->cut += stack.end != UNWIND_BOTTOM;
    node = stack_keeper_keep(&stacks->keeper, image->space, stacks->capture, &stack);
    remember(stacks, image, &stack, node);
    return node;
}
