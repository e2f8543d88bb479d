// SPDX-License-Identifier: MIT
// What the sampler tells the main process, in the order in which it happened.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "process/procfs.h"
#include "sample/capture.h"
#include "sample/ring.h"

enum record_kind {
    RECORD_CAPTURE = 1,  // struct record_capture
    RECORD_PROCESS,      // struct record_process: sampling of it begins
    RECORD_EXEC,         // struct record_process: it runs another program image from here on
    RECORD_PROCESS_TIME, // struct record_process_time
    RECORD_PROCESS_END,  // struct record_process: it is gone
    RECORD_THREAD,       // struct record_thread: before its first capture, and when renamed
    RECORD_THREAD_TIME,  // struct record_thread_time
    RECORD_THREAD_END,   // struct record_thread_time: the last of it
    RECORD_ASLEEP,       // struct record_asleep
    RECORD_SECOND,       // struct record_second: all that was used in it has been told
};

struct record_capture {
    struct record record;
    struct capture capture;
};

struct record_process {
    struct record record;
    uint32_t process; // number of the process; never used again for another one
    pid_t pid;
    pid_t parent;   // of one that began while we looked; 0: it did not
    uint64_t image; // maps_image_number of what it runs (process/maps.h); 0: not known
    char comm[COMM_MAX];
};

// CPU time in ns since sampling of the process began: charged to the process by the kernel, and
// what of it is known of threads that were sampled. The difference was spent by threads that were
// never listed, or after they were last read.
struct record_process_time {
    struct record record;
    uint32_t process;
    int64_t time; // CLOCK_MONOTONIC ns
    uint64_t cpu_ns, threads_cpu_ns;
    uint64_t children_ns; // more: of children that ended before they were found
    bool unsampled;       // as below
};

struct record_thread {
    struct record record;
    uint32_t thread; // number of the thread; never used again for another one
    uint32_t process;
    pid_t tid;
    char comm[COMM_MAX];
};

struct record_thread_time { // since the last such record of this thread
    struct record record;
    uint32_t thread;
    int64_t time; // CLOCK_MONOTONIC ns, up to which all this is
    uint64_t cpu_ns;
    uint64_t queued_ns;  // runnable, waiting for a CPU
    uint64_t elapsed_ns; // that all this is of, while control->idle; 0: not known
    int64_t held_ns;     // that we held or displaced it
    uint64_t stops;      // how often we held it: the kernel counts each as a voluntary switch
    bool unsampled;      // nobody was stopped meanwhile: no sample stands for the CPU time
};

// The thread still slept where the newest CAPTURE_IN_PLACE of it says, so many times more.
struct record_asleep {
    struct record record;
    uint32_t thread;
    uint32_t times;
};

struct record_second {
    struct record record;
    int64_t time; // CLOCK_MONOTONIC ns: when it ended, or the last one if several have passed
};
