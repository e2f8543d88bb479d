// SPDX-License-Identifier: MIT
// What keys do: an input changes the state, and tells what else has to be done. Nothing is drawn,
// written or asked of the session here.
#pragma once

#include "tui/picture.h"

enum effect { // bits
    EFFECT_ROWS = 1,      // the rows have to be made anew
    EFFECT_QUIT = 2,
    EFFECT_SUSPEND = 4,
    EFFECT_REDRAW = 8,
    EFFECT_PAUSE = 16,    // state->paused has changed
    EFFECT_RESET = 32,
    EFFECT_SAVE = 64,     // of what is shown, to state->text
    EFFECT_SAVE_SCREEN = 128,
    EFFECT_IDLE = 256,    // state->query.filter.type has changed
};

#define STAMP_MOST 32

struct app { // all borrowed
    struct state *state;
    struct scene *scene;
    const struct picture *picture; // as last drawn
    int64_t now;                   // clock of snapshots
    char stamp[STAMP_MOST];        // of the time, for names of files
};

// Returns enum effect bits.
unsigned app_input(struct app *app, const struct input *input);

// An action outside of prompts and menus.
unsigned app_act(struct app *app, enum action action);

// For app.c: what Enter does in a menu, and moves.
unsigned app_choose(struct app *app, size_t row);
void app_move(struct app *app, long rows);
unsigned app_sort(struct app *app, enum rows_sort sort);
