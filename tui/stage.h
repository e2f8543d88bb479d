// SPDX-License-Identifier: MIT
// Snapshots, rows and picture as one thing that takes inputs: the screen shows it, scripts drive
// it without one.
#pragma once

#include "tui/app.h"
#include "tui/tui.h"

struct stage {
    const struct tui_options *options; // borrowed
    bool utf8;
    struct state state;
    struct scene scene;
    struct picture picture;
    struct snapshot *latest; // owned; the lines above the table
    struct snapshot *shown;  // the same one or an older one: what the rows were made of
    unsigned notes;          // that have been shown
};

void stage_init(struct stage *stage, const struct tui_options *options, bool utf8);
void stage_fini(struct stage *stage);

// Takes a snapshot, unless the display is frozen. A zoomed flame graph keeps its own.
void stage_advance(struct stage *stage);

// Does what the input asks for, and returns of its effects those that only the screen can do:
// EFFECT_QUIT, EFFECT_SUSPEND, EFFECT_REDRAW.
unsigned stage_input(struct stage *stage, const struct input *input);

// Makes the picture for a screen of this size.
void stage_draw(struct stage *stage, int rows, int cols);

// Runs options->script. RC_IO, RC_FORMAT with the number of the line.
enum rc script_run(const struct tui_options *options, struct err *err) MUST_CHECK;
