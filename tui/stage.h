// SPDX-License-Identifier: MIT
// A stage holds snapshots, rows and picture and takes inputs. The screen shows it; scripts drive it
// without a screen.
#pragma once

#include "tui/app.h"
#include "tui/tui.h"

struct stage {
    const struct tui_options *options; // borrowed
    bool utf8;
    struct state state;
    struct scene scene;
    struct picture picture;
    struct snapshot *latest; // owned; shown in the lines above the table
    struct snapshot *shown;  // the same or an older one; the rows are made from it
    unsigned notes;          // how many have been shown
};

void stage_init(struct stage *stage, const struct tui_options *options, bool utf8);
void stage_fini(struct stage *stage);

// Takes a new snapshot unless the display is frozen. The rows of a zoomed flame graph stay.
void stage_advance(struct stage *stage);

// Handles the input and returns the effects that are left to the screen: EFFECT_QUIT,
// EFFECT_SUSPEND, EFFECT_REDRAW.
unsigned stage_input(struct stage *stage, const struct input *input);

// Makes the picture for a screen of this size.
void stage_draw(struct stage *stage, int rows, int cols);

// Runs options->script. Fails with RC_IO, or RC_FORMAT and the number of the line.
enum rc script_run(const struct tui_options *options, struct err *err) MUST_CHECK;
