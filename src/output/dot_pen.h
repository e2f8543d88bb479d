// SPDX-License-Identifier: MIT
// This header is private to the files that write a graph for dot.
#pragma once

#include "output/dot.h"

#define DOT_TINTS 6 // places for modules, the last one free

struct pen {
    const struct dot_drawing *drawing;
    struct buf *out;
    const char *unit;  // in which all values are shown
    uint32_t *numbers; // [function]: in the picture, from 1
    bool *calls;       // [function]: it has an edge to another one
    bool *boxes;       // [function]: it has tags
    double most_self;
    uint32_t *tints;   // [function]: colours; NULL: there is one module only
    const char *modules[DOT_TINTS]; // that have one of their own, NULL behind the last one
};

// What stands for a backslash. In tips dot reads it twice, or once, as its version is: there a
// character that looks like it.
#define DOT_IN_LABEL "\\\\"
#define DOT_IN_TIP "\u2216"

// Appends raw text for between quotes, cut if it is very long.
void dot_put_text(struct buf *out, const char *text, const char *backslash);

void dot_put_value(struct pen *pen, int64_t value);

// Finds the tint of each function; and draws in the legend which are whose.
void dot_choose_tints(struct pen *pen);
void dot_put_modules(struct pen *pen);

// Draws the tags of a function that has been drawn.
void dot_put_tags(struct pen *pen, uint32_t function);
