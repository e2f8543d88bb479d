// SPDX-License-Identifier: MIT
#include "serve/fronts.h"

#include <signal.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/collector_state.h"
#include "serve/front/front.h"

#define FRONT_DEATHS_MOST 20 // in a row, each within a second
#define LEAVING_NS (10ll * NS_PER_S) // beyond the longest profile

enum rc fronts_start(struct collector *collector, struct err *err)
{
    collector->front_number = (collector->front_number + 1) % (1u << (32 - ASK_FRONT_BITS));
    const struct front_config config = {.listeners = &collector->listeners,
                                        .access = &collector->access,
                                        .settings = &collector->settings,
                                        .first_id = collector->front_number
                                                    << ASK_FRONT_BITS};
    return worker_process_start(&collector->front, "ptprof-http", collector->listeners.sockets,
                                front_serve, &config, err);
}

static void forget(struct collector *collector, struct worker_process *front)
{
    if (!front->pid)
        return;
    questions_forget(collector, front);
    worker_process_close(front);
}

static void tell_to_leave(struct worker_process *front)
{
    const struct answer_head stop = {.id = 0};
    if (front->pid)
        (void)worker_process_send(front, &stop, sizeof stop, -1);
}

enum rc fronts_renew(struct collector *collector, struct err *err)
{
    forget(collector, &collector->leaving);
    tell_to_leave(&collector->front);
    collector->leaving = collector->front;
    collector->leave_by = clock_now() + collector->settings.profiles.longest + LEAVING_NS;
    collector->front = (struct worker_process){0};
    return fronts_start(collector, err);
}

// Targets and runs go on; who was connected has to connect again.
static enum rc replace(struct collector *collector, struct err *err)
{
    if (++collector->front_deaths > FRONT_DEATHS_MOST)
        return err_set(err, RC_FAIL, "the process that reads HTTP ends again and again");
    return fronts_start(collector, err);
}

void fronts_await(const struct collector *collector, struct pollfd fds[FRONTS_MOST])
{
    const struct worker_process *fronts[] = {&collector->front, &collector->leaving};
    for (size_t i = 0; i < FRONTS_MOST; i++)
        fds[i] = (struct pollfd){.fd = fronts[i]->pid ? fronts[i]->channel : -1,
                                 .events = worker_process_events(fronts[i])};
}

static bool take(struct collector *collector, struct worker_process *front, short events)
{
    return worker_process_take(front, events) &&
           (!(events & ~POLLOUT) || questions_take(collector, front));
}

void fronts_check(struct collector *collector)
{
    struct worker_process *fronts[] = {&collector->front, &collector->leaving};
    for (size_t i = 0; i < FRONTS_MOST; i++)
        if (fronts[i]->pid && !worker_process_take(fronts[i], 0))
            kill(fronts[i]->pid, SIGKILL);
}

enum rc fronts_take(struct collector *collector, const struct pollfd fds[FRONTS_MOST],
                    struct err *err)
{
    struct worker_process *fronts[] = {&collector->front, &collector->leaving};
    for (size_t i = 0; i < FRONTS_MOST; i++)
        if (fds[i].revents && !take(collector, fronts[i], fds[i].revents))
            forget(collector, fronts[i]);
    if (collector->leaving.pid && clock_now() >= collector->leave_by)
        forget(collector, &collector->leaving);
    return collector->front.pid || collector->end_by ? RC_OK : replace(collector, err);
}

void fronts_close(struct collector *collector)
{
    tell_to_leave(&collector->front);
}

void fronts_end(struct collector *collector)
{
    forget(collector, &collector->front);
    forget(collector, &collector->leaving);
}
