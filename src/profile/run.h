// SPDX-License-Identifier: MIT
// The facts of one run beside its stacks: when, how fast, how good, and what it did to the target.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum run_end { RUN_DURATION, RUN_INTERRUPTED, RUN_TARGET_ENDED };

enum run_type {
    RUN_CPU,     // samples/count, cpu/nanoseconds
    RUN_WALL,    // samples/count, wall/nanoseconds, by state
    RUN_THREADS, // threads/count: one look at all threads
};

struct run_process {
    pid_t pid;
    char comm[64]; // raw bytes
    bool ended;    // it was gone before we were
    unsigned execs;
};

struct run {
    enum run_type type;
    int64_t start_wall;  // ns since 1970 UTC
    int64_t duration;    // ns, as sampled
    enum run_end end;
    double rate;         // Hz, asked for
    double achieved;     // Hz, rounds made / time
    uint64_t rounds;     // times that the sampler of the CPU with most of them looked
    uint64_t late;       // of these, those that began late
    bool realtime, short_slice; // how the sampler was scheduled: SCHED_FIFO, or a 100 us slice
    uint64_t samples;    // stacks in the profile
    uint64_t asleep;     // of these, looks at threads that slept: read in place, not stopped
    uint64_t stops;      // times that a thread was held
    uint64_t failed;     // stops that gave no sample though the thread ran
    uint64_t queued;     // stops that met a thread which waited for a CPU: not a sample
    uint64_t elsewhere;  // samples of threads that were stopped from another CPU: they may skid
    uint64_t busy;       // looks at a CPU while another sampler was at work on a thread
    uint64_t unfound;    // looks that met too many threads to find the one that had run there
    uint64_t dropped;    // captures lost because the ring was full
    uint64_t cut;        // stacks that do not reach their root
    uint64_t frame_pointers; // stacks with frames that only frame pointers lead to
    uint64_t repaired;   // EINTR that a stop would have caused, undone
    uint64_t restarts;   // samplers that the watchdog had to end
    pid_t stuck;         // a sampler that does not end, 0: none. It may hold a thread until it does
    uint64_t unresolved; // samples whose leaf has no name
    int64_t held_p50, held_p99, held_max, held_total; // ns that a thread was held
    int64_t displaced_p50, displaced_p99, displaced_total; // ns that looking kept it off its CPU
    double held_share;   // of the most-held thread's time, 0..1: held or displaced
    uint64_t threads_seen, threads_sampled;
    uint64_t cpu_ns;         // CPU time the kernel charged to the targets meanwhile
    uint64_t unattributed_ns; // of it, what no sample stands for
    bool rate_lowered;       // by the stop budget
    const struct run_process *processes;
    size_t process_count;
};
