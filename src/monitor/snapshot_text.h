// SPDX-License-Identifier: MIT
// Snapshots as text, for tests of screens and rows. One fact a line, words separated by tabs (\t,
// \n, \\ and \xHH in them); empty lines and those that begin with '#' mean nothing:
//
//   snapshot                  a new moment begins, with all that the one before it ended with
//   set NAME VALUE            a number or text of struct snapshot by its member's name: elapsed,
//                             uptime, taken, behind ... in ns; command_line, comm, note; or a
//                             counter by its key
//   cpu PERCENT...            a second each, appended to the history
//   thread TID STATE NAME HELD_NS WAIT OWNER    of pid; replaces an earlier one with this tid
//   gone TID                  it ended
//   second                    completes a slice of one second
//   sample TID COUNT CPU_NS FRAME...            root first, into the slice that is being filled;
//                             FRAME is FUNCTION, FUNCTION|MODULE or FUNCTION|MODULE|FILE:LINE (a
//                             MODULE may be a path); with '~' in front it was inlined into the
//                             frame before it
//   wall STATE TID COUNT NS FRAME...            the same for wall time: running, queued or blocked
//   reset                     forgets all samples
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "monitor/snapshot.h"

struct replay;

// RC_IO, or RC_FORMAT with the number of the line.
enum rc replay_open(const char *path, struct replay **replay, struct err *err) MUST_CHECK;
void replay_free(struct replay *replay);

// The next snapshot, or a copy of the last one; NULL when the text holds none. It may outlive the
// replay.
struct snapshot *replay_next(struct replay *replay);
