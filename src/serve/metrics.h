// SPDX-License-Identifier: MIT
// Figures of a target as /proc tells them at one moment: reading them stops and changes nothing.
// One row for each: what it is called in JSON and in Prometheus, its unit, what kind it is.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define METRIC_UNKNOWN UINT64_MAX // of any figure

// name, key in JSON, name for Prometheus after "ptprof_target_", COUNTER or GAUGE, unit, what it is
// Counters of Prometheus get "_total" behind their name, and times are told in seconds there.
#define METRICS(X)                                                                                 \
    X(CPU_USER, "cpu_user_ns", "cpu_user", COUNTER, NS, "CPU time in the program")                 \
    X(CPU_SYSTEM, "cpu_system_ns", "cpu_system", COUNTER, NS, "CPU time in the kernel")            \
    X(RUN_QUEUE, "run_queue_wait_ns", "run_queue_wait", COUNTER, NS,                               \
      "time that threads waited for a CPU")                                                        \
    X(THREADS, "threads", "threads", GAUGE, ONE, "threads")                                        \
    X(RUNNING, "running", "threads_running", GAUGE, ONE, "threads on a CPU or waiting for one")    \
    X(SLEEPING, "sleeping", "threads_sleeping", GAUGE, ONE, "threads that sleep")                  \
    X(DISK, "disk", "threads_disk", GAUGE, ONE, "threads in uninterruptible sleep")                \
    X(STOPPED, "stopped", "threads_stopped", GAUGE, ONE, "threads that are stopped or traced")     \
    X(RSS, "rss_bytes", "resident_memory", GAUGE, BYTES, "resident memory")                        \
    X(PSS, "pss_bytes", "proportional_memory", GAUGE, BYTES,                                       \
      "resident memory, what is shared divided by who shares it")                                  \
    X(SWAP, "swap_bytes", "swapped_memory", GAUGE, BYTES, "memory that is swapped out")            \
    X(VIRTUAL, "virtual_bytes", "virtual_memory", GAUGE, BYTES, "mapped memory")                   \
    X(MINOR_FAULTS, "minor_faults", "minor_faults", COUNTER, ONE, "page faults without I/O")       \
    X(MAJOR_FAULTS, "major_faults", "major_faults", COUNTER, ONE, "page faults with I/O")          \
    X(VOLUNTARY, "voluntary_switches", "voluntary_switches", COUNTER, ONE,                         \
      "times that threads went to sleep")                                                          \
    X(INVOLUNTARY, "involuntary_switches", "involuntary_switches", COUNTER, ONE,                   \
      "times that threads were taken off a CPU")                                                   \
    X(DESCRIPTORS, "descriptors", "open_descriptors", GAUGE, ONE, "open descriptors")              \
    X(DESCRIPTORS_MOST, "descriptors_limit", "max_descriptors", GAUGE, ONE,                        \
      "descriptors that it may open")                                                              \
    X(READ, "read_bytes", "io_read", COUNTER, BYTES, "bytes read from storage")                    \
    X(WRITTEN, "written_bytes", "io_written", COUNTER, BYTES, "bytes written to storage")

enum metric {
#define X(name, key, metric, kind, unit, text) METRIC_##name,
    METRICS(X)
#undef X
    METRIC_COUNT
};

enum metric_kind { METRIC_IS_COUNTER, METRIC_IS_GAUGE };
enum metric_unit { METRIC_IN_ONE, METRIC_IN_NS, METRIC_IN_BYTES };

struct metric_row {
    const char *key, *metric, *text;
    enum metric_kind kind;
    enum metric_unit unit;
};
extern const struct metric_row metric_rows[METRIC_COUNT];

struct metrics { // of one moment
    int64_t at;   // CLOCK_MONOTONIC ns
    int64_t wall; // ns since 1970 UTC
    uint64_t values[METRIC_COUNT]; // METRIC_UNKNOWN: not known
};

// Reads them of a process. RC_GONE: it has ended. with_pss: smaps is read too, which makes whoever
// maps memory there wait meanwhile.
enum rc metrics_read(pid_t pid, bool with_pss, struct metrics *metrics) MUST_CHECK;
