// SPDX-License-Identifier: MIT
#include "serve/target.h"

#include "base/clock.h"

#define THREADS_SHARE 400 // reading threads takes at most this part of the time, of all targets
#define THREADS_LEAST (20 * NS_PER_US) // for each target

// What one target does not need the others may use.
void target_list_read(struct target_list *list, const struct serve_settings *settings)
{
    struct metrics_wish wish = {.pss_interval = settings->metrics.pss_interval};
    int64_t left = settings->metrics.interval / THREADS_SHARE;
    for (size_t i = 0; i < list->count; i++) {
        struct serve_target *target = list->targets[i];
        int64_t began = clock_thread();
        wish.threads_budget = left / (int64_t)(list->count - i);
        if (wish.threads_budget < THREADS_LEAST)
            wish.threads_budget = THREADS_LEAST;
        enum rc gone = target->ended_at ? RC_GONE
                                        : history_read(target->history, target->pid, &wish);
        if (gone == RC_OK)
            left -= clock_thread() - began;
    }
}
