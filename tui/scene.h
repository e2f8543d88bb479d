// SPDX-License-Identifier: MIT
// The rows of the view that is shown, made from a snapshot and the state. Pure: the same snapshot
// and state give the same rows.
#pragma once

#include "monitor/snapshot.h"
#include "tui/state.h"

struct scene {
    const struct snapshot *snapshot; // borrowed; what the rows were made of
    enum view_id view;               // of which the rows are
    void *rows;                      // owned, as the view says; NULL: there was no snapshot yet
    struct thread_rows choices;      // of the menu of threads: all of them
};

struct item { // a row, whatever the view
    uint64_t id;                     // never 0
    const char *text;                // that a search looks at
    const struct function *function; // NULL: none
    pid_t tid;                       // 0: it is not a thread
};

// Makes the rows anew. Cursors are put where the rows they follow are now.
void scene_update(struct scene *scene, struct state *state, const struct snapshot *snapshot);
void scene_fini(struct scene *scene);

// The rows of the view that is shown.
size_t scene_count(const struct scene *scene);
struct item scene_item(const struct scene *scene, size_t row);

// What 100 % is in the view that is shown.
struct cost scene_all(const struct scene *scene);

// Puts the cursor of the shown view on a row; the first one means to stay there.
void scene_select(const struct scene *scene, struct state *state, size_t row);

// Views make their items with these: of an id that may be 0, and of a node of a tree.
uint64_t scene_item_id(uint64_t id);
struct item scene_node_item(const struct tree_node *node);

// Finds the search in a text, NULL if it is not there: capitals count if the search has one.
const char *scene_match(const struct state *state, const char *text);
size_t scene_match_count(const struct scene *scene, const struct state *state);

// Fills in scene->choices.
void scene_load_choices(struct scene *scene, const struct state *state);

// Puts the cursor on the next match from a row on, `step` 1 or -1, that row itself included if
// `here`; nodes of the tree are opened for it. False: none.
bool scene_search(struct scene *scene, struct state *state, size_t from, int step, bool here);
