// SPDX-License-Identifier: MIT
// The processes that read HTTP, as the collector sees them: there is one, and for a while beside it
// those that go by older settings and answer what they have been asked, and nothing more.
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct collector;
struct worker_process;

#define FRONTS_MOST 8 // at one time

// Starts the first one. Fails with RC_LIMIT.
enum rc fronts_start(struct collector *collector, struct err *err) MUST_CHECK;

// Starts one that goes by the settings of now; the one before ends with its last answer. When too
// many have not ended, the one that has to be the first does. Fails with RC_LIMIT.
enum rc fronts_renew(struct collector *collector, struct err *err) MUST_CHECK;

// What is to be waited for, and what has come. One that has ended is replaced, unless the server is
// to end. Fails with RC_FAIL when they end again and again.
void fronts_await(struct collector *collector, struct pollfd fds[FRONTS_MOST]);
enum rc fronts_take(struct collector *collector, const struct pollfd fds[FRONTS_MOST],
                    struct err *err) MUST_CHECK;

// Returns whose question has that number; NULL: there is no such front any more.
struct worker_process *fronts_find(struct collector *collector, uint32_t id);

// Says whether it may ask for anything new: not if it has left a while ago.
bool fronts_may_ask(const struct collector *collector, const struct worker_process *front);

// Says whether there are any; and until when the first of those that leave may, CLOCK_MONOTONIC ns,
// INT64_MAX: none does.
bool fronts_any(const struct collector *collector);
int64_t fronts_leave_by(const struct collector *collector);

// Ends one that takes no answers any more: its end is seen as any other.
void fronts_check(struct collector *collector);

// Lets nobody new in.
void fronts_close(struct collector *collector);
void fronts_end(struct collector *collector);
