// SPDX-License-Identifier: MIT
// Has stacks unwound by a process without rights: what it works on is the target's, down to the
// unwind tables. One that dies or does not answer is replaced, and the file that it was reading is
// not given to the next one.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "process/module.h"
#include "unwind/unwinder.h"

#define WALK_AHEAD 32u // captures that can be asked for together

struct walker;
struct walked; // the address space of one process image, for its walker

// Starts the process; where it cannot be started, this one unwinds. max_depth: see unwinder_new.
struct walker *walker_new(size_t max_depth);
void walker_free(struct walker *walker);

// Returns the pid of the process that unwinds, 0 when there is none now.
int walker_pid(const struct walker *walker);

// Has that process run like the calling thread (thread_lead).
void walker_lead(const struct walker *walker);

// Returns how often that process was replaced.
unsigned walker_replaced(const struct walker *walker);

// The space is borrowed, and the walker must outlive the result.
struct walked *walked_new(struct walker *walker, struct space *space);
void walked_free(struct walked *walked);

// The maps of the space were read again; `replaced` as from space_refresh.
void walked_changed(struct walked *walked, bool replaced);

// Returns whether the stack of the capture has been asked for and not been taken.
bool walked_has(const struct walked *walked, const struct capture *capture);

// Asks for the stacks of these captures together, for one round trip. walked_walk then gives each
// of them, unless the space has changed meanwhile.
void walked_ahead(struct walked *walked, const struct capture *const *captures, size_t count);

// The result is valid until the next call for any space of the walker. A stack that cannot be
// unwound, because the process died of it twice, is only the leaf.
struct unwind_result walked_walk(struct walked *walked, const struct capture *capture);

// For tests: what walkers that are made from now on start in place of the process that unwinds.
void walker_set_service(void (*serve)(int channel));
