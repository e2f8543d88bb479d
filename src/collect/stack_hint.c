// SPDX-License-Identifier: MIT
#include "collect/stack_hint.h"

#define LEAST (4u << 10)
#define MARGIN (2u << 10)
#define STACKS_NEW 16     // a thread is new for so many stacks: its next one may be deeper
#define FORGETS_NEW 4     // with each stack, one part in so many of what was not needed is dropped
#define FORGETS 256
// After so many stacks in a row with one root it is a thread's stack, not one of many coroutines.
#define STEADY 16

static void learn_bytes(struct stack_hint *hint, const struct capture *capture,
                        const struct unwind_result *stack)
{
    uint32_t wanted = stack->stack_needed + stack->stack_needed / 4 + MARGIN;
    uint32_t before = hint->bytes ? hint->bytes : STACK_FIRST;
    uint32_t forgets = hint->stacks < STACKS_NEW ? FORGETS_NEW : FORGETS;
    if (stack_windows_is_behind(capture, stack))
        wanted = STACK_MAX; // as much as possible
    else if (wanted < before)
        wanted = before - (before - wanted) / forgets;
    hint->bytes = wanted < LEAST ? LEAST : wanted > STACK_MAX ? STACK_MAX : wanted;
    hint->stacks++;
}

static void learn_root(struct stack_hint *hint, const struct unwind_result *stack)
{
    if (stack->end == UNWIND_BOTTOM) {
        hint->steady = stack->root == hint->root ? hint->steady + 1 : 0;
        hint->root = stack->root;
    } else if (stack->end == UNWIND_SHORT)
        hint->root = hint->steady = 0; // the stack goes on above that root
}

// Remembers the stretch of pages that the stack has used: such pages stay.
static void learn_pages(struct stack_hint *hint, const struct capture *capture)
{
    uint64_t start = capture_sp(capture) - capture->red_zone;
    uint64_t end = capture_sp(capture) + capture->stack_length;
    if (!capture->stack_length)
        return;
    if (start > hint->there_end || end < hint->there) {
        hint->there = start;
        hint->there_end = end;
    }
    hint->there = start < hint->there ? start : hint->there;
    hint->there_end = end > hint->there_end ? end : hint->there_end;
}

void stack_hint_learn(struct stack_hint *hint, const struct capture *capture,
                      const struct unwind_result *stack)
{
    hint->lacked += stack_windows_learn(&hint->windows, capture, stack) ||
                    (stack_windows_is_behind(capture, stack) && capture->stack_asked < STACK_MAX);
    learn_pages(hint, capture);
    if (stack->second_at) // how much of the second stack is needed is not known yet
        return;
    learn_bytes(hint, capture, stack);
    learn_root(hint, stack);
}

void stack_hint_bound(struct stack_hint *hint, uint64_t start, uint64_t end)
{
    hint->there = start;
    hint->there_end = end;
}

void stack_hint_plan(const struct stack_hint *hint, struct stack_plan *plan)
{
    *plan = (struct stack_plan){
        .bytes = hint->bytes,
        .reach = hint->steady < STEADY ? STACK_FIRST : STACK_MAX,
        .root = hint->steady ? hint->root : 0,
        .there = hint->there,
        .there_end = hint->there_end,
        .version = hint->lacked,
    };
    stack_windows_plan(&hint->windows, plan);
}
