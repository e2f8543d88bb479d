// SPDX-License-Identifier: MIT
// Has stacks unwound by a process without rights, because all that it reads is written by the
// target, even the unwind tables. A process that dies or does not answer is replaced, and the file
// that it was reading is not given to the next one.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "process/space.h"
#include "unwind/unwinder.h"

#define WALK_AHEAD 32u // captures that can be asked for together

struct walk_exchange;
struct walker;
struct walked; // the address space of one process image, for its walker

// Starts the process. If that is not possible, the calling process unwinds. max_depth is that of
// unwinder_new.
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

// Says that the maps of the space were read again; `replaced` is *changed of space_refresh.
void walked_changed(struct walked *walked, bool replaced);

// Returns whether the stack of the capture has been asked for and not yet been taken.
bool walked_has(const struct walked *walked, const struct capture *capture);

// Asks for the stacks of these captures together, in one round trip. walked_walk then returns each
// of them, unless the space has changed meanwhile.
void walked_ahead(struct walked *walked, const struct capture *const *captures, size_t count);

// Returns the stack of a capture, valid until the next call for any space of the walker. A stack
// that cannot be unwound, because two processes died of it, is only its leaf.
struct unwind_result walked_walk(struct walked *walked, const struct capture *capture);

// Has walkers that are made from now on run `serve` in place of the process that unwinds; for
// tests.
void walker_set_service(void (*serve)(int channel, struct walk_exchange *exchange,
                                      size_t max_depth));
