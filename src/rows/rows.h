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
#include "rows/filter.h"
#include "rows/moment.h"

#define TREND_LENGTH 8

enum rows_window { WINDOW_1S, WINDOW_5S, WINDOW_30S, WINDOW_ALL };
extern const int rows_window_seconds[];          // [enum rows_window]; of WINDOW_ALL: 0
extern const char *const rows_window_names[];    // "1s", "5s", "30s", "all"; ends in NULL

enum rows_sort {
    SORT_SELF,       // share of the window, the function as leaf
    SORT_TOTAL,      // share of the window, anywhere in the stack
    SORT_SELF_TIME,  // since reset
    SORT_TOTAL_TIME,
    SORT_SAMPLES,    // of the window, as leaf
    SORT_THREADS,    // how many
    SORT_FUNCTION,   // by name, ascending; of threads: by their name
    SORT_MODULE,
    SORT_LINE,       // by file and line
    SORT_CPU,        // of threads
    SORT_TID,
    SORT_STATE,
    SORT_HELD,
    SORT_COUNT,
};
extern const char *const rows_sort_names[]; // of functions, up to SORT_MODULE; ends in NULL

enum rows_group { // what a tree, a flame graph and the list of threads take together
    GROUP_ALL,    // all threads. In the list of threads: each thread, as GROUP_TID
    GROUP_NAME,   // threads of a name
    GROUP_TID,    // each thread
};
extern const char *const rows_group_names[]; // "merged", "by name", "by thread"; ends in NULL

struct rows_query { // zeroed: the last second of everything, most self time first
    enum rows_window window;
    enum rows_sort sort;
    bool reversed;
    struct filter filter;
    enum rows_group group;
    bool inverted; // of a tree or flame graph: leaves are roots
};

// Shares are taken of samples or of values. For the type that a profile shows first they are of
// samples in the short windows, which have them at once, and of values (CPU time, which is known a
// second later) over all. For a type that is asked for, such as wall time, they are of values,
// because sleeping threads may be looked at more seldom than running ones.
enum rows_measure { MEASURE_SAMPLES, MEASURE_TIME };
enum rows_measure rows_measure(const struct rows_query *query);

// Returns a part of all in percent.
double rows_percent(enum rows_measure measure, struct cost part, struct cost all);

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

// --- Tree ---

// Nodes stand in the order of a depth-first walk, heaviest child first: nodes[i + 1] is the first
// child of node i if it has one, nodes[i].next is its next sibling or what comes behind its parent.
// Who skips what lies below a collapsed node goes on at `next`.
struct tree_node {
    uint64_t id;        // of the path of functions from the root: follows the node through moments
    uint32_t next;      // index behind all descendants
    uint32_t parent;    // index, UINT32_MAX of a root
    uint32_t depth;     // 0 of a root
    uint32_t repeat;    // direct recursion that was folded into this node: 1, or how deep it went
    uint32_t children;
    const struct function *function; // NULL: a thread or a group of them, see `label`
    const char *label;  // name of the thread with GROUP_NAME and GROUP_TID, else NULL. Raw
    pid_t tid;          // with GROUP_TID
    bool inlined;       // every time it was seen here
    const char *file;   // of its hottest line here, "": not known
    uint32_t line;
    struct cost self, total; // in the window. Inverted: total is what reaches its root this way,
                             // self what begins here (the root of the stack)
};

struct tree {
    struct tree_node *nodes; // owned
    size_t count;
    struct cost all;
    enum rows_measure measure; // of what was asked for
    size_t folded; // nodes left out because they are below 1/10000 of all (inverted trees only)
};

enum rc rows_tree(const struct moment *moment, const struct rows_query *query, struct tree *tree,
                  struct err *err) MUST_CHECK;
void tree_fini(struct tree *tree);

// Returns the index of the node with that id, or UINT32_MAX.
uint32_t tree_find(const struct tree *tree, uint64_t id);

// --- Flame ---

struct flame_cell { // sorted by depth, then start
    uint32_t depth;
    double start, width; // parts of the whole, 0..1
    uint32_t node;       // index in the tree it was made of
};

struct flame {
    struct flame_cell *cells; // owned
    size_t count;
    uint32_t depths;          // deepest + 1
};

// Makes cells of the tree, or of what lies below node `zoom` (UINT32_MAX: all): that node and its
// ancestors are then as wide as the whole. Siblings are sorted by name, so that they stay in place.
void rows_flame(const struct tree *tree, uint32_t zoom, struct flame *flame);
void flame_fini(struct flame *flame);

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

// --- As a profile ---

// Makes a profile of what the query shows, with the values of the type that is asked for. The
// caller frees it.
enum rc rows_extract(const struct moment *moment, const struct rows_query *query,
                     struct plain_profile **profile, struct err *err) MUST_CHECK;
