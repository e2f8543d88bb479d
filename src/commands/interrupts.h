// SPDX-License-Identifier: MIT
// A command that runs for a while polls its signals by a descriptor.
#pragma once

// Blocks INT, TERM, HUP, QUIT, USR1 and TSTP and returns a signalfd for them, -1 on failure. It
// ignores PIPE, so that writing to a closed pipe fails with EPIPE.
int interrupts_open(void);

// Returns the number of the next signal, or 0 if none is pending.
int interrupts_next(int fd);

// From here on INT, TERM, HUP or QUIT ends the program at once: `abandon` is called, then the
// signal has its default action.
void interrupts_let_kill(void (*abandon)(void));

// Stops this process as ^Z does, and returns when it is continued.
void interrupts_suspend(void);
