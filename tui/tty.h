// SPDX-License-Identifier: MIT
// The terminal as a device: taken and given back, whatever happens to us meanwhile, and bytes for
// it. What the bytes mean is the affair of tui/screen.c.
//
// Nothing here waits for the terminal. What it takes is passed on whenever it can take it.
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

struct tty;

// Opens the terminal that standard input and output lead to, by descriptions of our own: not to
// block is then our own affair. RC_USAGE when there is none; nothing has been changed then.
enum rc tty_open(struct tty **tty, struct err *err) MUST_CHECK;
void tty_close(struct tty *tty);

FILE *tty_in(const struct tty *tty);
int tty_out(const struct tty *tty);
void tty_size(const struct tty *tty, int *rows, int *cols); // 24x80 if it does not say

// The bytes that make it its old self, at most 512; kept for whoever gives it back.
void tty_set_goodbye(struct tty *tty, const char *bytes, size_t length);

// Takes the terminal: keys come as they are pressed. Until tty_give_back, a crash, an exit or
// SIGKILL of the process leaves it as it was. Again while it is taken: sets its modes again, for
// who was stopped by SIGSTOP. One terminal at a time.
void tty_take(struct tty *tty);

// Passes on what waits, for a moment, and sets the modes that were found.
void tty_give_back(struct tty *tty);

// Bytes for the terminal. Busy: some of them wait. tty_flush passes on what it takes; false: it is
// gone.
void tty_put(struct tty *tty, const char *bytes, size_t length);
bool tty_busy(const struct tty *tty);
bool tty_flush(struct tty *tty);
