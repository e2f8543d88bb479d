// SPDX-License-Identifier: MIT
// A scene holds the rows of the shown view. They are a pure function of a snapshot and the state.
#pragma once

#include "monitor/snapshot.h"
#include "profile/measure.h"
#include "profile/plain_keys.h"
#include "tui/state.h"

struct scene {
    const struct snapshot *snapshot; // borrowed; the rows were made from it
    enum view_id view;               // the view that made the rows
    void *rows;                      // owned; its type is known to the view; NULL: no snapshot yet
    size_t count;                    // of the rows
    struct cost all;                 // the cost that is 100 %
    bool windowed;                   // view of a stack: it is of the window, not of this moment
    struct measure measure;          // of a file: what is shown of it
    struct cost total, old_total;    // of it: all that the file has, and the old one of two
    struct thread_rows choices;      // all threads, for the menu of threads
    struct plain_keys keys;          // for the menu of labels
};

struct item { // a row, whatever the view
    uint64_t id;                     // never 0
    const char *text;                // what a search compares
    const struct function *function; // NULL: none
    pid_t tid;                       // 0: the row is no thread
};

// Makes the rows anew and moves the cursors to where the rows that they follow are now.
void scene_update(struct scene *scene, struct state *state, const struct snapshot *snapshot);
void scene_fini(struct scene *scene);

// Moves the cursor of the shown view to where the row that it follows is now.
void scene_follow(const struct scene *scene, struct state *state);

// Returns a row of the shown view.
struct item scene_item(const struct scene *scene, size_t row);

// Puts the cursor of the shown view on a row. A cursor in the first row stays in the first row when
// the order changes.
void scene_select(const struct scene *scene, struct state *state, size_t row);

// Views make items with these: the first maps an id that may be 0 to one that is not, the second
// makes the item of a node of a tree.
uint64_t scene_item_id(uint64_t id);
struct item scene_node_item(const struct tree_node *node);

// Finds the searched text, NULL if it does not occur. Case matters only if it has a capital.
const char *scene_match(const struct state *state, const char *text);
size_t scene_match_count(const struct scene *scene, const struct state *state);

// Fills in scene->choices.
void scene_load_choices(struct scene *scene, const struct state *state);

// Puts the cursor on the next match in the direction of `step` (1 or -1), beginning with row `from`
// if `here`, else beside it, and unfolds the nodes of the tree that hide it. Returns false if there
// is no match.
bool scene_search(struct scene *scene, struct state *state, size_t from, int step, bool here);
