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
                                        .requests = collector->requests,
                                        .first_id = collector->front_number
                                                    << ASK_FRONT_BITS};
    return worker_process_start(&collector->front, "ptprof-http", collector->listeners.sockets,
                                front_serve, &config, err);
}

static struct worker_process *at(struct collector *collector, size_t number)
{
    return number ? &collector->leaving[number - 1].process : &collector->front;
}

struct worker_process *fronts_find(struct collector *collector, uint32_t id)
{
    uint32_t number = id >> ASK_FRONT_BITS;
    if (number == collector->front_number)
        return collector->front.pid ? &collector->front : NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(collector->leaving); i++)
        if (collector->leaving[i].process.pid && collector->leaving[i].number == number)
            return &collector->leaving[i].process;
    return NULL;
}

bool fronts_may_ask(const struct collector *collector, const struct worker_process *front)
{
    for (size_t i = 0; i < ARRAY_LENGTH(collector->leaving); i++)
        if (front == &collector->leaving[i].process)
            return clock_now() < collector->leaving[i].asks_until;
    return true;
}

bool fronts_any(const struct collector *collector)
{
    return collector->front.pid || fronts_leave_by(collector) != INT64_MAX;
}

int64_t fronts_leave_by(const struct collector *collector)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < ARRAY_LENGTH(collector->leaving); i++)
        if (collector->leaving[i].process.pid && collector->leaving[i].leave_by < first)
            first = collector->leaving[i].leave_by;
    return first;
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

// Returns a free place.
static struct leaving_front *make_place(struct collector *collector)
{
    struct leaving_front *place = collector->leaving;
    for (size_t i = 0; i < ARRAY_LENGTH(collector->leaving); i++) {
        struct leaving_front *each = &collector->leaving[i];
        if (!each->process.pid)
            return each;
        place = each->leave_by < place->leave_by ? each : place;
    }
    forget(collector, &place->process);
    return place;
}

enum rc fronts_renew(struct collector *collector, struct err *err)
{
    struct leaving_front *place = make_place(collector);
    tell_to_leave(&collector->front);
    *place = (struct leaving_front){
        .process = collector->front,
        .number = collector->front_number,
        .asks_until = clock_now() + 2 * ASK_GRACE, // it may not know it yet
        .leave_by = clock_now() + collector->settings.profiles.longest + LEAVING_NS,
    };
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

void fronts_await(struct collector *collector, struct pollfd fds[FRONTS_MOST])
{
    for (size_t i = 0; i < FRONTS_MOST; i++) {
        const struct worker_process *front = at(collector, i);
        fds[i] = (struct pollfd){.fd = front->pid ? front->channel : -1,
                                 .events = worker_process_events(front)};
    }
}

static bool take(struct collector *collector, struct worker_process *front, short events)
{
    return worker_process_take(front, events) &&
           (!(events & ~POLLOUT) || questions_take(collector, front));
}

void fronts_check(struct collector *collector)
{
    for (size_t i = 0; i < FRONTS_MOST; i++) {
        struct worker_process *front = at(collector, i);
        if (front->pid && !worker_process_take(front, 0))
            kill(front->pid, SIGKILL);
    }
}

enum rc fronts_take(struct collector *collector, const struct pollfd fds[FRONTS_MOST],
                    struct err *err)
{
    for (size_t i = 0; i < FRONTS_MOST; i++) {
        struct worker_process *front = at(collector, i);
        if (fds[i].revents && front->pid && front->channel == fds[i].fd &&
            !take(collector, front, fds[i].revents))
            forget(collector, front);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(collector->leaving); i++)
        if (clock_now() >= collector->leaving[i].leave_by)
            forget(collector, &collector->leaving[i].process);
    return collector->front.pid || collector->end_by ? RC_OK : replace(collector, err);
}

void fronts_close(struct collector *collector)
{
    tell_to_leave(&collector->front);
}

void fronts_end(struct collector *collector)
{
    for (size_t i = 0; i < FRONTS_MOST; i++)
        forget(collector, at(collector, i));
}
