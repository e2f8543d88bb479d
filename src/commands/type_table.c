// SPDX-License-Identifier: MIT
#include "commands/type_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/figures.h"
#include "base/map.h"
#include "base/mem.h"
#include "profile/fill.h"
#include "profile/measure.h"
#include "profile/plain_frame.h"
#include "symbol/reader/demangle.h"

#define SHOWN 3 // shares in a line
#define LOCKS 5 // lines of locks

struct share_group { // samples with the same text
    const char *name;
    uint64_t count, amount; // of the first and the main value
};

struct share_groups {
    struct map ids; // text -> index
    struct share_group *list;
    size_t count, capacity;
    uint64_t amount;
};

static void groups_fini(struct share_groups *groups)
{
    map_fini(&groups->ids);
    free(groups->list);
}

static void add(struct share_groups *groups, const char *name, const int64_t *values)
{
    uint32_t index = map_number(&groups->ids, (uint64_t)(uintptr_t)name); // texts are interned
    if (index == groups->count) {
        ARRAY_RESERVE(groups->list, groups->count, groups->capacity);
        groups->list[groups->count++] = (struct share_group){.name = name};
    }
    groups->list[index].count += (uint64_t)values[0];
    groups->list[index].amount += (uint64_t)values[1];
    groups->amount += (uint64_t)values[1];
}

static int most_first(const void *left, const void *right)
{
    const struct share_group *a = left, *b = right;
    return (a->amount < b->amount) - (a->amount > b->amount);
}

static void sort(struct share_groups *groups)
{
    if (groups->count)
        qsort(groups->list, groups->count, sizeof *groups->list, most_first);
}

static void put_shares(struct buf *out, struct share_groups *groups)
{
    sort(groups);
    for (size_t i = 0; i < groups->count && i < SHOWN && groups->list[i].amount; i++) {
        AUTO_FREE char *folded = demangle_fold(groups->list[i].name);
        buf_printf(out, "%s%.1f%% ", i ? "   " : "",
                   figures_percent(groups->list[i].amount, groups->amount));
        escape_text(out, folded);
    }
}

static const char *label(const struct plain_profile *profile, uint32_t sample, const char *key)
{
    uint32_t set = profile->samples.list[sample].labels;
    const struct plain_label *found = plain_label(profile, set, key);
    return found ? plain_string(profile, found->text) : "";
}

static bool begins(const char *text, const char *const *with)
{
    while (*with && strncmp(text, *with, strlen(*with)) != 0)
        with++;
    return *with;
}

static bool is_of_the_system(const struct plain_frame *frame)
{
    static const char *const modules[] = {"[kernel]", "[vdso]",    "libc.so",  "libc-",
                                          "ld-",      "libpthread", "libstdc++", NULL};
    static const char *const names[] = {"std::", "<std::", "core::", "<core::", "alloc::",
                                        "<alloc::", "__gthread", "__vdso", NULL};
    return begins(frame->module, modules) || begins(frame->name, names);
}

// Returns the innermost function outside of kernel and standard libraries: that waits, or holds.
static const char *own_function(const struct plain_profile *profile, uint32_t stack)
{
    const struct plain_node *nodes = profile->stacks.nodes;
    const char *leaf = "";
    for (uint32_t at = stack; at; at = nodes[at].parent)
        for (size_t i = 0; i < plain_frame_count(profile, nodes[at].location); i++) {
            struct plain_frame frame = plain_frame(profile, nodes[at].location, i);
            leaf = *leaf ? leaf : frame.name;
            if (!is_of_the_system(&frame))
                return frame.name;
        }
    return leaf;
}

// --- lines ---

