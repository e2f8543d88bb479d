// SPDX-License-Identifier: MIT
// A view of the screen is one struct: what it is called, how its rows are made and drawn, and what
// keys mean in it. Each is defined in a file of its own and listed in tui/views.h; no other file
// asks which view it has before it.
#pragma once

#include "tui/act.h"
#include "tui/table.h"

struct view_rows { // in scene->rows, which only the view itself looks into
    size_t size;   // of a zeroed struct that `make` fills in
    enum rc (*make)(struct scene *scene, struct state *state, const struct rows_query *query,
                    struct err *err);
    void (*free)(void *rows); // what the struct owns, not the struct
    size_t (*count)(const struct scene *scene);
    struct item (*item)(const struct scene *scene, size_t row);
    struct cost (*all)(const struct scene *scene);   // what 100 % is
    size_t (*first)(const struct scene *scene);      // where the cursor begins; NULL: in row 0
    bool (*keeps)(const struct state *state, int64_t age); // rows of that age stay; NULL: none do
};

struct view_key { // what an action does in this view instead of what it does elsewhere
    enum action action;
    act_function *act;
};

struct view {
    const char *title;  // of its tab; without a tab, of the line that tells what is shown
    bool pane;          // it has no tab: a key opens it from another view, Esc closes it
    bool inverts;       // it shows stacks from root to leaf or from leaf to root
    bool wants_waits;   // snapshots for it say why threads wait
    bool wants_stack;   // snapshots for it hold the stack in which state->stack_tid sleeps
    enum rows_sort sort; // at the beginning, and for a key whose column it does not have

    struct view_rows rows;
    bool (*search)(struct scene *scene, struct state *state, size_t from, int step,
                   bool here); // as scene_search; NULL: row by row

    const struct table *table; // NULL: it is drawn by `draw`
    void (*draw)(struct picture *picture, struct box area, const struct scene *scene,
                 struct state *state);
    // What the message line says of the row under the cursor, instead of its number; and what it
    // says of the rows in addition. NULL: nothing.
    void (*put_row)(const struct canvas *canvas, const struct scene *scene,
                    const struct state *state, struct buf *out);
    void (*put_note)(const struct scene *scene, const struct state *state, struct buf *out);

    enum action action;        // that opens it
    act_function *open;        // NULL: act_show is enough
    const struct view_key *keys;
    size_t key_count;
};

#define VIEW_DECLARE(id, name) extern const struct view view_##name;
VIEW_LIST(VIEW_DECLARE)
#undef VIEW_DECLARE
