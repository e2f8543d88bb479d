// SPDX-License-Identifier: MIT
#include "serve/runner_answer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "output/parser.h"
#include "profile/place.h"
#include "profile/plain_filter.h"
#include "profile/plain_merge.h"
#include "profile/plain_threads.h"
#include "serve/profile_form.h"
#include "serve/runner_view.h"

#define NAMES_MS 1000 // that an answer waits for names: who scrapes waits for three seconds

static const enum profile_kind kinds[ASK_COUNT] = { // PROFILE_CPU where nothing is said
    [ASK_WALL] = PROFILE_WALL,
    [ASK_BLOCK] = PROFILE_BLOCK,
    [ASK_MUTEX] = PROFILE_MUTEX,
};
static const enum profile_kind kept_kinds[RUNNER_KEPT] = {PROFILE_BLOCK, PROFILE_MUTEX};

static bool is_view(const struct ask *ask)
{
    return ask->what == ASK_VIEW || ask->what == ASK_FLAME;
}

uint32_t runner_answer_keeps(const struct ask *ask)
{
    uint32_t number = 0;
    while (number < RUNNER_KEPT && kept_kinds[number] != kinds[ask->what])
        number++;
    return number;
}

enum profile_kind runner_answer_kind(const struct ask *ask)
{
    const struct profile_type *type =
        is_view(ask) && *ask->type ? profile_type_named(ask->type) : NULL;
    return type ? (enum profile_kind)(type - profile_types) : kinds[ask->what];
}

// Whoever else has the memory may be reading it: no position is moved.
static struct plain_profile *profile_in(int memory)
{
    struct stat stat;
    struct plain_profile *profile = NULL;
    struct err err;
    if (memory < 0 || fstat(memory, &stat) != 0 || stat.st_size <= 0)
        return NULL;
    size_t size = (size_t)stat.st_size;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, memory, 0);
    if (bytes == MAP_FAILED)
        return NULL;
    if (parser_parse(bytes, size, &profile, &err) != RC_OK)
        profile = NULL;
    munmap(bytes, size);
    return profile;
}

void runner_kept_read(struct runner_kept *kept, const int *memories)
{
    for (size_t i = 0; i < RUNNER_KEPT; i++)
        kept->profiles[i] = profile_in(memories[i]);
}

void runner_kept_fini(struct runner_kept *kept)
{
    for (size_t i = 0; i < RUNNER_KEPT; i++)
        plain_free(kept->profiles[i]);
}

// The target ended while it was sampled for this question: all that was sampled since then counts.
static bool is_all(const struct runner_window *window)
{
    return window->over && window->begun != window->from;
}

// The window may end before the newest slice, and its first slices may be kept no longer. No
// seconds: the target ended before it began.
static struct rows_span span_of(const struct ask *ask, const struct runner_window *window)
{
    int64_t until = window->from + ask->window;
    int64_t from = window->from;
    if (window->ended && window->completed < until)
        until = window->completed;
    if (is_all(window))
        from = window->begun / NS_PER_S * NS_PER_S;
    int64_t seconds = (until - from) / NS_PER_S;
    int64_t skip = (window->completed - until) / NS_PER_S;
    return (struct rows_span){.seconds = seconds > 0 ? (size_t)seconds : 0,
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
                       const struct rows_query *query, const struct session_part *part,
                       struct plain_profile **profile, struct err *err)
{
    enum rc rc = feed_extract(feed, snapshot, query, part, NAMES_MS, profile, err);
    return rc == RC_TIMEOUT ? RC_OK : rc;
}

static struct rows_query query_of(enum profile_kind kind)
{
    return (struct rows_query){.window = WINDOW_ALL,
                               .filter.type = kind == PROFILE_CPU ? NULL
                                                                  : profile_types[kind].name};
}

// --- CPU time that no sample stands for ---

static uint64_t charged_in(const struct slices *slices, struct rows_span span)
{
    size_t before = span.skip + span.seconds;
    uint64_t first = before < slices_count(slices) ? slices_get(slices, before).charged : 0;
    return slices_get(slices, span.skip).charged - first;
}

static int64_t sum_of_last_type(const struct plain_profile *profile)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < profile->samples.count; i++)
        sum += plain_values(profile, i)[profile->type_count - 1];
    return sum;
}

// A profile of CPU time sums to what the kernel charged in its time, as that of a whole run does.
static void add_unattributed(struct plain_profile *profile, uint64_t charged)
{
    static const char name[] = "[unattributed]";
    int64_t lacks = (int64_t)charged - sum_of_last_type(profile);
    const int64_t values[] = {0, lacks};
    if (lacks <= 0 || profile->type_count != ARRAY_LENGTH(values))
        return;
    uint32_t text = plain_text(profile, name);
    const struct plain_line line = {
        .function = plain_add_function(profile, (struct plain_function){.name = text})};
    uint32_t mapping = plain_add_mapping(profile, (struct plain_mapping){
        .start = PLACE_UNATTRIBUTED, .limit = PLACE_UNATTRIBUTED + 1, .file = text,
        .module = text, .placeholder = text, .has_functions = true});
    uint32_t location = plain_add_location(profile, mapping, PLACE_UNATTRIBUTED, &line, 1);
    plain_add(profile, plain_sample(profile, plain_child(profile, 0, location), 0), values);
}

