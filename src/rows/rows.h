// SPDX-License-Identifier: MIT
// Pure functions make rows of a moment; the screen, the batch mode, JSON and writers print them.
// The same moment and query always give the same rows in the same order. All texts are borrowed
// from the moment and are raw bytes of the target: whoever prints them escapes them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "profile/cost.h"
#include "rows/moment.h"
#include "rows/rows_query.h"
#include "rows/rows_tree.h"

// --- Top: functions ---

struct function_row {
    uint64_t id;             // struct function's
    const struct function *function;
    bool inlined;            // every time it was seen
    const char *file;        // of its hottest line, "": not known
    uint32_t line;
    struct cost self, total; // in the window
    struct cost self_all, total_all; // since reset
    uint32_t threads;        // distinct ones that it was seen in, in the window
    const char *wait, *lock; // what most of `total` was waited for (main_wait.h); "": not known
    float trend[TREND_LENGTH]; // self, percent of all, in the last windows; oldest first
};

struct function_rows {
    struct function_row *rows; // owned
    size_t count;
    struct cost all;           // in the window: what 100 % is
    struct cost all_all;       // since reset
    size_t trend_count;        // how many windows at the end of the trends are complete, <= 8
};

// Functions with no sample in the window are rows too if they have any since reset. RC_USAGE when
// the filter's terms cannot be understood (rows is then empty).
enum rc rows_functions(const struct moment *moment, const struct rows_query *query,
                       struct function_rows *rows, struct err *err) MUST_CHECK;
void function_rows_fini(struct function_rows *rows);

// --- Callers and callees ---

struct call_row {
    const struct function *function; // NULL: none (the function was the root, or the leaf)
    uint64_t id;                     // 0 then
    struct cost cost; // of stacks in which it calls the function in question, or is called by it
};

struct call_rows {
    struct function_row function;
    struct call_row *callers, *callees; // owned; most first
    size_t caller_count, callee_count;
    struct cost all; // in the window
};

// Direct recursion is left out. RC_GONE when no function has that id.
enum rc rows_calls(const struct moment *moment, const struct rows_query *query, uint64_t function,
                   struct call_rows *rows, struct err *err) MUST_CHECK;
void call_rows_fini(struct call_rows *rows);

// --- Threads ---

struct thread_row {
    pid_t pid, tid;    // tid: of the first one in a group of more
    uint32_t count;    // of the group; 1 without groups
    const char *name;  // raw
    char state;        // '?': not known; of a group, that of the most active one
    bool ended;
    struct cost cost;      // in the window
    struct cost cost_all;  // since reset
    double cpu_percent;    // of one CPU, in the window
    int64_t held_ns;       // since reset
    const struct function *where; // leaf of its hottest stack in the window that is not in the
                                  // kernel, NULL: it was not seen (on a CPU, unless of wall time)
    const char *wait;      // struct thread_fact's, "" when it runs
    pid_t owner;
};

struct thread_rows {
    struct thread_row *rows; // owned
    size_t count;
    struct cost all;
    bool cpu_known; // else no CPU time is known yet, and cpu_percent is 0
};

// Rows are all threads that live, and those that ended within the window. They are sorted by CPU%
// unless sort is one of theirs (SORT_SELF and the like mean SORT_CPU).
enum rc rows_threads(const struct moment *moment, const struct rows_query *query,
                     struct thread_rows *rows, struct err *err) MUST_CHECK;
void thread_rows_fini(struct thread_rows *rows);

// --- One thread's stack ---

#define STACKS_SHOWN 16

struct stack_rows {
    struct stack_row *rows; // owned; one stack behind the other
    size_t count;           // 0: the thread was not seen on a CPU lately
    size_t stacks;
    bool windowed;          // all of them are of the query's window
    struct cost all;        // of the thread in the window
    const char *wait;       // of a thread that sleeps, read where it does: why; else NULL
};

// Rows are the stack that a thread sleeps in, if the moment has it; otherwise those in which it was
// seen on a CPU in the window of the query, most seen first, at most STACKS_SHOWN; otherwise the
// newest one before.
void rows_stack(const struct moment *moment, const struct rows_query *query, pid_t tid,
                struct stack_rows *rows);
void stack_rows_fini(struct stack_rows *rows);

// Makes a profile of what the query shows, with the values of the type that is asked for. The
// caller frees it.
enum rc rows_extract(const struct moment *moment, const struct rows_query *query,
                     struct plain_profile **profile, struct err *err) MUST_CHECK;
