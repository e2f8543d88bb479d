// SPDX-License-Identifier: MIT
#include "serve/runner_view.h"

#include <errno.h>

#include "base/clock.h"
#include "base/figures.h"
#include "base/json.h"
#include "base/mem.h"
#include "monitor/snapshot_json.h"
#include "output/flame.h"

#define HALF_NS (NS_PER_S / 2) // slices are completed in the middle of a second
#define NAMES_MS 200           // that a picture waits for names: the next one has the others
#define FUNCTIONS_MOST 500     // in a view, if the question does not say

// --- which slices a range of time is ---

struct kept { // whole seconds that are kept, ns since 1970 UTC
    int64_t from, until;
    size_t seconds;
};

static struct kept kept_of(const struct snapshot *snapshot)
{
    const struct slices *slices = snapshot->moment.slices;
    int64_t behind = snapshot->elapsed - slices_completed(slices) + HALF_NS;
    struct kept kept = {.seconds = slices_count(slices), .until = clock_wall() - behind};
    kept.from = kept.until - (int64_t)kept.seconds * NS_PER_S;
    return kept;
}

static enum rc not_kept(const struct kept *kept, const int64_t *range, struct err *err)
{
    char from[FIGURES_MOST];
    if (range[0] >= range[1])
        return err_set(err, RC_USAGE, "the range ends before it begins");
    if (range[0] >= kept->until)
        return err_set(err, RC_USAGE, "nothing is known of this range yet");
    return err_set(err, RC_USAGE, "this range lies before %s: what was sampled then is not kept",
                   figures_date(kept->from, from));
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

static struct rows_query query_of(const struct ask *ask, enum profile_kind kind)
{
    return (struct rows_query){
        .filter = {.terms = ask->text,
                   .type = kind == PROFILE_CPU ? NULL : profile_types[kind].name},
        .sort = kind == PROFILE_BLOCK || kind == PROFILE_MUTEX ? SORT_DELAY : SORT_SELF,
    };
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

static enum rc write_view(const struct snapshot *snapshot, const struct ask *ask,
                          enum profile_kind kind, FILE *out, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    struct json json = {.out = &text, .follows = true};
    struct rows_query query = query_of(ask, kind);
    struct kept kept = kept_of(snapshot);
    int64_t range[] = {ask->ranges[0][0], ask->ranges[0][1]};
    enum rc rc = span_of(&kept, range, &query.span, err);
    if (rc == RC_OK)
        rc = snapshot_json(&text, snapshot, &query, functions_most(ask), err);
    if (rc != RC_OK)
        return rc;
    text.length -= 2; // its end
    put_range(&json, range, &kept);
    json_end(&json, '{');
    return write_text(&text, out, err);
}

// --- cells ---

static enum rc extract(struct feed *feed, const struct snapshot *snapshot, const struct ask *ask,
                       enum profile_kind kind, size_t which, struct plain_profile **profile,
                       struct err *err)
{
    struct rows_query query = query_of(ask, kind);
    struct kept kept = kept_of(snapshot);
    int64_t range[] = {ask->ranges[which][0], ask->ranges[which][1]};
    enum rc rc = span_of(&kept, range, &query.span, err);
    if (rc == RC_OK)
        rc = feed_extract(feed, snapshot, &query, NULL, NAMES_MS, profile, err);
    if (!*profile)
        return rc;
    (*profile)->time = range[0];
    (*profile)->duration = (int64_t)query.span.seconds * NS_PER_S;
    return RC_OK;
}

static enum rc write_flame(struct feed *feed, const struct snapshot *snapshot,
                           const struct ask *ask, enum profile_kind kind, FILE *out,
                           struct err *err)
{
    struct plain_profile *profiles[2] = {0};
    bool two = ask->ranges[1][0] || ask->ranges[1][1];
    enum rc rc = extract(feed, snapshot, ask, kind, 0, &profiles[0], err);
    if (rc == RC_OK && two)
        rc = extract(feed, snapshot, ask, kind, 1, &profiles[1], err);
    if (rc == RC_OK)
        rc = flame_data_write(&(struct flame_request){.profile = profiles[0], .base = profiles[1],
                                                      .profile_name = "range",
                                                      .base_name = "compared with",
                                                      .title = snapshot->comm,
                                                      .value = profiles[0]->type_count - 1},
                              out, err);
    plain_free(profiles[0]);
    plain_free(profiles[1]);
    return rc;
}

enum rc runner_view_write(struct feed *feed, const struct snapshot *snapshot,
                          const struct ask *ask, enum profile_kind kind, FILE *out,
                          struct err *err)
{
    feed_want_waits(feed, true, 0);
    return ask->what == ASK_FLAME ? write_flame(feed, snapshot, ask, kind, out, err)
                                  : write_view(snapshot, ask, kind, out, err);
}
