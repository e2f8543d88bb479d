// SPDX-License-Identifier: MIT
// This module shows a canvas on a terminal and reads keys. No other module includes curses.
//
// Nothing here blocks on the terminal. Curses writes into memory, and the bytes are passed on
// whenever the terminal can take some. While it takes none (output is stopped, a connection hangs),
// further pictures are dropped: see screen_busy.
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "tui/canvas.h"
#include "tui/keymap.h"

struct screen_options {
    enum scheme scheme;
    bool mouse;
};

struct screen;

// Fails with RC_USAGE, having changed nothing, if there is no terminal or it cannot move its
// cursor. There can be one screen at a time. Until screen_close, a crash, an exit or SIGKILL of the
// process leaves the terminal as it was.
enum rc screen_open(const struct screen_options *options, struct screen **screen,
                    struct err *err) MUST_CHECK;

// Restores the terminal.
void screen_close(struct screen *screen);

// Restores the terminal until screen_resume, for ^Z.
void screen_suspend(struct screen *screen);
void screen_resume(struct screen *screen);

// Descriptors to poll: input for keys; output while screen_busy, for when the terminal can take
// more.
int screen_input_fd(const struct screen *screen);
int screen_output_fd(const struct screen *screen);

// Returns the next key, or INPUT_NONE. An escape byte that nothing follows within 25 ms is
// INPUT_ESCAPE, else it begins an escape sequence.
struct input screen_read(struct screen *screen);

// Asks the terminal for its size. Returns true if that has changed.
bool screen_resized(struct screen *screen);
void screen_size(const struct screen *screen, int *rows, int *cols);

// Shows the canvas, which has the size of the screen. Only differences are sent. While
// screen_busy it does nothing.
void screen_show(struct screen *screen, const struct canvas *canvas);

// Has the whole next picture sent, not only differences.
void screen_redraw(struct screen *screen);

// screen_busy says whether bytes wait for the terminal. screen_flush sends what it takes and
// returns false if the terminal is gone.
bool screen_busy(const struct screen *screen);
bool screen_flush(struct screen *screen);
