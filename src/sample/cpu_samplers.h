// SPDX-License-Identifier: MIT
// All sampler threads, one for each CPU. They belong to the thread that reads.
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
    struct grave { // threads that nobody lists any more, until every sampler has looked away
        struct retired retired;
        uint64_t *visits; // of each sampler, when they were put here
    } grave;
};

// Takes all but control, rate, max_stop and unwind_live of the orders as its own; starts nothing.
void cpu_samplers_init(struct cpu_samplers *samplers);

// Whether there are CPUs without ticks.
bool cpu_samplers_lack_ticks(const struct cpu_samplers *samplers);

// Starts one for each CPU that is online and has ticks, that this process may use and that has
// none.
void cpu_samplers_start(struct cpu_samplers *samplers);

// Whether a sampler is on each CPU that is online and not excluded; then none of the targets'
// threads can run anywhere else.
bool cpu_samplers_cover(const struct cpu_samplers *samplers);
bool cpu_samplers_has(const struct cpu_samplers *samplers, int cpu);

// CPUs outside the set are excluded; NULL: none is.
void cpu_samplers_exclude(struct cpu_samplers *samplers, const cpu_set_t *all);

// Who is to be looked among from here on: takes `candidates` as its own.
void cpu_samplers_look_among(struct cpu_samplers *samplers, struct candidates *candidates);

// Frees what is retired as soon as no sampler can still be looking at it.
void cpu_samplers_bury(struct cpu_samplers *samplers, struct retired *retired);

// The targets are left alone (true: no new look begins) or not.
void cpu_samplers_pause(struct cpu_samplers *samplers, bool pause);

// Ends all. Those that were asked to stop are waited for a while.
void cpu_samplers_stop(struct cpu_samplers *samplers);