static void put_sum(struct buf *out, const struct plain_profile *profile, const char *what,
                    bool (*takes)(const struct plain_profile *profile, uint32_t sample))
{
    uint64_t waits = 0, ns = 0;
    char text[FIGURES_MOST];
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        const int64_t *values = plain_values(profile, i);
        waits += takes(profile, i) ? (uint64_t)values[0] : 0;
        ns += takes(profile, i) ? (uint64_t)values[1] : 0;
    }
    buf_printf(out, "  %-9s %s in %" PRIu64 " wait%s", what, figures_duration((int64_t)ns, text),
               waits, waits == 1 ? "" : "s");
}

static bool is_waiter(const struct plain_profile *profile, uint32_t sample)
{
    return strcmp(label(profile, sample, "side"), "holder") != 0;
}

static void put_left_out(struct buf *out, const struct plain_profile *profile)
{
    for (size_t i = 0; i < profile->comment_count; i++) {
        const char *comment = plain_string(profile, profile->comments[i]);
        if (strncmp(comment, FILL_LEFT_OUT, strlen(FILL_LEFT_OUT)) == 0)
            buf_printf(out, "  note      %s\n", comment);
    }
}

static void put_block(struct buf *out, const struct plain_profile *profile)
{
    struct share_groups kinds = {0}, functions = {0};
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        if (plain_is_empty(profile, i))
            continue;
        add(&kinds, label(profile, i, "wait"), plain_values(profile, i));
        add(&functions, own_function(profile, profile->samples.list[i].stack),
            plain_values(profile, i));
    }
    put_sum(out, profile, "block", is_waiter);
    buf_puts(out, kinds.count ? ": " : "");
    put_shares(out, &kinds);
    buf_puts(out, functions.count ? "\n            in " : "");
    put_shares(out, &functions);
    buf_putc(out, '\n');
    put_left_out(out, profile);
    groups_fini(&kinds);
    groups_fini(&functions);
}

static void put_lock(struct buf *out, const struct plain_profile *profile,
                     const struct share_group *lock)
{
    struct share_groups holders = {0};
    char text[FIGURES_MOST];
    for (uint32_t i = 0; i < profile->samples.count; i++)
        if (!is_waiter(profile, i) && label(profile, i, "lock") == lock->name)
            add(&holders, own_function(profile, profile->samples.list[i].stack),
                plain_values(profile, i));
    buf_puts(out, "  lock      ");
    escape_text(out, *lock->name ? lock->name : "[unknown]");
    buf_printf(out, "  %s in %" PRIu64 " wait%s; held by ",
               figures_duration((int64_t)lock->amount, text), lock->count,
               lock->count == 1 ? "" : "s");
    put_shares(out, &holders);
    buf_putc(out, '\n');
    groups_fini(&holders);
}

static void put_mutex(struct buf *out, const struct plain_profile *profile)
{
    struct share_groups locks = {0};
    for (uint32_t i = 0; i < profile->samples.count; i++)
        if (!plain_is_empty(profile, i) && is_waiter(profile, i))
            add(&locks, label(profile, i, "lock"), plain_values(profile, i));
    put_sum(out, profile, "mutex", is_waiter);
    buf_printf(out, " for %zu lock%s\n", locks.count, locks.count == 1 ? "" : "s");
    sort(&locks);
    for (size_t i = 0; i < locks.count && i < LOCKS; i++)
        put_lock(out, profile, &locks.list[i]);
    groups_fini(&locks);
}

// What is known of threads, and how well, the profile says itself.
static void put_comments(struct buf *out, enum profile_kind kind,
                         const struct plain_profile *profile)
{
    for (size_t i = 0; i < profile->comment_count; i++)
        buf_printf(out, i ? "            %s%s\n" : "  %-9s %s\n",
                   i ? "" : kind == PROFILE_THREADS ? "threads" : "created",
                   plain_string(profile, profile->comments[i]));
}

void type_table_put(struct buf *out, enum profile_kind kind, const struct plain_profile *profile)
{
    if (kind == PROFILE_BLOCK)
        put_block(out, profile);
    else if (kind == PROFILE_MUTEX)
        put_mutex(out, profile);
    else if (profile->type_count == 1)
        put_comments(out, kind, profile);
}
