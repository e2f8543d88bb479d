// SPDX-License-Identifier: MIT
// What the process that unwinds does: it is told what lies where, gets the files, and walks stacks.
#pragma once

#include <stddef.h>

// The main loop; `channel` leads to the main process, from which the memory for the exchange comes
// first (walk_wire.h).
void walk_server_run(int channel, size_t max_depth) __attribute__((noreturn));
