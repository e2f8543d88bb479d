// SPDX-License-Identifier: MIT
// What signals tell a running server: HUP has it read its settings again, USR1 and USR2 switch
// sampling on and off, TERM and INT end it.
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct collector;

// Takes the signals that have come.
void control_take_signals(struct collector *collector);

// Returns for how many ms the loop may wait; -1: for ever. Tells the service manager that it goes
// round, so it is called each time.
int control_patience(struct collector *collector);

// Says whether everything is over: the last answer has been sent, or the time for that is over.
bool control_is_over(const struct collector *collector);

// Refuses what needs a process of its own when the server is about to end, and what samples while
// that is switched off: RC_BUSY.
enum rc control_may_start(const struct collector *collector, bool samples,
                          struct err *err) MUST_CHECK;
