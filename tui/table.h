// SPDX-License-Identifier: MIT
// Some views are tables: columns with titles, of which those are shown that the screen has room
// for.
#pragma once

#include "tui/picture.h"

#define COLUMN_GAP 1

struct slot { // where a column of a row is drawn
    struct picture *picture;
    int row, col, width;
    size_t index; // the row in the scene
    const struct scene *scene;
    const struct state *state;
};

enum column_when { // a column is shown
    WHEN_ALWAYS,
    WHEN_SORTED, // only while rows are sorted by it, which shows any column
    WHEN_LINES,
    WHEN_VERBOSE,
    WHEN_SHORT, // not verbose
    WHEN_UPRIGHT,
    WHEN_INVERTED,
    WHEN_WALL,
    WHEN_DELAY,
    WHEN_PAIR,
    WHEN_WINDOWED,
};

struct column {
    const char *title;
    int width; // 0: the rest of the line, for exactly one column
    int least; // least columns of the screen to show it
    bool right; // right-aligned, for numbers
    enum rows_sort sort; // SORT_COUNT: none
    enum column_when when; // where there is room for it
    void (*draw)(const struct slot *slot);
};

struct table {
    const struct column *columns;
    size_t count;
    const char *empty; // text when there are no rows; NULL: why the window is empty
    void (*draw_second)(const struct slot *slot); // a second line below 50 columns, NULL: none
};

// Says in an area without rows why there are none, and what helps. `why` is NULL if the window is
// empty.
void table_draw_empty(struct picture *picture, struct box area, const struct scene *scene,
                      const struct state *state, const char *why);

void table_draw(struct picture *picture, struct box area, const struct scene *scene,
                struct state *state, const struct table *table);

// Fills in the columns by which rows can be sorted, from left to right, and returns their number:
// 0 for a view without a table (NULL).
size_t table_sorts(const struct table *table, enum rows_sort sorts[SORT_COUNT]);

// Returns the title of the column by which rows are then sorted, "" if there is none.
const char *table_title(const struct table *table, enum rows_sort sort);
bool table_can_sort(const struct table *table);

// Draw a text in a slot.
void slot_number(const struct slot *slot, enum role role, const char *text);
void slot_percent(const struct slot *slot, double percent);
void slot_value(const struct slot *slot, int64_t value); // in its unit; of a run: seconds
void slot_text(const struct slot *slot, enum role role, const char *text);

// Draw a name in a slot, shifted by the cursor's `scroll`.
void slot_name(const struct slot *slot, int indent, enum role role, const char *text);
void slot_function(const struct slot *slot, int indent, enum role role,
                   const struct function *function, bool inlined);
void slot_module(const struct slot *slot, const struct function *function); // NULL: nothing
void slot_line(const struct slot *slot, const char *file, uint32_t line);

// Changes `first` so that the cursor is visible on a page of `rows` rows.
void table_keep_visible(struct cursor *cursor, size_t count, int rows);

// Draws the part of the wall time in which it ran.
void slot_running(const struct slot *slot, struct cost cost);
