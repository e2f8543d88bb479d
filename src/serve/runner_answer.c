// SPDX-License-Identifier: MIT
#include "serve/runner_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "output/parser.h"
#include "profile/plain_merge.h"
#include "serve/profile_form.h"
#include "serve/runner_view.h"

#define NAMES_MS 1000 // that an answer waits for names: who scrapes waits for three seconds
#define HALF_NS (NS_PER_S / 2)
#define NOT_KEPT RUNNER_KEPT

static const struct {
    enum profile_kind kind;
    uint32_t kept; // its number among the profiles of all time; NOT_KEPT: it is none of them
} rows[ASK_COUNT] = {
    [ASK_PROFILE] = {PROFILE_CPU, NOT_KEPT},
    [ASK_WALL] = {PROFILE_WALL, NOT_KEPT},
    [ASK_BLOCK] = {PROFILE_BLOCK, 0},
    [ASK_MUTEX] = {PROFILE_MUTEX, 1},
};
static const enum profile_kind kept_kinds[RUNNER_KEPT] = {PROFILE_BLOCK, PROFILE_MUTEX};

static bool is_view(const struct ask *ask)
{
    return ask->what == ASK_VIEW || ask->what == ASK_FLAME;
}

enum profile_kind runner_answer_kind(const struct ask *ask)
{
    const struct profile_type *type =
        is_view(ask) && *ask->type ? profile_type_named(ask->type) : NULL;
    return type ? (enum profile_kind)(type - profile_types) : rows[ask->what].kind;
}

void runner_kept_read(struct runner_kept *kept, const int *memories)
{
    for (size_t i = 0; i < RUNNER_KEPT; i++) {
        AUTO_BUF struct buf bytes = {0};
        struct err err;
        if (memories[i] < 0 || lseek(memories[i], 0, SEEK_SET) != 0 ||
            buf_read_fd(&bytes, memories[i], PROFILE_UNPACKED_MAX) != RC_OK ||
            parser_parse(bytes.data, bytes.length, &kept->profiles[i], &err) != RC_OK)
            kept->profiles[i] = NULL;
    }
}

void runner_kept_fini(struct runner_kept *kept)
{
    for (size_t i = 0; i < RUNNER_KEPT; i++)
        plain_free(kept->profiles[i]);
}

// The window may end before the newest slice, and its first slices may be kept no longer.
static struct rows_span span_of(const struct ask *ask, const struct runner_window *window,
                                bool ended)
{
    int64_t until = window->from + ask->window + HALF_NS;
    int64_t from = window->from + HALF_NS;
    if (ended && window->completed < until)
        until = window->completed;
    int64_t skip = (window->completed - until) / NS_PER_S;
    return (struct rows_span){.seconds = (size_t)((until - from + HALF_NS) / NS_PER_S),
                              .skip = skip > 0 ? (size_t)skip : 0};
}

// The session began amid this sum of all time, at the same addresses: stacks are equal.
static enum rc add_kept(struct plain_profile **profile, const struct plain_profile *kept,
                        struct err *err)
{
    struct plain_profile *sum;
    if (!kept)
        return RC_OK;
    enum rc rc = plain_merge((const struct plain_profile *const[]){kept, *profile}, 2, &sum, err);
    if (rc != RC_OK)
        return rc;
    plain_free(*profile);
    *profile = sum;
    return RC_OK;
}

static enum rc extract(struct feed *feed, const struct snapshot *snapshot,
                       const struct rows_query *query, struct plain_profile **profile,
                       struct err *err)
{
    enum rc rc = feed_extract(feed, snapshot, query, NAMES_MS, profile, err);
    return rc == RC_TIMEOUT ? RC_OK : rc;
}

static struct rows_query query_of(enum profile_kind kind)
{
    return (struct rows_query){.window = WINDOW_ALL,
                               .filter.type = kind == PROFILE_CPU ? NULL
                                                                  : profile_types[kind].name};
}

static enum rc profile_of_window(struct feed *feed, const struct snapshot *snapshot,
                                 const struct ask *ask, const struct runner_window *window,
                                 struct plain_profile **profile, struct err *err)
{
    struct rows_query query = query_of(runner_answer_kind(ask));
    query.span = span_of(ask, window, snapshot->end == TARGET_ENDED);
    enum rc rc = extract(feed, snapshot, &query, profile, err);
    if (rc != RC_OK)
        return rc;
    (*profile)->time += window->from;
    (*profile)->duration = (int64_t)query.span.seconds * NS_PER_S;
    return RC_OK;
}

static enum rc profile_of_all(struct feed *feed, const struct snapshot *snapshot,
                              const struct runner_kept *kept, enum profile_kind kind,
                              uint32_t number, struct plain_profile **profile, struct err *err)
{
    struct rows_query query = query_of(kind);
    enum rc rc = extract(feed, snapshot, &query, profile, err);
    if (rc == RC_OK && number != NOT_KEPT)
        rc = add_kept(profile, kept->profiles[number], err);
    if (rc != RC_OK)
        return rc;
    (*profile)->time = clock_wall(); // the counts are as of now: they have no duration
    (*profile)->duration = 0;
    return RC_OK;
}

static enum rc write_answer(struct feed *feed, const struct snapshot *snapshot,
                            const struct runner_kept *kept, const struct ask *ask,
                            const struct runner_window *window, FILE *out, struct err *err)
{
    struct plain_profile *profile;
    if (is_view(ask))
        return runner_view_write(feed, snapshot, ask, runner_answer_kind(ask), out, err);
    enum rc rc = ask->window
                     ? profile_of_window(feed, snapshot, ask, window, &profile, err)
                     : profile_of_all(feed, snapshot, kept, runner_answer_kind(ask),
                                      rows[ask->what].kept, &profile, err);
    if (rc == RC_OK)
        rc = profile_form_write(profile, ask, out, err);
    plain_free(profile);
    return rc;
}

static enum rc close_stream(FILE *out, enum rc rc, struct err *err)
{
    if (fclose(out) != 0 && rc == RC_OK)
        rc = err_sys(err, RC_IO, errno, "cannot write an answer");
    return rc;
}

static FILE *stream_of(int memory, struct err *err)
{
    int copy = dup(memory);
    FILE *out = copy >= 0 ? fdopen(copy, "w") : NULL;
    if (!out)
        (void)limits_sys(err, RC_LIMIT, errno, "cannot make an answer");
    return out;
}

enum rc runner_answer(struct feed *feed, const struct snapshot *snapshot,
                      const struct runner_kept *kept, const struct ask *ask,
                      const struct runner_window *window, int memory, struct err *err)
{
    FILE *out = stream_of(memory, err);
    if (!out)
        return RC_LIMIT;
    return close_stream(out, write_answer(feed, snapshot, kept, ask, window, out, err), err);
}

enum rc runner_answer_kept(struct feed *feed, const struct snapshot *snapshot,
                           const struct runner_kept *kept, uint32_t number, int memory,
                           struct err *err)
{
    struct plain_profile *profile;
    FILE *out = stream_of(memory, err);
    if (!out)
        return RC_LIMIT;
    enum rc rc =
        profile_of_all(feed, snapshot, kept, kept_kinds[number], number, &profile, err);
    if (rc == RC_OK)
        rc = profile_form_write(profile, &(struct ask){.form = ASK_PPROF}, out, err);
    plain_free(profile);
    return close_stream(out, rc, err);
}
