// SPDX-License-Identifier: MIT
// What threads waited for, and how long: values of STATE_DELAYED, by spot (spots.h), and of
// STATE_HOLDING, by where those were that held a lock (locks.h).
//
// As with wall time, looks are counted and then scaled: per thread and period, the looks that found
// it blocked share the time that it was. How often it waited is known from its voluntary switches.
// A wait that is met by a look was one, whatever its length; those that no look has met are shared
// by the looks in proportion.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/population.h"
#include "collect/spots.h"

struct delays {
    struct profile *profile;     // borrowed
    const struct mapping *unseen; // [holder not seen]
    struct spots spots;
    int64_t moment;  // CLOCK_MONOTONIC ns, of the newest capture
    uint32_t nobody; // thread of the profile that stands for holders that were not seen
};

void delays_init(struct delays *delays, struct profile *profile, struct modules *modules);
void delays_fini(struct delays *delays);

// Takes a sample of a thread that ran, which stands for so many ns of running.
void delays_ran(struct delays *delays, struct process *process, struct account *thread,
                const struct capture *capture, uint32_t stack, uint64_t ns);

// Takes a look that found a thread blocked there. Returns the number of what it waits for.
uint32_t delays_blocked(struct delays *delays, struct process *process, struct account *thread,
                        const struct capture *capture, uint32_t stack);

// Shares the time of a thread's period as wall_share does, and counts its waits. stops: how often
// it was held meanwhile.
void delays_share(struct delays *delays, struct account *thread, struct wall_period period,
                  uint64_t stops);

// Forgets where a thread waits that is gone, or that is not asked about any more.
void delays_end_thread(struct delays *delays, struct account *thread);

// Gives waits at spots their kinds, once names are there (spots_sort).
void delays_sort(struct delays *delays, const struct population *population,
                 struct symbolizer *symbolizer, size_t named);

// Replaces the numbers that compacting the profile has changed.
void delays_renumber(struct delays *delays, const struct population *population,
                     const struct compact_numbers *numbers);

// Charges holders with what was waited for them up to that moment (CLOCK_MONOTONIC ns). Once a
// second, and at the end of the run.
void delays_settle(struct delays *delays, const struct population *population, int64_t moment,
                   bool last);

// Does that once more, until looks are taken again: what threads do meanwhile is not counted.
void delays_stop(struct delays *delays, const struct population *population, int64_t moment);
