// SPDX-License-Identifier: MIT
#include "profile/plain_threads.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

struct set_facts { // what a label set says
    struct plain_thread thread;
    enum profile_state state;
    bool idle;
};

static pid_t id_of(int64_t number)
{
    return number > 0 && number <= INT_MAX ? (pid_t)number : 0;
}

static enum profile_state state_of_side(const char *side, enum profile_state fallback)
{
    return strcmp(side, PLAIN_HOLDER) == 0   ? STATE_HOLDING
           : strcmp(side, PLAIN_WAITER) == 0 ? STATE_DELAYED
                                             : fallback;
}

static void take_label(const struct plain_profile *profile, const struct plain_label *label,
                       struct set_facts *facts)
{
    const char *key = plain_string(profile, label->key);
    if (strcmp(key, "thread") == 0)
        facts->thread.name = label->text;
    else if (strcmp(key, "comm") == 0)
        facts->thread.process = label->text;
    else if (strcmp(key, "tid") == 0)
        facts->thread.tid = id_of(label->number);
    else if (strcmp(key, "pid") == 0)
        facts->thread.pid = id_of(label->number);
    else if (strcmp(key, "state") == 0)
        facts->state = profile_state_named(plain_string(profile, label->text));
    else if (strcmp(key, PLAIN_SIDE) == 0)
        facts->state = state_of_side(plain_string(profile, label->text), facts->state);
    else if (strcmp(key, PLAIN_IDLE) == 0)
        facts->idle = true;
}

// A set has the facts of the smaller one and that of its label.
static struct set_facts *read_sets(const struct plain_profile *profile)
{
    const struct plain_labels *labels = &profile->labels;
    struct set_facts *facts = xcalloc(labels->set_count, sizeof *facts);
    for (size_t i = 1; i < labels->set_count; i++) {
        facts[i] = facts[labels->sets[i].parent];
        take_label(profile, &labels->list[labels->sets[i].label], &facts[i]);
    }
    return facts;
}

// Makes threads of what the label sets say: `facts` of each.
static void number_threads(struct plain_threads *threads, const struct plain_profile *profile,
                           const struct set_facts *facts)
{
    struct map pairs = {0}, numbers = {0}; // (pid, tid, name, process) pair by pair
    *threads = (struct plain_threads){
        .of = xcalloc(profile->labels.set_count, sizeof *threads->of),
    };
    for (size_t i = 0; i < profile->samples.count; i++) {
        uint32_t set = profile->samples.list[i].labels;
        const struct plain_thread *thread = &facts[set].thread;
        uint32_t ids = map_number(&pairs, (uint64_t)thread->pid << 32 | (uint32_t)thread->tid);
        uint32_t names = map_number(&pairs, (uint64_t)thread->name << 32 | thread->process);
        uint32_t number = map_number(&numbers, (uint64_t)ids << 32 | names);
        threads->of[set] = (struct plain_whose){number, facts[set].state, facts[set].idle};
        if (number < threads->count)
            continue;
        ARRAY_RESERVE(threads->list, threads->count, threads->capacity);
        threads->list[threads->count] = *thread;
        threads->list[threads->count++].labels = set;
    }
    map_fini(&pairs);
    map_fini(&numbers);
}

void plain_threads_init(struct plain_threads *threads, const struct plain_profile *profile)
{
    AUTO_FREE struct set_facts *facts = read_sets(profile);
    number_threads(threads, profile, facts);
}

static uint32_t value_of(struct plain_profile *profile, const struct plain_label *label)
{
    if (label->text)
        return label->text;
    AUTO_FREE char *text = xasprintf("%" PRId64 "%s%s", label->number, label->unit ? " " : "",
                                     plain_string(profile, label->unit));
    return plain_text(profile, text);
}

void plain_threads_by(struct plain_threads *threads, struct plain_profile *profile,
                      const char *key)
{
    const struct plain_labels *labels = &profile->labels;
    AUTO_FREE struct set_facts *facts = read_sets(profile);
    uint32_t wanted = plain_text(profile, key);
    for (size_t i = 0; i < labels->set_count; i++) {
        struct plain_set set = labels->sets[i];
        const struct plain_label *label = i ? &labels->list[set.label] : NULL;
        facts[i].thread = (struct plain_thread){
            .name = label && label->key == wanted ? value_of(profile, label)
                    : label                       ? facts[set.parent].thread.name
                                                  : 0};
    }
    number_threads(threads, profile, facts);
    threads->key = wanted;
}

void plain_threads_fini(struct plain_threads *threads)
{
    free(threads->list);
    free(threads->of);
    *threads = (struct plain_threads){0};
}
