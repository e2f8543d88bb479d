// SPDX-License-Identifier: MIT
// A replay reads snapshots from a text, for tests of screens and rows. Each line is one fact, in
// words separated by tabs (\t, \n, \\ and \xHH stand for bytes in them). Empty lines and those that
// begin with '#' are comments.
//
//   snapshot                  begins a new moment, which has all that the one before ended with
//   set NAME VALUE            sets a member of struct snapshot by its name (times in ns), or a
//                             counter by its key
//   cpu PERCENT...            appends seconds to the history
//   thread TID STATE NAME HELD_NS WAIT OWNER    adds a thread, or replaces the one with this tid
//   gone TID                  removes it
//   second                    completes a slice of one second
//   sample TID COUNT CPU_NS FRAME...            adds to the slice that is being filled. The root is
//                             first; FRAME is FUNCTION, FUNCTION|MODULE or
//                             FUNCTION|MODULE|FILE:LINE (a MODULE may be a path); '~' in front of
//                             it means that it was inlined into the frame before it
//   wall STATE TID COUNT NS FRAME...            adds wall time: running, queued or blocked
//   waiter WAIT LOCK TID COUNT NS FRAME...      adds waits and their delay. LOCK may be "-"; `idle`
//                             in place of `waiter`: for work; `holder`: who held it
//   reset                     drops all samples
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "monitor/snapshot.h"

struct replay;

// Fails with RC_IO, or RC_FORMAT and the number of the line.
enum rc replay_open(const char *path, struct replay **replay, struct err *err) MUST_CHECK;
void replay_free(struct replay *replay);

// Returns the next snapshot, or a copy of the last one; NULL if the text holds none. It may outlive
// the replay.
struct snapshot *replay_next(struct replay *replay);
