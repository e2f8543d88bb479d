// SPDX-License-Identifier: MIT
// A view of the screen is one struct: its name, how its rows are made and drawn, and what its keys
// do. Each is defined in its own file and listed in tui/views.h; no other file depends on which
// view is shown.
#pragma once

#include "tui/act.h"
#include "tui/table.h"

struct view_rows { // scene->rows, whose type only the view knows
    size_t size;   // of the struct, which `make` gets zeroed
    // Makes them, and says their count and the cost of all.
    enum rc (*make)(struct scene *scene, struct state *state, const struct rows_query *query,
                    struct err *err);
    void (*free)(void *rows); // frees what the struct owns, not the struct
    struct item (*item)(const struct scene *scene, size_t row);
    size_t (*first)(const struct scene *scene);      // where the cursor begins; NULL: row 0
    bool (*keeps)(const struct state *state, int64_t age); // rows of that age (ns) stay; NULL: no
};

struct view_key { // overrides what an action does in this view
    enum action action;
    struct act act;
};

struct view {
    const char *title;  // of its tab, or of the line that says what is shown
    bool pane;          // without a tab: a key opens it from another view, Esc closes it
    bool inverts;       // can show stacks root first or leaf first
    bool wants_waits;   // needs snapshots that say why threads wait
    bool wants_stack;   // needs the stack in which state->stack_tid sleeps
    enum rows_sort sort; // initial order, and that of a key whose column it does not have

    struct view_rows rows;
    bool (*search)(struct scene *scene, struct state *state, size_t from, int step,
                   bool here); // like scene_search; NULL: row by row

    const struct table *table; // NULL: `draw` draws it
    const struct table *delay_table; // in its place for block and mutex; NULL: it does for them too
    const struct table *file_table;  // in its place for files; NULL: the same
    void (*draw)(struct picture *picture, struct box area, const struct scene *scene,
                 struct state *state);
    // put_row appends what the message line says of the row under the cursor in place of its
    // number, put_note what it says of all rows. NULL: nothing.
    void (*put_row)(const struct canvas *canvas, const struct scene *scene,
                    const struct state *state, struct buf *out);
    void (*put_note)(const struct scene *scene, const struct state *state, struct buf *out);

    enum action action;        // opens it
    act_function *open;        // NULL: act_show is enough
    const struct view_key *keys;
    size_t key_count;
};

// Returns the table of the view for what is measured, NULL if it has none.
const struct table *view_table(enum view_id view, const struct state *state);

#define VIEW_DECLARE(id, name) extern const struct view view_##name;
VIEW_LIST(VIEW_DECLARE)
#undef VIEW_DECLARE
