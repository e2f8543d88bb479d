// SPDX-License-Identifier: MIT
// A snapshot as JSON: what `ptprof top --batch` prints, and what a page of `ptprof serve` shows.
#pragma once

#include "base/buf.h"
#include "monitor/snapshot.h"
#include "rows/rows.h"

// Appends one line of JSON:
//   schema            1; it changes if readers would break
//   pid, comm, command_line, uptime_ns, elapsed_ns, time_ns (CLOCK_MONOTONIC)
//   end               "running", or "ended" in the last block
//   rate_hz, achieved_hz, samples, dropped, late_percent, failed_percent, cut_percent,
//   held_p50_ns, held_p99_ns, held_max_ns, overhead_percent, verdict ("OK", "HIGH", "TOO HIGH")
//   cpu_percent, rss_bytes, states {"R":3,...}
//   type              "cpu", "wall", "block" or "mutex" (--type): what percentages are of; `time`
//                     says the same. With "wall" there are also window_wall {running_ns, queued_ns,
//                     blocked_ns}, and the same of the window as self_wall and total_wall of each
//                     function and wall of each thread. With "block" and "mutex" samples are waits,
//                     and there are of the window window_delay_ns, self_delay_ns, total_delay_ns,
//                     waits_for and lock (what most was waited for in it; "": not known) of each
//                     function and delay_ns of each thread, and no self_cpu_ns and total_cpu_ns
//   window            "5s", and window_samples: the samples that are 100 %
//   functions         in the order of --sort: function, module, inlined, file ("": unknown), line
//                     (0: unknown), self_percent, total_percent, self_samples, total_samples (of
//                     the window), self_cpu_ns, total_cpu_ns (since the beginning), threads
//   threads           pid, tid, name, state, ended, cpu_percent (null: not known yet), samples,
//                     held_ns, where, wait, owner (tid that has the lock; 0: none is known)
// most: functions at most, the first ones of that order.
enum rc snapshot_json(struct buf *out, const struct snapshot *snapshot,
                      const struct rows_query *query, size_t most, struct err *err) MUST_CHECK;
