// SPDX-License-Identifier: MIT
// The rows of the view that is shown, made from a snapshot and the state. Pure: the same snapshot
// and state give the same rows.
#pragma once

#include "session/snapshot.h"
#include "tui/state.h"

struct scene {
    const struct snapshot *snapshot; // borrowed; what the rows were made of
    enum view view;                  // of which the rows are
    struct function_rows functions;
    struct tree tree;                // of tree and flame
    uint32_t *visible;               // nodes of the tree that are shown
    size_t visible_count, visible_capacity;
    struct flame flame;
    struct thread_rows threads;
    struct thread_rows choices; // of the menu of threads: all of them
    struct call_rows calls;
    bool calls_known;
    struct stack_rows stack;
};

struct item { // a row, whatever the view
    uint64_t id;                     // never 0
    const char *text;                // that a search looks at
    const struct function *function; // NULL: none
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

// Which nodes of the tree are shown, after folds were changed.
void scene_fold(struct scene *scene, struct state *state);
bool scene_is_open(const struct state *state, const struct tree_node *node);

// The cell of the flame graph that shows the node, or of the cursor.
size_t scene_cell(const struct scene *scene, uint64_t id);

// Whether a text matches the search: capitals count if the search has one.
const char *scene_match(const struct state *state, const char *text);
size_t scene_match_count(const struct scene *scene, const struct state *state);

// Fills in scene->choices.
void scene_load_choices(struct scene *scene, const struct state *state);

// The thread that used most CPU time in the window; 0: there is none.
pid_t scene_busiest(const struct scene *scene, const struct state *state);

// Finds the next match from a row on, `step` 1 or -1, that row itself included if `here`; opens
// nodes of the tree for it. False: none.
bool scene_search(struct scene *scene, struct state *state, size_t from, int step, bool here);
