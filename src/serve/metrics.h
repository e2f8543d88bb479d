// SPDX-License-Identifier: MIT
// Figures of a target as /proc tells them at one moment: reading them stops and changes nothing.
// One row for each: what it is called in JSON and in Prometheus, its unit, what kind it is.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "serve/latency.h"

#define METRIC_UNKNOWN UINT64_MAX // of any figure

// name, key in JSON, name for Prometheus after "ptprof_target_", label, kind, unit, what it is.
// Rows of one name for Prometheus stand together and differ by their label. Counters get "_total"
// behind their name there, and times are told in seconds.
#define METRICS(X)                                                                                 \
    X(CPU_USER, "cpu_user_ns", "cpu", "mode=\"user\"", COUNTER, NS, METRIC_CPU_TEXT)               \
    X(CPU_SYSTEM, "cpu_system_ns", "cpu", "mode=\"system\"", COUNTER, NS, METRIC_CPU_TEXT)         \
    X(RUN_QUEUE, "run_queue_wait_ns", "run_queue_wait", "", COUNTER, NS,                           \
      "Time that threads waited for a CPU; of those that ended between two readings some lacks")   \
    X(THREADS, "threads", "threads", "", GAUGE, ONE, "Threads")                                    \
    X(RUNNING, "running", "thread_states", "state=\"running\"", GAUGE, ONE, METRIC_STATE_TEXT)     \
    X(SLEEPING, "sleeping", "thread_states", "state=\"sleeping\"", GAUGE, ONE, METRIC_STATE_TEXT)  \
    X(DISK, "disk", "thread_states", "state=\"disk\"", GAUGE, ONE, METRIC_STATE_TEXT)              \
    X(STOPPED, "stopped", "thread_states", "state=\"stopped\"", GAUGE, ONE, METRIC_STATE_TEXT)     \
    X(RSS, "rss_bytes", "resident_memory", "", GAUGE, BYTES, "Resident memory")                    \
    X(PSS, "pss_bytes", "proportional_memory", "", GAUGE, BYTES,                                   \
      "Resident memory, what is shared divided by who shares it; read seldom, of small processes") \
    X(SWAP, "swap_bytes", "swapped_memory", "", GAUGE, BYTES, "Memory that is swapped out")        \
    X(VIRTUAL, "virtual_bytes", "virtual_memory", "", GAUGE, BYTES, "Mapped memory")               \
    X(MINOR_FAULTS, "minor_faults", "page_faults", "kind=\"minor\"", COUNTER, ONE,                 \
      METRIC_FAULT_TEXT)                                                                           \
    X(MAJOR_FAULTS, "major_faults", "page_faults", "kind=\"major\"", COUNTER, ONE,                 \
      METRIC_FAULT_TEXT)                                                                           \
    X(VOLUNTARY, "voluntary_switches", "context_switches", "kind=\"voluntary\"", COUNTER, ONE,     \
      METRIC_SWITCH_TEXT)                                                                          \
    X(INVOLUNTARY, "involuntary_switches", "context_switches", "kind=\"involuntary\"", COUNTER,    \
      ONE, METRIC_SWITCH_TEXT)                                                                     \
    X(DESCRIPTORS, "descriptors", "open_descriptors", "", GAUGE, ONE, "Open descriptors")          \
    X(DESCRIPTORS_MOST, "descriptors_limit", "max_descriptors", "", GAUGE, ONE,                    \
      "Descriptors that it may have open")                                                         \
    X(READ, "read_bytes", "io_read", "", COUNTER, BYTES, "Bytes read from storage")                \
    X(WRITTEN, "written_bytes", "io_written", "", COUNTER, BYTES, "Bytes written to storage")

#define METRIC_CPU_TEXT "CPU time in the program and in the kernel"
#define METRIC_STATE_TEXT                                                                          \
    "Threads by state, as each was last seen; running: on a CPU or waiting for one"
#define METRIC_FAULT_TEXT "Page faults, major with I/O and minor without"
#define METRIC_SWITCH_TEXT                                                                         \
    "Times that threads went to sleep or were taken off a CPU; of those that ended between two "   \
    "readings some lack"

enum metric {
#define X(name, ...) METRIC_##name,
    METRICS(X)
#undef X
    METRIC_COUNT
};

enum metric_kind { METRIC_IS_COUNTER, METRIC_IS_GAUGE };
enum metric_unit { METRIC_IN_ONE, METRIC_IN_NS, METRIC_IN_BYTES };

struct metric_row {
    const char *key, *metric, *label, *text;
    enum metric_kind kind;
    enum metric_unit unit;
};
extern const struct metric_row metric_rows[METRIC_COUNT];

struct metrics { // of one moment
    int64_t at;   // CLOCK_MONOTONIC ns
    int64_t wall; // ns since 1970 UTC
    pid_t pid;    // of whom
    uint64_t values[METRIC_COUNT]; // METRIC_UNKNOWN: not known
};

// Who reads the figures of one process keeps what makes that cheap: open files, and what it knows
// of threads.
struct metrics_reader;

struct metrics_reader *metrics_reader_new(pid_t pid);
void metrics_reader_free(struct metrics_reader *reader); // NULL: nothing

struct metrics_wish {
    int64_t pss_interval;   // ns from one look at smaps to the next, which may make whoever maps
                            // memory there wait meanwhile; 0: never
    int64_t threads_budget; // ns for reading threads; those that do not fit are read next time
};

// RC_GONE: it has ended.
enum rc metrics_read(struct metrics_reader *reader, const struct metrics_wish *wish,
                     struct metrics *metrics) MUST_CHECK;

// How long threads waited for a CPU each time before they got one, since the reader began.
const struct latency *metrics_run_queue(const struct metrics_reader *reader);

// Gives those that were longest in all, one for each bucket, since they were taken before.
void metrics_take_queue_waits(struct metrics_reader *reader,
                              struct queue_wait waits[LATENCY_BUCKETS]);
