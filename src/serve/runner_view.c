// SPDX-License-Identifier: MIT
#include "serve/runner_view.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/figures.h"
#include "base/json.h"
#include "base/mem.h"
#include "monitor/snapshot_json.h"
#include "output/flame.h"

#define HALF_NS (NS_PER_S / 2)
#define ON_TIME_NS (NS_PER_S / 10) // what begins so late in a second is taken to have begun with it
#define NAMES_MS 200           // that a picture waits for names: the next one has the others
#define FUNCTIONS_MOST 500     // in a view, if the question does not say

// What one question is about: a snapshot, and since when (ns of sampling) it has what is asked for.
struct sight {
    struct snapshot snapshot; // borrowed, but for the profile of holders
    const struct ask *ask;
    enum profile_kind kind;
    int64_t since;
};

// --- which slices a range of time is ---

struct kept { // whole seconds that are kept of what is asked for, ns since 1970 UTC
    int64_t from, until;
    bool begun_late; // slices reach further back than what is asked for was counted
};

// Slices of before something was counted are not of a time in which there was none of it.
static struct kept kept_of(const struct sight *sight)
{
    const struct snapshot *snapshot = &sight->snapshot;
    const struct slices *slices = snapshot->moment.slices;
    int64_t behind = snapshot->elapsed - slices_completed(slices);
    int64_t counted = (slices_completed(slices) - sight->since + ON_TIME_NS) / NS_PER_S;
    int64_t seconds = (int64_t)slices_count(slices);
    struct kept kept = {.until = clock_wall() - behind, .begun_late = counted < seconds};
    if (kept.begun_late)
        seconds = counted > 0 ? counted : 0;
    kept.from = kept.until - seconds * NS_PER_S;
    return kept;
}

static enum rc not_kept(const struct kept *kept, const int64_t *range, struct err *err)
{
    char from[FIGURES_MOST];
    if (range[0] >= range[1])
        return err_set(err, RC_USAGE, "the range ends before it begins");
    if (range[0] >= kept->until)
        return err_set(err, RC_USAGE, "nothing is known of this range yet");
    return err_set(err, RC_USAGE, "this range lies before %s: %s", figures_date(kept->from, from),
                   kept->begun_late ? "nothing of this kind was counted yet"
                                    : "what was sampled then is not kept");
}

// Fails when nothing of the range is kept. Sets it to what of it is.
static enum rc span_of(const struct kept *kept, int64_t *range, struct rows_span *span,
                       struct err *err)
{
    if (!range[0] && !range[1]) {
        range[0] = kept->until - RUNNER_VIEW_SECONDS * (int64_t)NS_PER_S;
        range[1] = kept->until;
    } else if (range[0] >= range[1] || range[1] <= kept->from || range[0] >= kept->until) {
        return not_kept(kept, range, err);
    }
    range[0] = range[0] > kept->from ? range[0] : kept->from;
    range[1] = range[1] < kept->until ? range[1] : kept->until;
    span->skip = (size_t)((kept->until - range[1]) / NS_PER_S);
    span->seconds = (size_t)((range[1] - range[0] + HALF_NS) / NS_PER_S);
    span->seconds += !span->seconds;
    return RC_OK;
}

// The type is named for CPU time too: shares are then of time, as in flame graphs, not of samples.
static struct rows_query query_of(const struct ask *ask, enum profile_kind kind)
{
    return (struct rows_query){
        .filter = {.terms = ask->text, .type = profile_types[kind].name},
        .sort = kind == PROFILE_BLOCK || kind == PROFILE_MUTEX ? SORT_DELAY : SORT_SELF,
    };
}

// A wait for a lock is there twice, as who waited and as who held the lock meanwhile: files tell
// the two apart by the label "side". A sum over both would count it twice, so what is shown of
// locks is who held them, as in Go's profiles of locks. The caller frees the profile.
static struct plain_profile *of_holders(const struct moment *moment)
{
    struct plain_profile *profile = plain_copy(moment->profile);
    for (uint32_t i = 0; i < profile->samples.count; i++)
        if (moment->sampled.of[profile->samples.list[i].labels].state == STATE_DELAYED)
            memset(&profile->samples.values[i * profile->type_count], 0,
                   profile->type_count * sizeof *profile->samples.values);
    return profile;
}

