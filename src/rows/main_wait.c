// SPDX-License-Identifier: MIT
#include "rows/main_wait.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

struct main_sums {
    const struct moment *moment;
    struct map kinds;        // wait << 32 | lock, texts -> number
    struct main_wait *list;  // [number]
    size_t count, capacity;
    struct map delays;       // function << 32 | number -> microseconds
};

static uint32_t text_of(const struct plain_profile *profile, uint32_t set, const char *key)
{
    const struct plain_label *label = plain_label(profile, set, key);
    return label ? label->text : 0;
}

static uint32_t number_of(struct main_sums *sums, uint32_t set)
{
    const struct plain_profile *profile = sums->moment->profile;
    uint32_t wait = text_of(profile, set, "wait"), lock = text_of(profile, set, "lock");
    uint32_t number = map_number(&sums->kinds, (uint64_t)wait << 32 | lock);
    if (number == sums->count) {
        ARRAY_RESERVE(sums->list, sums->count, sums->capacity);
        sums->list[sums->count++] =
            (struct main_wait){plain_string(profile, wait), plain_string(profile, lock)};
    }
    return number;
}

static void add_to_stack(void *context, const struct pick *pick)
{
    struct main_sums *sums = context;
    const struct plain_profile *profile = sums->moment->profile;
    const struct plain_node *nodes = profile->stacks.nodes;
    uint32_t number = number_of(sums, profile->samples.list[pick->sample].labels);
    uint64_t us = (uint64_t)(pick->cost.size / NS_PER_US);
    for (uint32_t at = pick->stack; at; at = nodes[at].parent) {
        struct name_span span = names_frames(sums->moment->names, nodes[at].location);
        for (size_t i = 0; i < span.count; i++) {
            uint64_t key = (uint64_t)span.frames[i].function << 32 | number;
            uint64_t sum = map_get(&sums->delays, key, 0) + us;
            map_put(&sums->delays, key, sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX);
        }
    }
}

struct main_wait *main_waits(const struct moment *moment, const struct selection *selection,
                             struct rows_span span)
{
    size_t functions = names_function_count(moment->names);
    struct main_sums sums = {.moment = moment};
    struct main_wait *main = xcalloc(functions, sizeof *main);
    AUTO_FREE uint64_t *most = xcalloc(functions, sizeof *most); // delay << 32 | ~number
    selection_each(selection, span, add_to_stack, &sums);
    for (size_t i = 0; i < functions; i++)
        main[i] = (struct main_wait){"", ""};
    for (size_t i = 0; i < sums.delays.capacity; i++) {
        const struct map_slot *slot = &sums.delays.slots[i];
        uint32_t function = (uint32_t)(slot->key >> 32), number = (uint32_t)slot->key;
        uint64_t rank = (uint64_t)slot->value << 32 | (UINT32_MAX - number);
        if (!slot->used || rank <= most[function])
            continue;
        most[function] = rank;
        main[function] = sums.list[number];
    }
    map_fini(&sums.kinds);
    map_fini(&sums.delays);
    free(sums.list);
    return main;
}
