// SPDX-License-Identifier: MIT
// The processes that read HTTP, as the collector sees them: there is one, and for a while beside it
// one that goes by older settings and answers what it has been asked, and nothing more.
#pragma once

#include <poll.h>

#include "base/err.h"

struct collector;

#define FRONTS_MOST 2 // at one time

// Starts the first one. Fails with RC_LIMIT.
enum rc fronts_start(struct collector *collector, struct err *err) MUST_CHECK;

// Starts one that goes by the settings of now; the one before ends with its last answer. Fails with
// RC_LIMIT.
enum rc fronts_renew(struct collector *collector, struct err *err) MUST_CHECK;

// What is to be waited for, and what has come. One that has ended is replaced, unless the server is
// to end. Fails with RC_FAIL when they end again and again.
void fronts_await(const struct collector *collector, struct pollfd fds[FRONTS_MOST]);
enum rc fronts_take(struct collector *collector, const struct pollfd fds[FRONTS_MOST],
                    struct err *err) MUST_CHECK;

// Ends one that takes no answers any more: its end is seen as any other.
void fronts_check(struct collector *collector);

// Lets nobody new in.
void fronts_close(struct collector *collector);
void fronts_end(struct collector *collector);
