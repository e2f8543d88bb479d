// SPDX-License-Identifier: MIT
// An input changes the state, and the returned effects say what else the caller has to do. This
// module does not draw, write files or ask the session.
#pragma once

#include "tui/picture.h"

enum effect { // bits
    EFFECT_ROWS = 1,      // the rows have to be made anew
    EFFECT_QUIT = 2,
    EFFECT_SUSPEND = 4,
    EFFECT_REDRAW = 8,
    EFFECT_PAUSE = 16,    // state->paused has changed
    EFFECT_RESET = 32,
    EFFECT_SAVE = 64,     // save what is shown to the file state->text
    EFFECT_SAVE_SCREEN = 128,
    EFFECT_TYPE = 256,    // state->query.filter.type has changed
    EFFECT_LABEL = 512,   // state->file.label has changed
};

#define STAMP_MOST 32

struct app { // all borrowed
    struct state *state;
    struct scene *scene;
    const struct picture *picture; // as last drawn
    int64_t now;                   // clock of snapshots
    char stamp[STAMP_MOST];        // UTC time for names of files
};

// Returns enum effect bits.
unsigned app_input(struct app *app, const struct input *input);

// Does an action that is not for a prompt or a menu. Returns enum effect bits.
unsigned app_act(struct app *app, enum action action);

// Used by app.c: chooses a row of the menu, sorts by a column.
unsigned app_choose(struct app *app, size_t row);
unsigned app_sort(struct app *app, enum rows_sort sort);
