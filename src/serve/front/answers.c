// SPDX-License-Identifier: MIT
#include "serve/front/answers.h"

#include <fcntl.h>

#include "base/clock.h"
#include "base/mem.h"

#define KEPT 64                // answers
#define SIZE_MOST (16u << 20)  // bytes of one

struct kept_answer {
    struct ask ask;
    struct answer_head answer;
    int memory;    // owned; -1: none
    int64_t until; // CLOCK_MONOTONIC ns; 0: the place is free
};

static struct kept_answer kept[KEPT];

static bool is_of(const struct kept_answer *each, const struct ask *ask)
{
    return each->until && ask_is_same(&each->ask, ask);
}

// What is no longer true is given away at once, so that its memory is free.
static void forget_old(int64_t now)
{
    for (size_t i = 0; i < KEPT; i++)
        if (kept[i].until && kept[i].until <= now) {
            cleanup_fd(&kept[i].memory);
            kept[i].until = 0;
        }
}

bool answers_find(const struct ask *ask, struct answer_head *answer, int *memory)
{
    if (ask->window)
        return false;
    forget_old(clock_now());
    for (size_t i = 0; i < KEPT; i++)
        if (is_of(&kept[i], ask)) {
            *answer = kept[i].answer;
            *memory = kept[i].memory;
            return true;
        }
    return false;
}

// The one that holds for the shortest time makes room.
static struct kept_answer *place_for(const struct ask *ask)
{
    struct kept_answer *place = &kept[0];
    for (size_t i = 0; i < KEPT; i++) {
        if (is_of(&kept[i], ask))
            return &kept[i];
        if (kept[i].until < place->until)
            place = &kept[i];
    }
    return place;
}

void answers_keep(const struct ask *ask, const struct answer_head *answer, int memory)
{
    if (!answer->fresh_ms || answer->size > SIZE_MOST)
        return;
    struct kept_answer *place = place_for(ask);
    if (place->until)
        cleanup_fd(&place->memory);
    *place = (struct kept_answer){.ask = *ask, .answer = *answer, .memory = -1};
    if (memory >= 0 && (place->memory = fcntl(memory, F_DUPFD_CLOEXEC, 0)) < 0)
        return;
    place->until = clock_now() + (int64_t)answer->fresh_ms * NS_PER_MS;
}
