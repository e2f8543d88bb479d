// SPDX-License-Identifier: MIT
#include "session/stack_hint.h"

#define LEAST (4u << 10)
#define MARGIN (2u << 10)
#define STACKS_NEW 16     // so many stacks long a thread counts as new: its next may be deeper
#define FORGETS_NEW 4     // one part in so many of what was not needed, with each stack
#define FORGETS 256
#define STEADY 16 // stacks in a row: now it is a thread's stack, not one of many coroutines

static void learn_bytes(struct stack_hint *hint, const struct unwind_result *stack)
{
    uint32_t wanted = stack->stack_needed + stack->stack_needed / 4 + MARGIN;
    uint32_t before = hint->stacks ? hint->bytes : STACK_FIRST;
    uint32_t forgets = hint->stacks < STACKS_NEW ? FORGETS_NEW : FORGETS;
    if (stack->end == UNWIND_SHORT)
        wanted = STACK_MAX; // all there may be
    else if (wanted < before)
        wanted = before - (before - wanted) / forgets;
    hint->bytes = wanted < LEAST ? LEAST : wanted > STACK_MAX ? STACK_MAX : wanted;
    hint->stacks++;
}

void stack_hint_learn(struct stack_hint *hint, uint64_t sp, const struct unwind_result *stack)
{
    uint64_t root = sp + stack->stack_needed;
    learn_bytes(hint, stack);
    if (stack->end == UNWIND_BOTTOM) {
        hint->steady = root == hint->root ? hint->steady + 1 : 0;
        hint->root = root;
    } else if (stack->end == UNWIND_SHORT)
        hint->root = hint->steady = 0; // it goes on above that
}

void stack_hint_tell(const struct stack_hint *hint, struct control *control, uint32_t thread)
{
    uint32_t slot = thread % STACK_HINTS;
    atomic_store_explicit(&control->stack_hint[slot], hint->bytes, memory_order_relaxed);
    atomic_store_explicit(&control->stack_reach[slot], stack_hint_reach(hint),
                          memory_order_relaxed);
    atomic_store_explicit(&control->stack_root[slot], stack_hint_root(hint), memory_order_relaxed);
}

uint64_t stack_hint_root(const struct stack_hint *hint)
{
    return hint->steady ? hint->root : 0;
}

uint32_t stack_hint_reach(const struct stack_hint *hint)
{
    return hint->steady < STEADY ? STACK_FIRST : STACK_MAX;
}
