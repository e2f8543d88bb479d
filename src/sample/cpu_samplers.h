// SPDX-License-Identifier: MIT
// All sampler threads, one for each CPU. The thread that reads starts, steers and ends them.
#pragma once

#include <sched.h>
#include <stdbool.h>

#include "sample/cpu_sampler.h"
#include "sample/roster.h"

struct cpu_samplers {
    struct cpu_orders orders;
    struct cpu_sampler **of_cpu; // [cpu], NULL: none was started there
    int cpu_count;               // places in of_cpu
    cpu_set_t *tickless; // there timers fire on another CPU, which is what a sampler is to avoid
    struct grace { // out of all lists; freed when no sampler can still be using one of them
        struct retired retired;
        uint64_t *visits; // of each sampler, when they were retired
    } grace;
};

// Takes all but control, rate, max_stop and unwind_live of the orders as its own; starts nothing.
void cpu_samplers_init(struct cpu_samplers *samplers);

// Returns whether there are CPUs without ticks.
bool cpu_samplers_lack_ticks(const struct cpu_samplers *samplers);

// Starts one for each CPU that is online and has ticks, that this process may use and that has
// none.
void cpu_samplers_start(struct cpu_samplers *samplers);

// Returns whether a sampler is on each CPU that is online; then none of the targets' threads can
// run anywhere else.
bool cpu_samplers_cover(const struct cpu_samplers *samplers);
bool cpu_samplers_has(const struct cpu_samplers *samplers, int cpu);

// CPUs outside the set are excluded; NULL: none is.
void cpu_samplers_exclude(struct cpu_samplers *samplers, const cpu_set_t *all);

// Samplers search `candidates` from here on, which is not the caller's any more.
void cpu_samplers_look_among(struct cpu_samplers *samplers, struct candidates *candidates);

// Frees what is retired as soon as no sampler can still be using it.
void cpu_samplers_reclaim(struct cpu_samplers *samplers, struct retired *retired);

// The targets are left alone (true: no new look begins) or not.
void cpu_samplers_pause(struct cpu_samplers *samplers, bool pause);

// Ends all samplers, which first wait for the threads that they have asked to stop.
void cpu_samplers_stop(struct cpu_samplers *samplers);
