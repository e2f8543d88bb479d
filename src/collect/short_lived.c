// SPDX-License-Identifier: MIT
#include "collect/short_lived.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define FAMILIES_MAX 256 // the programs beyond share one
#define PROGRAMS_MAX 256 // of a family, the same
#define SINGLES_MAX 10000 // that are kept while nobody asks for a share
#define PERIOD_NS (900 * NS_PER_MS) // parents tell once a second, sometimes a little earlier

static const char others[] = "[others]";

struct program_time { // of those that were met
    char *comm;
    bool sampled;     // one of them was
    uint64_t open_ns; // of those without a sample
};

struct family_time {
    char *comm; // of the parents
    pid_t parent; // 0: several
    struct program_time *programs;
    size_t count, capacity;
    struct weighed_list singles; // of processes that were sampled once in this period,
    struct weighed_list ready;   // and in the one before, which share what is told now
    int64_t since; // when this period began, CLOCK_MONOTONIC ns; 0: nothing was told yet
    int64_t waiting_ns;          // to be shared
};

static void family_fini(struct family_time *family)
{
    for (size_t i = 0; i < family->count; i++)
        free(family->programs[i].comm);
    free(family->programs);
    free(family->singles.list);
    free(family->ready.list);
    free(family->comm);
}

void short_lived_fini(struct short_lived *short_lived)
{
    for (size_t i = 0; i < short_lived->count; i++)
        family_fini(&short_lived->families[i]);
    free(short_lived->families);
    *short_lived = (struct short_lived){0};
}

uint32_t short_lived_family(struct short_lived *short_lived, pid_t parent, const char *comm)
{
    for (size_t i = 0; i < short_lived->count; i++) {
        struct family_time *family = &short_lived->families[i];
        if (strcmp(family->comm, comm) != 0)
            continue;
        family->parent = family->parent == parent ? parent : 0;
        return (uint32_t)i;
    }
    if (short_lived->count >= FAMILIES_MAX && comm != others)
        return short_lived_family(short_lived, 0, others);
    ARRAY_RESERVE(short_lived->families, short_lived->count, short_lived->capacity);
    short_lived->families[short_lived->count] =
        (struct family_time){.comm = xstrdup(comm), .parent = parent};
    return (uint32_t)short_lived->count++;
}

static struct program_time *program_of(struct family_time *family, const char *comm)
{
    for (size_t i = 0; i < family->count; i++)
        if (strcmp(family->programs[i].comm, comm) == 0)
            return &family->programs[i];
    if (family->count >= PROGRAMS_MAX && comm != others)
        return program_of(family, others);
    ARRAY_RESERVE(family->programs, family->count, family->capacity);
    family->programs[family->count] = (struct program_time){.comm = xstrdup(comm)};
    return &family->programs[family->count++];
}

void short_lived_end(struct short_lived *short_lived, uint32_t number, const char *comm,
                     struct weighed sampled, uint64_t open_ns)
{
    struct family_time *family = &short_lived->families[number];
    struct program_time *program = program_of(family, comm);
    struct weighed_list *singles = &family->singles;
    program->sampled |= sampled.times > 0;
    program->open_ns += open_ns;
    if (sampled.times != 1)
        return;
    if (singles->count >= SINGLES_MAX) // they are old by now
        singles->count = 0;
    ARRAY_RESERVE(singles->list, singles->count, singles->capacity);
    singles->list[singles->count++] = sampled;
}

void short_lived_unmet(struct short_lived *short_lived, uint32_t family, int64_t ns)
{
    short_lived->families[family].waiting_ns += ns;
}

static void add(struct profile *profile, uint32_t number, uint64_t ns, bool wall)
{
    const struct profile_value value = *profile_value_get(profile, number);
    profile_add(profile, number, 0, ns);
    if (wall)
        profile_add(profile, profile_value_at(profile, value.stack, value.thread, STATE_RUNNING),
                    0, ns);
}

// What was found out of programs that can be sampled is to be shared.
static void gather(struct family_time *family)
{
    for (size_t i = 0; i < family->count; i++) {
        struct program_time *program = &family->programs[i];
        family->waiting_ns += program->sampled ? (int64_t)program->open_ns : 0;
        program->open_ns = program->sampled ? 0 : program->open_ns;
    }
}

// Has the ready ones take what waits. They stay ready: little may be told of a period before most
// of it is.
static uint64_t share(struct family_time *family, struct profile *profile, bool wall)
{
    const struct weighed_list *ready = &family->ready;
    gather(family);
    if (family->waiting_ns <= 0 || !ready->count)
        return 0;
    uint64_t ns = (uint64_t)family->waiting_ns, rest = ns % ready->count;
    for (size_t i = 0; i < ready->count; i++, rest = 0)
        add(profile, ready->list[i].value, ns / ready->count + rest, wall);
    family->waiting_ns = 0;
    return ns;
}

static void begin_period(struct family_time *family, int64_t now)
{
    struct weighed_list swap = family->ready;
    family->ready = family->singles;
    family->singles = swap;
    family->singles.count = 0;
    family->since = now;
}

uint64_t short_lived_share(struct short_lived *short_lived, uint32_t number,
                           struct profile *profile, bool wall, int64_t now)
{
    struct family_time *family = &short_lived->families[number];
    uint64_t ns = share(family, profile, wall);
    family->since = family->since ? family->since : now;
    if (family->singles.count && now - family->since >= PERIOD_NS)
        begin_period(family, now);
    return ns;
}

// Of the last period nothing is told later.
static void end_period(struct family_time *family)
{
    struct weighed_list *ready = &family->ready;
    for (size_t i = 0; i < family->singles.count; i++) {
        ARRAY_RESERVE(ready->list, ready->count, ready->capacity);
        ready->list[ready->count++] = family->singles.list[i];
    }
    family->singles.count = 0;
}

static void give_up(struct family_time *family, struct unattributed *unattributed)
{
    for (size_t i = 0; i < family->count; i++) {
        unattributed_add(unattributed, 0, family->programs[i].comm, family->programs[i].open_ns);
        family->programs[i].open_ns = 0;
    }
    if (family->waiting_ns > 0)
        unattributed_add_children(unattributed, family->parent, family->comm,
                                  (uint64_t)family->waiting_ns);
    family->waiting_ns = 0;
}

uint64_t short_lived_end_all(struct short_lived *short_lived, struct profile *profile, bool wall,
                             struct unattributed *unattributed)
{
    uint64_t ns = 0;
    for (size_t i = 0; i < short_lived->count; i++) {
        struct family_time *family = &short_lived->families[i];
        end_period(family);
        ns += share(family, profile, wall);
        give_up(family, unattributed);
    }
    return ns;
}

static void renumber(struct weighed_list *samples, const uint32_t *values)
{
    for (size_t i = 0; i < samples->count; i++)
        samples->list[i].value = values[samples->list[i].value];
}

void short_lived_renumber(struct short_lived *short_lived, const uint32_t *values)
{
    for (size_t i = 0; i < short_lived->count; i++) {
        renumber(&short_lived->families[i].singles, values);
        renumber(&short_lived->families[i].ready, values);
    }
}