// --- functions and threads ---

static enum rc write_text(const struct buf *text, FILE *out, struct err *err)
{
    return fwrite(text->data, 1, text->length, out) == text->length
               ? RC_OK
               : err_sys(err, RC_IO, errno, "cannot write an answer");
}

static void put_range(struct json *json, const int64_t *range, const struct kept *kept)
{
    json_begin(json, "range", '{');
    json_number(json, "from_ns", range[0]);
    json_number(json, "to_ns", range[1]);
    json_number(json, "kept_from_ns", kept->from);
    json_number(json, "kept_to_ns", kept->until);
    json_end(json, '{');
}

static size_t functions_most(const struct ask *ask)
{
    return ask->count == ASK_NO_FUNCTIONS ? 0 : ask->count ? ask->count : FUNCTIONS_MOST;
}

static enum rc write_view(const struct sight *sight, FILE *out, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    struct json json = {.out = &text, .follows = true};
    const struct ask *ask = sight->ask;
    struct rows_query query = query_of(ask, sight->kind);
    struct kept kept = kept_of(sight);
    int64_t range[] = {ask->ranges[0][0], ask->ranges[0][1]};
    enum rc rc = span_of(&kept, range, &query.span, err);
    if (rc == RC_OK)
        rc = snapshot_json(&text, &sight->snapshot, &query, functions_most(ask), err);
    if (rc != RC_OK)
        return rc;
    text.length -= 2; // its end
    put_range(&json, range, &kept);
    json_end(&json, '{');
    return write_text(&text, out, err);
}

// --- cells ---

static enum rc extract(struct feed *feed, const struct sight *sight, size_t which,
                       struct plain_profile **profile, struct err *err)
{
    struct rows_query query = query_of(sight->ask, sight->kind);
    struct kept kept = kept_of(sight);
    int64_t range[] = {sight->ask->ranges[which][0], sight->ask->ranges[which][1]};
    enum rc rc = span_of(&kept, range, &query.span, err);
    if (rc == RC_OK)
        rc = feed_extract(feed, &sight->snapshot, &query, NULL, NAMES_MS, profile, err);
    if (!*profile)
        return rc;
    (*profile)->time = range[0];
    (*profile)->duration = (int64_t)query.span.seconds * NS_PER_S;
    return RC_OK;
}

static enum rc write_flame(struct feed *feed, const struct sight *sight, FILE *out,
                           struct err *err)
{
    struct plain_profile *profiles[2] = {0};
    bool two = sight->ask->ranges[1][0] || sight->ask->ranges[1][1];
    enum rc rc = extract(feed, sight, 0, &profiles[0], err);
    if (rc == RC_OK && two)
        rc = extract(feed, sight, 1, &profiles[1], err);
    if (rc == RC_OK)
        rc = flame_data_write(&(struct flame_request){.profile = profiles[0], .base = profiles[1],
                                                      .profile_name = "range",
                                                      .base_name = "compared with",
                                                      .title = sight->snapshot.comm,
                                                      .value = profiles[0]->type_count - 1},
                              out, err);
    plain_free(profiles[0]);
    plain_free(profiles[1]);
    return rc;
}

enum rc runner_view_write(struct feed *feed, const struct snapshot *snapshot,
                          const struct ask *ask, enum profile_kind kind, int64_t since, FILE *out,
                          struct err *err)
{
    struct sight sight = {.snapshot = *snapshot, .ask = ask, .kind = kind, .since = since};
    struct plain_profile *holders = kind == PROFILE_MUTEX ? of_holders(&snapshot->moment) : NULL;
    if (holders)
        sight.snapshot.moment.profile = holders;
    feed_want_waits(feed, true, 0);
    enum rc rc = ask->what == ASK_FLAME ? write_flame(feed, &sight, out, err)
                                        : write_view(&sight, out, err);
    plain_free(holders);
    return rc;
}