// --- profiles ---

// What was counted is of when the first slice began: the rest of the head is of the whole run.
static void set_time(struct plain_profile *profile, const struct ask *ask,
                     const struct runner_window *window, struct rows_span span, int64_t elapsed)
{
    int64_t from = is_all(window) ? window->begun : window->from;
    profile->time += window->part ? from - window->part->from.duration : from;
    profile->duration = (int64_t)span.seconds * NS_PER_S;
    if (window->over)
        profile->duration = elapsed - from < ask->window ? elapsed - from : ask->window;
}

static enum rc profile_of_window(struct feed *feed, const struct snapshot *snapshot,
                                 const struct ask *ask, const struct runner_window *window,
                                 struct plain_profile **profile, struct err *err)
{
    enum profile_kind kind = runner_answer_kind(ask);
    struct rows_query query = query_of(kind);
    query.span = span_of(ask, window);
    if (!query.span.seconds)
        return err_set(err, window->over ? RC_GONE : RC_BUSY,
                       "%s before a second of this was sampled",
                       window->over ? "it ended" : "sampling was switched off here");
    enum rc rc = extract(feed, snapshot, &query, window->part, profile, err);
    if (rc != RC_OK)
        return rc;
    set_time(*profile, ask, window, query.span, snapshot->elapsed);
    if (kind == PROFILE_CPU)
        add_unattributed(*profile, charged_in(snapshot->moment.slices, query.span));
    return runner_answer_keeps(ask) == RUNNER_KEPT && window->part
               ? feed_refusal(feed, window->part, err)
               : RC_OK;
}

// What is counted for all time never loses a label again: what waits of a new kind have is told as
// soon as it is known what they wait for.
static enum rc leave_out_unsorted(struct plain_profile **profile, struct err *err)
{
    struct plain_profile *sorted;
    const struct plain_filter filter = {.tag_ignore = "wait=" PLAIN_UNSORTED};
    enum rc rc = plain_filter(*profile, &filter, &sorted, err);
    if (rc != RC_OK)
        return rc;
    plain_free(*profile);
    *profile = sorted;
    return RC_OK;
}

static enum rc profile_of_all(struct feed *feed, const struct snapshot *snapshot,
                              const struct runner_kept *kept, enum profile_kind kind,
                              uint32_t number, struct plain_profile **profile, struct err *err)
{
    struct rows_query query = query_of(kind);
    enum rc rc = extract(feed, snapshot, &query, NULL, profile, err);
    if (rc == RC_OK && number != RUNNER_KEPT)
        rc = leave_out_unsorted(profile, err);
    if (rc == RC_OK && number != RUNNER_KEPT)
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
    struct plain_profile *profile = NULL;
    enum rc rc = feed_error(feed, err);
    if (rc != RC_OK)
        return rc;
    if (is_view(ask))
        return runner_view_write(feed, snapshot, ask, runner_answer_kind(ask),
                                 window->counts_since, out, err);
    rc = ask->window ? profile_of_window(feed, snapshot, ask, window, &profile, err)
                     : profile_of_all(feed, snapshot, kept, runner_answer_kind(ask),
                                      runner_answer_keeps(ask), &profile, err);
    if (rc == RC_OK)
        rc = profile_form_write(profile, ask, out, err);
    plain_free(profile);
    return rc;
}

enum rc runner_answer(struct feed *feed, const struct snapshot *snapshot,
                      const struct runner_kept *kept, const struct ask *ask,
                      const struct runner_window *window, int memory, struct err *err)
{
    FILE *out = answer_stream(memory, err);
    if (!out)
        return RC_LIMIT;
    return answer_written(out, write_answer(feed, snapshot, kept, ask, window, out, err), err);
}

enum rc runner_answer_kept(struct feed *feed, const struct snapshot *snapshot,
                           const struct runner_kept *kept, uint32_t number, int memory,
                           struct err *err)
{
    struct plain_profile *profile;
    FILE *out = answer_stream(memory, err);
    if (!out)
        return RC_LIMIT;
    enum rc rc =
        profile_of_all(feed, snapshot, kept, kept_kinds[number], number, &profile, err);
    if (rc == RC_OK) {
        profile->comment_count = 0; // they are of this run
        rc = profile_form_write(profile, &(struct ask){.form = ASK_PPROF}, out, err);
    }
    plain_free(profile);
    return answer_written(out, rc, err);
}
