// SPDX-License-Identifier: MIT
// What the process that unwinds does: it is told what lies where, gets the files, and walks stacks.
#pragma once

#include <stddef.h>

#include "unwind/walk_wire.h"

// Runs the main loop. `channel` leads to the main process.
void walk_server_run(int channel, struct walk_exchange *exchange, size_t max_depth)
    __attribute__((noreturn));
