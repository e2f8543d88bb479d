// SPDX-License-Identifier: MIT
// This module is the terminal as a device: it sets its modes, restores them whatever happens to us,
// and writes bytes. What the bytes mean is known to tui/screen.c.
//
// Writing does not block: bytes are passed on whenever the terminal can take some.
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

struct tty;

// Opens the terminal of standard input and output anew, so that O_NONBLOCK is set on our own open
// file descriptions and not on those of other processes. Fails with RC_USAGE, having changed
// nothing, if there is no terminal.
enum rc tty_open(struct tty **tty, struct err *err) MUST_CHECK;
void tty_close(struct tty *tty);

FILE *tty_in(const struct tty *tty);
int tty_out(const struct tty *tty);
void tty_size(const struct tty *tty, int *rows, int *cols); // 24x80 if not known

// Sets the bytes, at most 512, that restore the terminal when they are written to it.
void tty_set_goodbye(struct tty *tty, const char *bytes, size_t length);

// Sets modes in which keys are read as they are pressed. Until tty_give_back, a crash, an exit or
// SIGKILL of the process leaves the terminal as it was. A second call sets the modes again, for
// when the shell changed them while we were stopped. There can be one terminal at a time.
void tty_take(struct tty *tty);

// Waits a moment for pending bytes to be taken, and restores the modes.
void tty_give_back(struct tty *tty);

// tty_put queues bytes for the terminal, tty_busy says whether some are pending. tty_flush writes
// what the terminal takes, and returns false if the terminal is gone.
void tty_put(struct tty *tty, const char *bytes, size_t length);
bool tty_busy(const struct tty *tty);
bool tty_flush(struct tty *tty);
