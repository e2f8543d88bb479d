// SPDX-License-Identifier: MIT
#include "collect/stack_windows.h"

#include <string.h>

// What is missing within so many bytes behind a piece belongs to it.
#define BEHIND (16u << 10)
#define WINDOW_FIRST (8u << 10)
#define GROWS 4     // a window that was too short becomes this many times longer
#define FORGOTTEN 512 // a window is dropped after so many captures in which no walk read it
#define PAGE 4096u

static bool is_behind(uint64_t end, uint64_t address)
{
    return address - end < BEHIND;
}

bool stack_windows_is_behind(const struct capture *capture, const struct unwind_result *stack)
{
    return stack->end == UNWIND_SHORT && capture->stack_length == capture->stack_asked &&
           is_behind(capture_sp(capture) + capture->stack_length, stack->missed);
}

static size_t find(const struct stack_windows *windows, uint64_t place)
{
    size_t i = 0;
    while (i < STACK_WINDOWS && windows->places[i] != place)
        i++;
    return i;
}

static void note_use(struct stack_windows *windows, const struct capture *capture,
                     const struct unwind_result *stack)
{
    for (size_t i = 0; i < STACK_WINDOWS; i++)
        windows->unused[i] += windows->places[i] != 0;
    for (unsigned i = 0; i < capture->window_count; i++) {
        size_t at = find(windows, capture->windows[i].place);
        if (at < STACK_WINDOWS && stack->windows_used >> i & 1)
            windows->unused[at] = 0;
    }
    for (size_t i = 0; i < STACK_WINDOWS; i++)
        if (windows->unused[i] >= FORGOTTEN)
            windows->places[i] = windows->unused[i] = 0;
}

// Returns a free place, or that of the window that has gone unread for longest.
static size_t place_for_one(const struct stack_windows *windows)
{
    size_t at = find(windows, 0);
    if (at < STACK_WINDOWS)
        return at;
    at = 0;
    for (size_t i = 1; i < STACK_WINDOWS; i++)
        if (windows->unused[i] > windows->unused[at])
            at = i;
    return at;
}

static void add(struct stack_windows *windows, uint64_t place, uint32_t length)
{
    if (find(windows, place) < STACK_WINDOWS)
        return;
    size_t at = place_for_one(windows);
    windows->places[at] = place;
    windows->lengths[at] = length;
    windows->unused[at] = 0;
}

// Makes a window longer if the walk ended right behind it and no page of it was missing.
static bool grow(struct stack_windows *windows, const struct capture *capture, uint64_t missed)
{
    for (unsigned i = 0; i < capture->window_count; i++) {
        const struct stack_window *window = &capture->windows[i];
        uint64_t end = window->address + window->length;
        size_t at = find(windows, window->place);
        if (at == STACK_WINDOWS || end < window->anchor + window->asked ||
            !is_behind(end, missed) || windows->lengths[at] >= WINDOW_MAX)
            continue;
        uint32_t longer = windows->lengths[at] * GROWS;
        windows->lengths[at] = longer < WINDOW_MAX ? longer : WINDOW_MAX;
        return true;
    }
    return false;
}

// Returns whether a window was asked for at the address and no page is there.
static bool is_missing(const struct capture *capture, uint64_t missed)
{
    for (unsigned i = 0; i < capture->window_count; i++)
        if (!capture->windows[i].length && capture->windows[i].anchor / PAGE == missed / PAGE)
            return true;
    return false;
}

static void add_missed(struct stack_windows *windows, uint64_t sp, uint64_t missed)
{
    const uint64_t kind = WINDOW_KIND_BITS;
    uint64_t distance = missed - sp;
    bool moves_along = distance == windows->distance && missed != windows->missed;
    if (moves_along && missed > sp && (distance & ~kind))
        add(windows, (distance & ~kind) | WINDOW_ABOVE_SP, WINDOW_FIRST);
    else if (missed & ~kind)
        add(windows, (missed & ~kind) | WINDOW_AT, WINDOW_FIRST);
    windows->missed = missed;
    windows->distance = distance;
}

static uint64_t place_of_second(const struct unwind_result *stack)
{
    if (!stack->second_hop || stack->second_hop != (int16_t)stack->second_hop)
        return stack->second_at | WINDOW_POINTER;
    return stack->second_at | WINDOW_HOP | (uint64_t)stack->second_hop << WINDOW_HOP_SHIFT;
}

bool stack_windows_learn(struct stack_windows *windows, const struct capture *capture,
                         const struct unwind_result *stack)
{
    note_use(windows, capture, stack);
    if (stack->second_at) {
        uint64_t place = place_of_second(stack);
        bool asked = find(windows, place) < STACK_WINDOWS;
        add(windows, place, 0);
        return !asked;
    }
    if (!stack->missed || is_missing(capture, stack->missed) ||
        stack_windows_is_behind(capture, stack))
        return false;
    if (!grow(windows, capture, stack->missed))
        add_missed(windows, capture_sp(capture), stack->missed);
    return true;
}

void stack_windows_plan(const struct stack_windows *windows, struct stack_plan *plan)
{
    memcpy(plan->places, windows->places, sizeof plan->places);
    memcpy(plan->lengths, windows->lengths, sizeof plan->lengths);
}
