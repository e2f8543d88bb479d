// SPDX-License-Identifier: MIT
// Watches where the threads of the targets may run, and whether a sampler can displace them there.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sample/cpu_samplers.h"
#include "sample/roster.h"

struct reach {
    int64_t checked_at; // CLOCK_MONOTONIC ns
    bool covered;       // wherever a thread may run there is a sampler
    bool has_realtime;  // a thread that none of them could displace
};

// Once a second, starts samplers on CPUs that came online, puts those to sleep on whose CPUs no
// thread may run, and says to all by which clocks they see that nothing ran.
void reach_check(struct reach *reach, const struct roster *roster, struct cpu_samplers *samplers,
                 int64_t now);

// Has samplers look at each tick until then: there are processes whose clocks they do not read.
void reach_forget_clocks(struct cpu_samplers *samplers);

// Returns whether no sampler could displace the thread where it runs now.
bool reach_lacks(const struct reach *reach, const struct cpu_samplers *samplers,
                 struct thread *thread);
