// SPDX-License-Identifier: MIT
// The figures of one reading as JSON, the same wherever they are told of: now, in a history, and as
// an event.
#pragma once

#include "serve/api_json.h"
#include "serve/metrics.h"

// Writes members into an object that has begun: "timestamp", then what /proc says: cpu_percent
// {user, system}, run_queue_wait_percent (of one thread's time: 200 is two threads that waited all
// the time), threads {total, running, sleeping, disk, stopped}, memory_bytes {rss, pss, swap,
// virtual}, faults, switches, fds, io, with rates per second, and "counters" by METRICS' keys.
// before: the reading before it, for rates; NULL: there is none. What is not known is
// null, with its reason.
void metrics_json(struct api_json *api, const struct metrics *metrics,
                  const struct metrics *before);
