// SPDX-License-Identifier: MIT
// The last figures of a target, a ring of bounded size.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "serve/metrics.h"

struct history;

struct history *history_new(size_t most);
void history_free(struct history *history);
void history_add(struct history *history, const struct metrics *metrics); // it is copied

// Returns how many there are, and the one that was added `back` before the newest (0), which stays
// where it is until the next one is added.
size_t history_count(const struct history *history);
const struct metrics *history_get(const struct history *history, size_t back);

// Returns by how much a counter grew per second from one to another; below 0: not known.
double history_rate(const struct metrics *from, const struct metrics *to, enum metric metric);
