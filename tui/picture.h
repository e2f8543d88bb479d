// SPDX-License-Identifier: MIT
// What the user sees, and where a click goes: a pure function of snapshot, rows, state and size.
#pragma once

#include "tui/canvas.h"
#include "tui/scene.h"

#define SCREEN_ROWS_LEAST 6 // below this size only a message is shown
#define SCREEN_COLS_LEAST 40

struct box {
    int row, col, rows, cols;
};

struct zone { // a click in it is the action
    struct box area;
    enum action action; // ACTION_MOUSE: puts the cursor on row `arg`
    int arg;            // of ACTION_SORT_MENU: enum rows_sort
};

struct picture {
    struct canvas canvas;
    bool plain;         // no background colours: boxes need lines
    struct zone *zones; // later ones lie above earlier ones
    size_t zone_count, zone_capacity;
};

struct layout { // rows of the screen; -1: there is none
    int title, cpu, quality, crumbs;
    struct box body; // the header of a table included
    int message, bar;
    bool too_small;
};

struct layout picture_layout(int rows, int cols, bool bar);

// Draws everything into picture->canvas, which has its size, and notes the zones. now: clock of
// snapshots, for "frozen 00:07". `shown` is the snapshot of the lines above the table; cursors are
// put so that they can be seen.
void picture_draw(struct picture *picture, const struct snapshot *shown, const struct scene *scene,
                  struct state *state, int64_t now);
void picture_fini(struct picture *picture);

// NULL: nothing is there.
const struct zone *picture_zone(const struct picture *picture, int row, int col);

// --- parts, for the files that draw them ---

void picture_add_zone(struct picture *picture, struct box area, enum action action, int arg);

// Pieces of a line, set side by side.
struct piece {
    enum role role;
    const char *text;
};
int picture_pieces(struct canvas *canvas, int row, int col, int width, const struct piece *pieces,
                   size_t count);

// The lines above the table.
void header_draw(struct picture *picture, const struct layout *layout,
                 const struct snapshot *snapshot, const struct scene *scene,
                 const struct state *state);

// The message line, the function bar.
void footer_draw(struct picture *picture, const struct layout *layout,
                 const struct snapshot *snapshot, const struct scene *scene,
                 const struct state *state, int64_t now);

// What lies over the view: help and menus.
void overlay_draw(struct picture *picture, const struct scene *scene, struct state *state);
size_t overlay_count(const struct scene *scene, const struct state *state); // rows of the menu
int overlay_help_lines(const struct canvas *canvas); // that do not fit on the screen

// How many rows a page of the view that is shown has.
int picture_page(const struct picture *picture, const struct state *state);

const char *picture_sort_title(enum rows_sort sort);
