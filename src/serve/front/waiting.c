// SPDX-License-Identifier: MIT
#include "serve/front/waiting.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define NUMBERS ((1u << ASK_FRONT_BITS) - 1)

static struct {
    int channel;
    uint32_t front, last; // number of this front in its place, and of the last question below it
    struct exchange *first;
    int64_t over_at; // CLOCK_MONOTONIC ns: from then on nobody new is served; 0: everybody is
} waiting;

void waiting_begin(int channel, uint32_t first_id)
{
    waiting.front = first_id & ~NUMBERS;
    waiting.last = first_id & NUMBERS;
    waiting.channel = channel;
}

static void send_to_collector(const struct ask *ask, int text)
{
    if (!ask_send(waiting.channel, ask, text))
        _exit(EXIT_SUCCESS);
}

static struct exchange *find_same(const struct exchange *exchange)
{
    for (struct exchange *each = waiting.first; each; each = each->next)
        if (each->joined && ask_is_same(&each->ask, &exchange->ask))
            return each;
    return NULL;
}

static bool anybody_waits(uint32_t id)
{
    const struct exchange *each = waiting.first;
    while (each && each->ask.id != id)
        each = each->next;
    return each;
}

// Numbers come again after a while. 0 is none.
static uint32_t new_id(void)
{
    do
        waiting.last = (waiting.last + 1) & NUMBERS;
    while (!waiting.last || anybody_waits(waiting.front | waiting.last));
    return waiting.front | waiting.last;
}

void waiting_ask(struct exchange *exchange, int text)
{
    exchange->joined = text < 0 && !exchange->ask.window;
    struct exchange *same = exchange->joined ? find_same(exchange) : NULL;
    exchange->ask.id = same ? same->ask.id : new_id();
    if (!same)
        send_to_collector(&exchange->ask, text);
    exchange->state = EXCHANGE_WAITING;
    exchange->next = waiting.first;
    waiting.first = exchange;
}

static bool remove_from_list(const struct exchange *exchange)
{
    for (struct exchange **at = &waiting.first; *at; at = &(*at)->next)
        if (*at == exchange) {
            *at = exchange->next;
            return true;
        }
    return false;
}

void waiting_leave(struct exchange *exchange)
{
    if (!remove_from_list(exchange) || anybody_waits(exchange->ask.id))
        return;
    const struct ask cancel = {.id = exchange->ask.id, .what = ASK_CANCEL};
    send_to_collector(&cancel, -1);
}

// Returns the list of those with that number, which are no longer among those that wait: whoever
// asks again while they are answered gets a number of his own.
static struct exchange *take_out(uint32_t id)
{
    struct exchange *taken = NULL;
    for (struct exchange **at = &waiting.first; *at;) {
        struct exchange *each = *at;
        if (each->ask.id != id) {
            at = &each->next;
            continue;
        }
        *at = each->next;
        each->next = taken;
        taken = each;
    }
    return taken;
}

bool waiting_take_answer(void)
{
    struct answer_head answer;
    AUTO_FD int memory = -1;
    if (answer_receive(waiting.channel, &answer, &memory) <= 0)
        _exit(EXIT_SUCCESS);
    for (struct exchange *next, *each = take_out(answer.id); each; each = next) {
        next = each->next;
        exchange_answer(each, &answer, memory);
    }
    if (!answer.id && !waiting.over_at)
        waiting.over_at = clock_now() + ASK_GRACE;
    return answer.id;
}

bool waiting_is_over(void)
{
    return waiting.over_at && clock_now() >= waiting.over_at;
}

void waiting_log(const char *line)
{
    struct ask log = {.what = ASK_LOG};
    snprintf(log.text, sizeof log.text, "%s", line);
    send_to_collector(&log, -1);
}
