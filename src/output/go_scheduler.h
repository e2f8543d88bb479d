// SPDX-License-Identifier: MIT
// Goroutines and Ps as readers of Go's execution trace follow them. What is asked for here gives a
// trace that they accept, whatever comes in which order: a P runs one goroutine at a time, and only
// who runs can block, end or wake others. Who is to block without having run steps for no time onto
// a P that is for that alone.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/go_encoder.h"

#define GO_NO_THREAD UINT32_MAX

enum go_state { GO_UNBORN, GO_RUNNABLE, GO_RUNNING, GO_WAITING, GO_IN_SYSCALL, GO_DEAD };

struct go_thread {
    uint64_t id;       // of the goroutine
    uint64_t sequence; // how often it was created, started and woken: readers find the order by it
    uint64_t born;     // tick
    uint32_t p;        // that it runs on
    enum go_state state;
};

struct go_p {
    uint32_t runner; // thread; GO_NO_THREAD: none
    bool on;
};

struct go_scheduler {
    struct go_encoder *encoder;
    struct go_thread *threads; // owned
    uint32_t cpus; // Ps below this number are CPUs, this one is to step onto, those beyond are for
                   // threads of which the CPU is not known
    struct go_p *ps;
    size_t p_count, p_capacity;
    uint32_t *idle; // Ps beyond that run nobody
    size_t idle_count, idle_capacity;
    uint64_t now; // tick, for all that is done
    uint64_t cut; // states that ended early, because there was another one of the same CPU
};

// The caller sets the ids of the threads.
void go_scheduler_init(struct go_scheduler *scheduler, struct go_encoder *encoder, size_t threads,
                       uint32_t cpus);
void go_scheduler_fini(struct go_scheduler *scheduler);

// Says that a thread exists from now on, and can run.
void go_scheduler_create(struct go_scheduler *scheduler, uint32_t thread, uint64_t name);

// Has a thread that can run do so on that CPU, or on any P if it is GO_NOBODY. Who ran there no
// longer does. One that runs or waits goes on with that.
void go_scheduler_run(struct go_scheduler *scheduler, uint32_t thread, uint32_t cpu);

// The thread wants to run.
void go_scheduler_preempt(struct go_scheduler *scheduler, uint32_t thread, uint64_t stack);

// The event is GO_SYSCALL or one that blocks.
void go_scheduler_block(struct go_scheduler *scheduler, uint32_t thread, enum go_event event,
                        uint64_t stack);
bool go_scheduler_waits(const struct go_scheduler *scheduler, uint32_t thread);

// Has a thread that waits run again, woken by one that runs or by GO_NO_THREAD.
void go_scheduler_wake(struct go_scheduler *scheduler, uint32_t thread, uint32_t by,
                       uint64_t stack);
void go_scheduler_end(struct go_scheduler *scheduler, uint32_t thread);

// Where a thread that runs is now.
void go_scheduler_sample(struct go_scheduler *scheduler, uint32_t thread, uint64_t stack);

// Shows a text at this moment; the thread does not wait.
void go_scheduler_log(struct go_scheduler *scheduler, uint32_t thread, uint64_t key,
                      const char *text);

// Says how many Ps there are.
void go_scheduler_count(struct go_scheduler *scheduler);
