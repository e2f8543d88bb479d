// SPDX-License-Identifier: MIT
// The last figures of a target, a ring of bounded size, and who reads them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "serve/metrics.h"

struct history;

struct history *history_new(size_t most);
void history_free(struct history *history);
void history_add(struct history *history, const struct metrics *metrics); // it is copied

// Reads the figures of a process and adds them; another pid than before is that of the program that
// was started again. RC_GONE: it has ended.
enum rc history_read(struct history *history, pid_t pid,
                     const struct metrics_wish *wish) MUST_CHECK;

// How long its threads waited for a CPU each time; NULL: nothing has been read.
const struct latency *history_run_queue(const struct history *history);

// Gives the longest of these waits, one for each bucket, since they were taken before.
void history_take_queue_waits(struct history *history, struct queue_wait waits[LATENCY_BUCKETS]);

// Returns how many there are, and the one that was added `back` before the newest (0), which stays
// where it is until the next one is added.
size_t history_count(const struct history *history);
const struct metrics *history_get(const struct history *history, size_t back);

// Returns the one before it; NULL: there is none, or it is of another process that ended, whose
// counters have nothing to do with this one's.
const struct metrics *history_before(const struct history *history, size_t back);

// Returns by how much a counter grew per second from one to another; below 0: not known.
double history_rate(const struct metrics *from, const struct metrics *to, enum metric metric);
