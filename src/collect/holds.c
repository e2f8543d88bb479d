// SPDX-License-Identifier: MIT
#include "collect/holds.h"

#include "base/clock.h"

// Of a thread that has just been met nobody knows yet what part of its time it is held: it counts
// as if it had been there for half a second, or for the whole of a shorter run.
static void note_share(struct holds *holds, const struct sampled_thread *thread)
{
    if (!thread->held_since)
        return;
    int64_t now = clock_now(), watched = now - thread->held_since, run = now - holds->first_at;
    int64_t least = run < NS_PER_S / 2 ? run : NS_PER_S / 2;
    int64_t span = watched > least ? watched : least;
    double share = span > 0 ? (double)thread->held_ns / (double)span : 0;
    if (share > holds->share)
        holds->share = share;
}

static void add(struct holds *holds, struct sampled_thread *thread, int64_t since, int64_t ns)
{
    if (!thread->held_since)
        thread->held_since = since;
    thread->held_ns += (uint64_t)ns;
    profile_thread_held(holds->profile, thread->profile_thread, ns);
}

void holds_add_capture(struct holds *holds, struct sampled_thread *thread,
                       const struct capture *capture)
{
    if (!holds->first_at)
        holds->first_at = capture->time;
    add(holds, thread, capture->time, capture->held_ns);
    thread->held_unreported += capture->held_ns;
}

void holds_add_report(struct holds *holds, struct sampled_thread *thread, int64_t ns)
{
    int64_t without_capture = ns - thread->held_unreported;
    if (without_capture > 0)
        add(holds, thread, clock_now() - without_capture, without_capture);
    thread->held_unreported = 0;
    note_share(holds, thread);
}

void holds_add_last(struct holds *holds, struct population *population, pid_t tid, int64_t lasted)
{
    for (size_t i = 0; i < population->thread_count; i++) {
        struct sampled_thread *thread = &population->threads[i];
        if (thread->ended || thread->tid != tid)
            continue;
        add(holds, thread, clock_now() - lasted, lasted);
        note_share(holds, thread);
        return;
    }
}

void holds_finish(struct holds *holds, const struct population *population)
{
    for (size_t i = 0; i < population->thread_count; i++)
        if (!population->threads[i].ended)
            note_share(holds, &population->threads[i]);
}

void holds_since_last(struct population *population, int64_t *worst, int64_t *sum)
{
    *worst = *sum = 0;
    for (size_t i = 0; i < population->thread_count; i++) {
        struct sampled_thread *thread = &population->threads[i];
        int64_t held = (int64_t)(thread->held_ns - thread->held_before);
        thread->held_before = thread->held_ns;
        *worst = held > *worst ? held : *worst;
        *sum += held;
    }
}
