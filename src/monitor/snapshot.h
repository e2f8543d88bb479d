// SPDX-License-Identifier: MIT
// A snapshot is everything that `ptprof top` shows of one moment. What a view draws depends on it,
// on the query and on the size of the screen, and on nothing else. snapshot_text.h reads snapshots
// from a text, for tests of screens.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "rows/moment.h"
#include "sample/counters.h"

#define CPU_HISTORY 120 // s

enum overhead { OVERHEAD_OK, OVERHEAD_HIGH, OVERHEAD_TOO_HIGH }; // below 1 %, below 5 %, more
extern const char *const overhead_names[]; // "OK", "HIGH", "TOO HIGH"

enum target_end { TARGET_RUNS, TARGET_ENDED };

struct snapshot {
    int64_t taken;         // CLOCK_MONOTONIC ns; in a replay as the text says
    int64_t elapsed;       // ns since sampling began
    pid_t pid;             // of the first process
    size_t process_count;  // that are sampled now
    char comm[COMM_MAX];   // raw
    char *command_line;    // raw, arguments separated by spaces, never NULL; owned
    int64_t uptime;        // of the target, ns
    unsigned cpus;         // online

    float cpu[CPU_HISTORY]; // percent of one CPU that the targets used in each second, oldest first
    size_t cpu_count;       // cells that are filled
    double cpu_percent;     // of the last whole second
    size_t threads;         // of all processes
    struct state_count {
        char state;
        size_t count;
    } states[8];            // R first, then S D T t Z X I, without those that have no threads
    size_t state_count;
    uint64_t rss;           // bytes, of all processes

    double rate, achieved;  // Hz: asked for (lowered by back-off), and made in the last seconds
    double late, failed, cut; // percent of rounds, stops, samples
    uint64_t counts[COUNTER_COUNT]; // since reset
    double overhead;        // percent of its time that the most-held thread was held, last seconds
    double overhead_process; // all threads together, percent of elapsed time
    enum overhead verdict;
    int64_t behind;         // ns that the sampler is late now; 0 unless more than 10 % are late

    bool paused;            // the target is left alone
    bool stopped;           // the target is in state T
    bool denied;            // the target may not be looked at any more
    unsigned execs;
    enum target_end end;
    char note[256];         // the newest message for people, escaped; "": none
    unsigned note_count;    // messages so far, so that a screen shows each only once

    struct moment moment;
};

void snapshot_free(struct snapshot *snapshot);

// Fills in states from the moment's threads.
void snapshot_count_states(struct snapshot *snapshot);
