// SPDX-License-Identifier: MIT
#include "collect/holds.h"

#include "base/clock.h"

// What part of its time a thread is held is not known yet of one that has just been seen: it counts
// as if it had lived for half a second, or for the whole of a shorter run.
void holds_note_share(struct holds *holds, const struct thread_holds *held)
{
    if (!held->since)
        return;
    int64_t now = clock_now(), watched = now - held->since, run = now - holds->first_at;
    int64_t least = run < NS_PER_S / 2 ? run : NS_PER_S / 2;
    int64_t span = watched > least ? watched : least;
    double share = span > 0 ? (double)held->ns / (double)span : 0;
    if (share > holds->share)
        holds->share = share;
}

static void add(struct holds *holds, struct thread_holds *held, uint32_t profile_thread,
                int64_t since, int64_t ns)
{
    if (!held->since)
        held->since = since;
    held->ns += (uint64_t)ns;
    profile_thread_held(holds->profile, profile_thread, ns);
}

void holds_add_capture(struct holds *holds, struct thread_holds *held, uint32_t profile_thread,
                       const struct capture *capture)
{
    if (!holds->first_at)
        holds->first_at = capture->time;
    add(holds, held, profile_thread, capture->time, capture->held_ns);
    held->unreported += capture->held_ns;
}

void holds_add_report(struct holds *holds, struct thread_holds *held, uint32_t profile_thread,
                      int64_t ns)
{
    int64_t without_capture = ns - held->unreported;
    if (without_capture > 0)
        add(holds, held, profile_thread, clock_now() - without_capture, without_capture);
    held->unreported = 0;
    holds_note_share(holds, held);
}

void holds_add_last(struct holds *holds, struct thread_holds *held, uint32_t profile_thread,
                    int64_t lasted)
{
    add(holds, held, profile_thread, clock_now() - lasted, lasted);
    holds_note_share(holds, held);
}

void holds_leave(struct thread_holds *held)
{
    held->unreported = 0;
}

int64_t holds_since_last(struct thread_holds *held)
{
    int64_t ns = (int64_t)(held->ns - held->before);
    held->before = held->ns;
    return ns;
}
