// SPDX-License-Identifier: MIT
// A picture is what the user sees, and what a click at each place does. It is a pure function of
// snapshot, rows, state and size.
#pragma once

#include "tui/canvas.h"
#include "tui/scene.h"

#define SCREEN_ROWS_LEAST 6 // below this size only a message is shown
#define SCREEN_COLS_LEAST 40

struct box {
    int row, col, rows, cols;
};

struct zone { // a click in it triggers the action
    struct box area;
    enum action action; // ACTION_MOUSE: puts the cursor on row `arg`
    int arg;            // for ACTION_SORT_MENU an enum rows_sort
};

struct picture {
    struct canvas canvas;
    bool plain;         // without background colours: boxes get borders
    struct zone *zones; // later zones are above earlier ones
    size_t zone_count, zone_capacity;
};

struct layout { // rows of the screen; -1: that line is not shown
    int title, cpu, quality, crumbs;
    struct box body; // includes the header of a table
    int message, bar;
    bool too_small;
};

struct layout picture_layout(int rows, int cols, bool bar);

// Draws everything into picture->canvas, whose size is set, and records the zones. `shown` is the
// snapshot for the lines above the table. `now` is a time on the clock of snapshots, for
// "frozen 00:07". Cursors of the state scroll so that they are visible.
void picture_draw(struct picture *picture, const struct snapshot *shown, const struct scene *scene,
                  struct state *state, int64_t now);
void picture_fini(struct picture *picture);

// Returns the topmost zone at that place, NULL if there is none.
const struct zone *picture_zone(const struct picture *picture, int row, int col);

// --- parts, for the files that draw them ---

void picture_add_zone(struct picture *picture, struct box area, enum action action, int arg);

// Draws the lines above the table.
void header_draw(struct picture *picture, const struct layout *layout,
                 const struct snapshot *snapshot, const struct scene *scene,
                 const struct state *state);

// Draws the message line and the function bar.
void footer_draw(struct picture *picture, const struct layout *layout,
                 const struct snapshot *snapshot, const struct scene *scene,
                 const struct state *state, int64_t now);

// Draws the help or the menu over the view.
void overlay_draw(struct picture *picture, const struct scene *scene, struct state *state);
size_t overlay_count(const struct scene *scene, const struct state *state); // rows of the menu

// Returns how many lines of the help do not fit on the screen.
int overlay_help_lines(const struct canvas *canvas, const struct state *state);

// Returns the number of rows in a page of the shown view.
int picture_page(const struct picture *picture, const struct state *state);

const char *picture_sort_title(const struct state *state, enum rows_sort sort);
