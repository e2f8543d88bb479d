// SPDX-License-Identifier: MIT
// Signals to a command that runs for a while, as a descriptor to poll.
#pragma once

// Blocks INT, TERM, HUP, QUIT, USR1 and TSTP and returns a descriptor that tells of them; PIPE is
// ignored, so that a closed pipe is an error to be reported. -1 on failure.
int interrupts_open(void);

// The next signal that came, or 0.
int interrupts_next(int fd);

// From here on a further INT, TERM, HUP or QUIT ends the program at once: `abandon` is called, then
// the signal kills as it would have without us.
void interrupts_let_kill(void (*abandon)(void));

// Stops this process as ^Z does; returns when it is continued.
void interrupts_suspend(void);
