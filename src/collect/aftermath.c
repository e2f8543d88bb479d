// SPDX-License-Identifier: MIT
#include "collect/aftermath.h"

static void note_culprit(struct control *control, pid_t tid)
{
    for (unsigned i = 0; i < control->hang_count; i++) {
        if (control->hangs[i].tid == tid) {
            control->hangs[i].times++;
            return;
        }
    }
    if (control->hang_count < HANGS_MAX)
        control->hangs[control->hang_count++] = (struct hang){tid, 1};
}

// Notes the thread that was longest without a sign of life when the sampler process was ended.
void aftermath_note_culprit(struct control *control)
{
    const struct sign_of_life *oldest = NULL;
    for (unsigned i = 0; i < control->life_count; i++) {
        const struct sign_of_life *life = &control->lives[i];
        int64_t since = atomic_load(&life->busy_since);
        if (since && (!oldest || since < atomic_load(&oldest->busy_since)))
            oldest = life;
    }
    if (oldest)
        note_culprit(control, atomic_load(&oldest->busy_with));
}

void aftermath_count_holds(struct watchdog *watchdog, struct consumer *consumer)
{
    for (unsigned i = 0; i < watchdog->control->life_count; i++) {
        pid_t tid;
        int64_t lasted = watchdog_last_hold(watchdog, i, &tid);
        if (lasted)
            consumer_add_last_hold(consumer, tid, lasted);
    }
}
