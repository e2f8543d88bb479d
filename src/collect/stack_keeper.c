// SPDX-License-Identifier: MIT
#include "collect/stack_keeper.h"

#include <stdlib.h>

#include "base/mem.h"
#include "process/space.h"

void stack_keeper_init(struct stack_keeper *keeper, struct profile *profile,
                       struct modules *modules, size_t max_depth)
{
    keeper->profile = profile;
    // A stack may have two locations more: a system call and a cut.
    keeper->locations = xcalloc(max_depth + 2, sizeof *keeper->locations);
    keeper->kernel = modules_special(modules, MODULE_KERNEL, "[kernel]");
    keeper->unknown = modules_special(modules, MODULE_ANON, "[unknown]");
    keeper->truncated = modules_special(modules, MODULE_SPECIAL, "[truncated]");
}

void stack_keeper_fini(struct stack_keeper *keeper)
{
    free(keeper->locations);
    cuts_fini(&keeper->cuts);
}

static uint32_t location_of(struct stack_keeper *keeper, struct space *space,
                            const struct unwind_frame *frame)
{
    uint64_t pc = frame->pc - !frame->interrupted, offset;
    const struct area *area = space_locate(space, pc, &offset);
    const struct mapping *mapping = area ? space_mapping(space, area, pc) : keeper->unknown;
    return profile_location(keeper->profile, mapping->id, offset);
}

uint32_t stack_keeper_keep(struct stack_keeper *keeper, struct space *space,
                           const struct capture *capture, const struct unwind_result *stack)
{
    size_t count = 0;
    if (capture->flags & CAPTURE_IN_SYSCALL)
        keeper->locations[count++] = profile_location(
            keeper->profile, keeper->kernel->id, (uint64_t)capture->syscall);
    for (size_t i = 0; i < stack->count; i++)
        keeper->locations[count++] = location_of(keeper, space, &stack->frames[i]);
    if (stack->end != UNWIND_BOTTOM)
        keeper->locations[count++] =
            profile_location(keeper->profile, keeper->truncated->id, stack->end);
    return profile_stack(keeper->profile, keeper->locations, count);
}

void stack_keeper_note_cut(struct stack_keeper *keeper, const struct space *space,
                           const struct unwind_result *stack)
{
    const struct area *area = space_find(space, stack->frames[stack->count - 1].pc);
    const struct mapping *mapping = area ? area->mapping : keeper->unknown;
    cuts_add(&keeper->cuts, mapping->module->id, stack->end);
}
