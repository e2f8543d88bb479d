// SPDX-License-Identifier: MIT
// The state is what the user has chosen: view, query, cursor. A picture follows from a snapshot,
// the state and the size of the screen.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "rows/rows.h"
#include "tui/keymap.h"
#include "tui/views.h"

#define DELAY_LEAST (200 * NS_PER_MS)
#define DELAY_MOST (10LL * NS_PER_S)
#define PATH_MOST 32 // visited functions of the calls view, to go back to

enum overlay { OVERLAY_NONE, OVERLAY_HELP, OVERLAY_THREADS, OVERLAY_SORT, OVERLAY_LABELS };

enum prompt {
    PROMPT_NONE,
    PROMPT_SEARCH,
    PROMPT_FILTER,
    PROMPT_DELAY,
    PROMPT_SAVE,
    PROMPT_SAVE_SCREEN,
};

// Filters in the order in which they were set, so that Esc takes back the last one.
enum crumb { CRUMB_THREAD, CRUMB_MODULE, CRUMB_TERMS, CRUMB_COUNT };

struct cursor {
    uint64_t id;  // row that the cursor follows; 0: it stays in the first row
    size_t at;    // its row
    size_t first; // first visible row
    int scroll;   // columns by which names are shifted
};

struct sorting {
    enum rows_sort by;
    bool reversed;
};

struct state {
    struct rows_query query; // its filter borrows the texts below; its order is unused
    char *filters[CRUMB_COUNT];    // texts; owned, NULL: none
    enum crumb crumbs[CRUMB_COUNT];
    size_t crumb_count;

    enum view_id tab;  // the last one with a tab
    enum view_id view; // what is shown
    struct cursor cursors[VIEW_COUNT];
    struct sorting sortings[VIEW_COUNT];
    struct {
        uint64_t ids[PATH_MOST]; // of functions; the last one is shown
        size_t length;
    } path;           // calls
    pid_t stack_tid;  // stack: the thread

    struct {
        struct map folds; // id -> enum fold
        bool all_open;    // whether nodes that are not in folds are open
        bool known;       // the heaviest path has been opened
    } tree;
    uint64_t zoom;    // flame: id of the node that is the root; 0: the whole graph

    enum overlay overlay;
    struct cursor menu; // in the overlay
    enum prompt prompt;
    char *text;         // of the prompt; owned, not NULL while there is a prompt
    size_t search_from; // row at which a search began
    char *search;       // owned, NULL: none

    bool frozen, paused;
    int64_t frozen_at; // clock of snapshots
    struct {
        bool lines, verbose, mangled;
        bool bar; // the function bar
        int64_t delay;
    } wanted;
    struct {
        enum subject subject;
        char *label; // by which samples are told apart in place of threads; owned, NULL: by them
    } file;
    struct {
        char *text; // owned, NULL: none; the next key clears it
        bool bad;
    } message;
};

enum fold { FOLD_OPEN = 1, FOLD_CLOSED };

void state_init(struct state *state, enum rows_sort sort, int64_t delay, bool bar);
void state_fini(struct state *state);

// Replaces the message of the message line. A NULL format clears it.
void state_say(struct state *state, bool bad, const char *format, ...) PRINTF_LIKE(3, 4);

// Shows that type of profile (PROFILE_CPU, WALL, BLOCK or MUTEX). Tables that have a delay only
// then are sorted by it, unless the user has chosen an order.
void state_measure(struct state *state, enum profile_kind kind);

// Shows the value with this number of a file's profile.
void state_value(struct state *state, const struct plain_profile *profile, size_t number);

// Returns the query of the shown view.
struct rows_query state_query(const struct state *state);

// Forgets which nodes are open and zoomed to, because the tree will have other nodes.
void state_forget_tree(struct state *state);

// Sets a filter in place of the one of its kind: a text, which is copied, or the tid of a thread;
// without both there is none.
void state_filter(struct state *state, enum crumb crumb, const char *text, pid_t tid);
bool state_drop_filter(struct state *state); // drops the last one; false: there is none

// Has samples told apart by that label, which is copied, in place of threads; NULL: by them.
void state_label(struct state *state, const char *key);
void state_prompt(struct state *state, enum prompt prompt, const char *text);
