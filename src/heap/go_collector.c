// SPDX-License-Identifier: MIT
#include "heap/go_collector.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "heap/go.h"
#include "heap/word.h"

#define VARIABLE_MAX (1u << 20) // bytes
#define TRIES 5u                // of statistics that are just being changed
#define PAUSE (2 * NS_PER_MS)
#define PAGE 4096u

// --- runtime.memstats ---

// Of it, one behind the other in all releases since 1.9: when the last collection ended, all
// pauses, the last 256 of them, when each of these ended, how many there were, how many were
// forced, their share of the CPU time.
#define LAST 0u
#define TOTAL 8u
#define PAUSES 16u
#define ENDS (PAUSES + 8 * GO_PAUSES)
#define COUNT (ENDS + 8 * GO_PAUSES)
#define FORCED (COUNT + 4)
#define FRACTION (COUNT + 8)
#define LENGTH (COUNT + 16)

// No collection has been yet: nothing else of the variable is that long and all zeros.
static bool is_empty(const unsigned char *bytes)
{
    return !*bytes && memcmp(bytes, bytes + 1, LENGTH - 1) == 0;
}

// Copies the pauses, the newest first, and returns their sum.
static uint64_t take_pauses(const unsigned char *bytes, struct go_collector *collector)
{
    uint64_t sum = 0;
    collector->pause_count = collector->count < GO_PAUSES ? collector->count : GO_PAUSES;
    for (size_t i = 0; i < collector->pause_count; i++) {
        size_t at = (collector->count - 1 - i) % GO_PAUSES;
        collector->pauses[i] = word_at(bytes, PAUSES + 8 * at);
        sum += collector->pauses[i];
    }
    return sum;
}

// The last collection ended when the newest pause did, and pauses add up to their total, or to less
// when there were more of them than are kept.
static bool take(const unsigned char *bytes, struct go_collector *collector)
{
    uint64_t count = half_at(bytes, COUNT), last = word_at(bytes, LAST);
    double fraction;
    memcpy(&fraction, bytes + FRACTION, sizeof fraction);
    if (!count || !last || word_at(bytes, ENDS + 8 * ((count - 1) % GO_PAUSES)) != last ||
        !(fraction >= 0 && fraction <= 1))
        return false;
    collector->count = count;
    collector->forced = half_at(bytes, FORCED);
    collector->last = last;
    collector->pause_total = word_at(bytes, TOTAL);
    collector->cpu_fraction = fraction;
    uint64_t sum = take_pauses(bytes, collector);
    return count <= GO_PAUSES ? sum == collector->pause_total : sum <= collector->pause_total;
}

bool go_collector_find(const unsigned char *bytes, size_t size, struct go_collector *collector)
{
    for (size_t at = 0; at + LENGTH <= size; at += 8)
        if (take(bytes + at, collector))
            return true;
    *collector = (struct go_collector){0};
    for (size_t at = 0; at + LENGTH <= size; at += 8)
        if (is_empty(bytes + at))
            return true;
    return false;
}

// --- runtime.gcController ---

// Of it, from the goal that follows of GOGC on.
#define LIMIT_AT 8u       // in the whole: the memory limit
#define SWEPT 8u          // a goal that leaves time to sweep
#define TRIGGERED 16u     // bytes at which a collection began; all ones: none goes on
#define IN_USE 200u       // bytes: in use, given back, free; then allocated and freed so far
#define ALLOCATED 224u
#define FREED 232u
#define READY 240u
#define PACE_LENGTH 248u
#define NO_LIMIT INT64_MAX
#define RUNWAY (64u << 10)

static const size_t goals[] = {104, 72}; // of 1.19, 1.26

static bool agrees(const unsigned char *bytes)
{
    uint64_t in_use = word_at(bytes, IN_USE), ready = word_at(bytes, READY);
    uint64_t allocated = word_at(bytes, ALLOCATED), freed = word_at(bytes, FREED);
    for (size_t i = 0; i < 3; i++)
        if (word_at(bytes, IN_USE + 8 * i) % GO_PAGE || word_at(bytes, IN_USE + 8 * i) >> 47)
            return false;
    return in_use && allocated && allocated >= freed && allocated - freed <= in_use &&
           ready >= in_use && ready < 1ull << 47;
}

// As runtime.gcControllerState.heapGoal.
static void take_goal(const unsigned char *bytes, size_t at, struct go_collector *collector)
{
    uint64_t goal = word_at(bytes, at), swept = word_at(bytes, at + SWEPT);
    uint64_t triggered = word_at(bytes, at + TRIGGERED);
    if ((int64_t)word_at(bytes, LIMIT_AT) != NO_LIMIT) {
        collector->goal_why = "a memory limit is set, and the goal follows from more than one "
                              "figure";
        return;
    }
    goal = swept > goal ? swept : goal;
    if (triggered != UINT64_MAX && goal < triggered + RUNWAY)
        goal = triggered + RUNWAY;
    collector->goal = goal;
    if (goal == UINT64_MAX)
        collector->goal_why = "GOGC is off: no collection begins by itself";
}

bool go_collector_find_pace(const unsigned char *bytes, size_t size,
                            struct go_collector *collector)
{
    for (size_t i = 0; i < ARRAY_LENGTH(goals); i++)
        if (goals[i] + PACE_LENGTH <= size && agrees(bytes + goals[i])) {
            collector->total_alloc = word_at(bytes, goals[i] + ALLOCATED);
            take_goal(bytes, goals[i], collector);
            return true;
        }
    return false;
}

// --- of a process ---

// A page that the program never touched is all zeros. Returns false when one could not be read.
static bool read_pages(struct heap_view *view, uint64_t from, unsigned char *to, uint64_t size)
{
    struct heap_view_counts before = view->counts;
    heap_view_forget(view);
    memset(to, 0, size);
    for (uint64_t at = 0, length; at < size; at += length) {
        length = PAGE - (from + at) % PAGE;
        length = length < size - at ? length : size - at;
        const void *bytes = heap_view_window(view, from + at, length, from + size);
        if (bytes)
            memcpy(to + at, bytes, length);
    }
    return view->counts.swapped == before.swapped && view->counts.failed == before.failed;
}

// Returns whether what was read of a variable makes sense; it is read again if not.
static bool read_variable(struct heap_target *target, const char *name, const char **why,
                          bool (*find)(const unsigned char *, size_t, struct go_collector *),
                          struct go_collector *collector)
{
    uint64_t at, size;
    *why = "the program has no symbols of Go's runtime";
    if (!heap_target_variable(target, NULL, name, &at, &size))
        return false;
    *why = "its statistics are none of a known form";
    size = size < VARIABLE_MAX ? size : VARIABLE_MAX;
    AUTO_FREE unsigned char *bytes = xcalloc(size + 1, 1);
    for (unsigned i = 0; i < TRIES; i++) {
        if (i)
            nanosleep(&(struct timespec){.tv_nsec = PAUSE}, NULL);
        if (read_pages(&target->view, at, bytes, size) && find(bytes, size, collector)) {
            *why = NULL;
            return true;
        }
    }
    return false;
}

void go_collector_read(struct heap_target *target, struct go_collector *collector)
{
    const char *why, *pace_why;
    *collector = (struct go_collector){0};
    read_variable(target, "runtime.memstats", &why, go_collector_find, collector);
    read_variable(target, "runtime.gcController", &pace_why, go_collector_find_pace, collector);
    collector->why = why;
    collector->pace_why = pace_why;
}
