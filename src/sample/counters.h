// SPDX-License-Identifier: MIT
// The numbers of a run, in one table. What is seen is counted in control->counts, by whichever
// process sees it; all others copy, reset and print by the table.
#pragma once

#include <stdint.h>

struct control;
struct histogram;

// X(name, key, sum or state, unit, what it is); new ones come last, as they do in JSON. A sum grows
// from zero, and begins at zero again when a session is reset.
#define COUNTERS(X)                                                                                \
    X(ROUNDS, "rounds", SUM, ONE, "looks of the CPU that had most of them")                        \
    X(LATE, "late", SUM, ONE, "rounds that began late")                                            \
    X(REALTIME, "realtime", STATE, BOOL, "the samplers had real-time priority")                    \
    X(SHORT_SLICE, "short_slice", STATE, BOOL, "the samplers had slices of 100 us")                \
    X(SAMPLES, "samples", SUM, ONE, "stacks in the profile")                                       \
    X(ASLEEP, "asleep", SUM, ONE, "samples of threads that slept: read in place, not stopped")     \
    X(STOPS, "stops", SUM, ONE, "times that a thread was held")                                    \
    X(FAILED, "failed", SUM, ONE, "stops that gave no sample though the thread ran")               \
    X(QUEUED, "queued", SUM, ONE, "stops that met a thread which waited for a CPU: no samples")    \
    X(ELSEWHERE, "elsewhere", SUM, ONE, "samples by a stop from another CPU: they may skid")       \
    X(BUSY, "busy", SUM, ONE, "looks at a CPU while another sampler was at work on a thread")      \
    X(UNFOUND, "unfound", SUM, ONE, "looks that met too many threads to find who ran")             \
    X(DROPPED, "dropped", SUM, ONE, "captures lost because we could not keep up")                  \
    X(CUT, "cut", SUM, ONE, "stacks that do not reach their root")                                 \
    X(FRAME_POINTERS, "frame_pointers", SUM, ONE, "stacks that only frame pointers lead through")  \
    X(REPAIRED, "repaired", SUM, ONE, "system calls that a stop would have made fail, repaired")   \
    X(RESTARTS, "restarts", STATE, ONE, "samplers that the watchdog had to end")                   \
    X(UNWIND_RESTARTS, "unwind_restarts", STATE, ONE, "processes that unwind, died or hung")       \
    X(STUCK, "stuck_sampler_pid", STATE, PID, "a sampler that does not end")                       \
    X(LATE_NAMES, "late_names", STATE, ONE, "places whose names were not there in time")           \
    X(UNRESOLVED, "unresolved", STATE, ONE, "samples whose leaf has no name")                      \
    X(HELD_P50, "held_p50_ns", STATE, NS, "time that a stop lasted, median")                       \
    X(HELD_P99, "held_p99_ns", STATE, NS, "time that a stop lasted, p99")                          \
    X(HELD_MAX, "held_max_ns", STATE, NS, "time that a stop lasted, worst")                        \
    X(HELD_TOTAL, "held_total_ns", SUM, NS, "time that all stops lasted")                          \
    X(DISPLACED_P50, "displaced_p50_ns", STATE, NS, "time off its CPU for a look, median")         \
    X(DISPLACED_P99, "displaced_p99_ns", STATE, NS, "time off its CPU for a look, p99")            \
    X(DISPLACED_TOTAL, "displaced_total_ns", SUM, NS, "time off CPUs for all looks")               \
    X(THREADS_SEEN, "threads_seen", STATE, ONE, "threads that were there")                         \
    X(THREADS_SAMPLED, "threads_sampled", STATE, ONE, "threads that have samples")                 \
    X(CPU_NS, "cpu_ns", SUM, NS, "CPU time that the kernel charged to the targets")                \
    X(UNATTRIBUTED_NS, "unattributed_ns", STATE, NS, "CPU time that no sample stands for")         \
    X(RATE_LOWERED, "rate_lowered", STATE, BOOL, "the stop budget left out samples")               \
    X(REFUSED, "refused", SUM, ONE, "stops that the kernel did not permit")                        \
    X(TRACER, "tracer_pid", STATE, PID, "the process that traced the thread last refused")         \
    X(WORKERS, "kernel_workers", STATE, ONE, "threads of io_uring that ran: no user stack")        \
    X(FROZEN, "frozen", STATE, BOOL, "the target's control group was frozen at the end")           \
    X(THROTTLED_NS, "throttled_ns", STATE, NS, "time that a CPU quota took from the target")       \
    X(OWN_THROTTLED_NS, "own_throttled_ns", STATE, NS, "time that a CPU quota took from us")       \
    X(LIMIT, "limit", STATE, ERRNO, "a limit of our own that was met, so that something lacks") \
    X(WAITED, "waited", SUM, ONE, "looks that a thread kept waiting to the end of its turn")       \
    X(POOLED_NS, "pooled_ns", SUM, NS, "CPU time of short-lived processes that others stand for")

enum counter {
#define COUNTER_ENUM(name, ...) COUNTER_##name,
    COUNTERS(COUNTER_ENUM)
#undef COUNTER_ENUM
    COUNTER_COUNT
};

enum counter_kind { KIND_SUM, KIND_STATE };
enum counter_unit { UNIT_ONE, UNIT_NS, UNIT_BOOL, UNIT_PID, UNIT_ERRNO }; // 0: no process, no errno

struct counter_row {
    const char *key;
    enum counter_kind kind;
    enum counter_unit unit;
    const char *text;
};

extern const struct counter_row counters[COUNTER_COUNT];

// All that has been counted up to now.
void counters_read(uint64_t counts[COUNTER_COUNT], const struct control *control);

// Tells what times of holds and of displacements these are.
void counters_times(uint64_t counts[COUNTER_COUNT], const struct histogram *held,
                    const struct histogram *displaced);

// Takes off what the sums were before.
void counters_subtract(uint64_t counts[COUNTER_COUNT], const uint64_t before[COUNTER_COUNT]);
