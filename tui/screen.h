// SPDX-License-Identifier: MIT
// A canvas on a terminal, and keys from it. The only module that knows curses.
//
// Nothing here waits for the terminal. Curses writes into memory; what the terminal takes is
// passed on whenever it can take it, and as long as it does not (it was stopped, a connection
// hangs), further pictures are dropped: see screen_busy.
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

// RC_USAGE when there is no terminal to draw on, or one that cannot move its cursor; nothing has
// been changed then. One screen at a time. From here to screen_close, a crash, an exit or SIGKILL
// of the process leaves the terminal as it was.
enum rc screen_open(const struct screen_options *options, struct screen **screen,
                    struct err *err) MUST_CHECK;

// Gives the terminal back as it was found.
void screen_close(struct screen *screen);

// For ^Z: gives the terminal back for a while.
void screen_suspend(struct screen *screen);
void screen_resume(struct screen *screen);

// Descriptors to poll: keys are there; the terminal can take more, of interest while
// screen_busy.
int screen_input_fd(const struct screen *screen);
int screen_output_fd(const struct screen *screen);

// The next key, or INPUT_NONE. INPUT_ESCAPE is told from the beginning of a key by 25 ms.
struct input screen_read(struct screen *screen);

// Asks the terminal for its size; true if that has changed.
bool screen_resized(struct screen *screen);
void screen_size(const struct screen *screen, int *rows, int *cols);

// Shows the canvas, of the screen's size. Only differences are sent. Nothing happens while busy.
void screen_show(struct screen *screen, const struct canvas *canvas);

// The next picture is sent whole.
void screen_redraw(struct screen *screen);

// Bytes wait for the terminal; screen_flush sends what it takes. False: the terminal is gone.
bool screen_busy(const struct screen *screen);
bool screen_flush(struct screen *screen);
