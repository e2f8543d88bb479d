// SPDX-License-Identifier: MIT
#include "serve/runner.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "monitor/feed.h"
#include "serve/ask.h"
#include "serve/runner_answer.h"
#include "serve/runner_report.h"

#define LOOK_MS 50          // from one look at what is due to the next
#define IDLE_MS 250         // the same while nobody waits
#define KEEP_UP_NS (250 * NS_PER_MS)
#define NAME_NS NS_PER_S    // from one look for names of what was sampled to the next
#define REPORT_NS (5ll * NS_PER_S)
#define RANGES_NS (300ll * NS_PER_S) // as long as slices reach back
#define HALF_NS (NS_PER_S / 2)
#define ASKED_MOST 1024     // questions that wait at one time

struct runner_ask { // a question that waits for its answer
    struct ask ask;
    int64_t from; // ns of sampling: where its window begins
    int64_t begun; // of struct runner_window
    struct session_part *part; // of when it began, until it ends; owned. NULL: it has not begun
    bool finish; // it is answered now, with what there is
};

struct runner {
    const struct runner_config *config;
    int channel;
    struct feed *feed; // NULL: nobody has asked for anything yet, or it could not be begun
    struct runner_kept kept;
    struct runner_ask *asked; // owned
    size_t count, capacity;
    int64_t waits_until, views_until; // CLOCK_MONOTONIC ns
    // CLOCK_MONOTONIC ns: a page that is paused may ask for a range, which is kept, but nobody is
    // stopped
    int64_t ranges_until;
    int64_t kept_up, named;
    int64_t counts_since[PROFILE_KINDS]; // ns of sampling; -1: nobody has asked for this type
    int64_t stops_since; // ns of sampling, unless in_place
    struct reporter *reporter;
    int64_t reported;
    bool in_place; // no thread is stopped
    bool done;     // there is nothing to do, and the collector knows
    bool closed;   // the channel is
};

static void say(const struct runner *runner, const struct answer_head *answer, int memory)
{
    if (!answer_send(runner->channel, answer, memory))
        _exit(EXIT_SUCCESS); // the collector has closed the channel
}

static void refuse(const struct runner *runner, uint32_t id, enum rc rc, const struct err *err)
{
    struct answer_head answer = {.id = id, .rc = rc};
    memcpy(answer.text, err->text, sizeof answer.text);
    say(runner, &answer, -1);
}

// --- what is counted, and for how long ---

static bool is_of_waits(const struct ask *ask)
{
    return runner_answer_keeps(ask) < RUNNER_KEPT;
}

static bool is_of_views(const struct ask *ask)
{
    return ask->what == ASK_VIEW || ask->what == ASK_FLAME;
}

static enum rc begin(struct runner *runner, const struct ask *ask, struct err *err)
{
    const struct runner_config *config = runner->config;
    struct session_options options = session_defaults;
    struct session *session;
    options.rate = config->rate;
    options.min_block = config->min_block;
    options.live = true;
    enum rc rc = session_open(&config->pid, 1, &options, &session, err);
    if (rc != RC_OK)
        return rc;
    bool in_place = is_of_waits(ask);
    session_stop_nobody(session, in_place);
    rc = feed_live(session, &(struct feed_options){0}, &runner->feed, err);
    if (rc == RC_OK)
        runner->in_place = in_place;
    for (size_t i = 0; i < PROFILE_KINDS; i++)
        runner->counts_since[i] = -1;
    return rc;
}

static bool somebody_needs_stops(const struct runner *runner)
{
    if (clock_now() < runner->views_until)
        return true;
    for (size_t i = 0; i < runner->count; i++)
        if (!is_of_waits(&runner->asked[i].ask))
            return true;
    return false;
}

// Stops begin with the first question that needs them and end with the last.
static void follow_needs(struct runner *runner)
{
    bool in_place = !somebody_needs_stops(runner);
    if (!runner->feed || in_place == runner->in_place)
        return;
    runner->in_place = in_place;
    runner->stops_since = feed_time(runner->feed).elapsed;
    feed_stop_nobody(runner->feed, in_place);
}

static bool is_idle(const struct runner *runner)
{
    int64_t now = clock_now();
    return !runner->count && runner->in_place && now >= runner->waits_until &&
           now >= runner->ranges_until;
}

static unsigned counted_types(const struct runner *runner)
{
    unsigned types = 0;
    for (size_t i = 0; i < PROFILE_KINDS; i++)
        types |= runner->counts_since[i] >= 0 ? PROFILE_BIT(i) : 0;
    return types;
}

static void extend(struct runner *runner, const struct ask *ask)
{
    enum profile_kind kind = runner_answer_kind(ask);
    int64_t now = clock_now();
    if (is_of_waits(ask))
        runner->waits_until = now + runner->config->linger_waits;
    if (is_of_views(ask)) {
        runner->views_until = now + runner->config->linger_views;
        runner->ranges_until = now + RANGES_NS;
    }
    if (runner->counts_since[kind] >= 0)
        return;
    runner->counts_since[kind] = feed_time(runner->feed).elapsed;
    feed_want_types(runner->feed, counted_types(runner));
}

// --- questions ---

static void forget(struct runner *runner, size_t number)
{
    free(runner->asked[number].part);
    runner->asked[number] = runner->asked[--runner->count];
}

static void cancel(struct runner *runner, uint32_t id)
{
    for (size_t i = runner->count; i-- > 0;)
        if (runner->asked[i].ask.id == id)
            forget(runner, i);
    follow_needs(runner);
}

// Nothing is sampled any more, until somebody asks again.
static void finish(struct runner *runner)
{
    for (size_t i = 0; i < runner->count; i++)
        runner->asked[i].finish = true;
    runner->waits_until = runner->waits_until ? 1 : 0;
    runner->views_until = runner->ranges_until = 0;
}

static int64_t whole_second(int64_t ns, int64_t added)
{
    return (ns + added) / NS_PER_S * NS_PER_S;
}

// A window consists of whole seconds of sampling: it begins with the nearest one, but not before
// what it needs is counted. What has just begun is taken to have begun on time.
static void set_window(const struct runner *runner, struct runner_ask *asked)
{
    const struct ask *ask = &asked->ask;
    int64_t since = runner->counts_since[runner_answer_kind(ask)];
    int64_t from = whole_second(feed_time(runner->feed).elapsed, HALF_NS);
    if (!is_of_waits(ask) && runner->stops_since > since)
        since = runner->stops_since;
    int64_t earliest = whole_second(since, NS_PER_S - NS_PER_S / 10);
    asked->from = from > earliest ? from : earliest;
    asked->begun = from > earliest ? from : since;
}

static void take_ask(struct runner *runner, const struct ask *ask)
{
    struct err err = {0};
    enum rc rc = RC_OK;
    runner->done = false;
    if (runner->count == ASKED_MOST)
        rc = err_set(&err, RC_LIMIT, "too many questions wait for this process");
    else if (!runner->feed)
        rc = begin(runner, ask, &err);
    if (rc != RC_OK) {
        refuse(runner, ask->id, rc, &err);
        return;
    }
    extend(runner, ask);
    ARRAY_RESERVE(runner->asked, runner->count, runner->capacity);
    struct runner_ask *asked = &runner->asked[runner->count++];
    *asked = (struct runner_ask){.ask = *ask};
    follow_needs(runner);
    set_window(runner, asked);
}

// Takes one question, or waits for a while.
static void take_questions(struct runner *runner)
{
    struct pollfd fd = {.fd = runner->channel, .events = POLLIN};
    int patience = runner->count ? LOOK_MS : IDLE_MS;
    struct ask ask;
    int memory = -1;
    while (!runner->closed && poll(&fd, 1, patience) > 0) {
        patience = 0; // all that have come
        int got = ask_receive(runner->channel, &ask, &memory);
        cleanup_fd(&memory);
        runner->closed = got == 0;
        if (got > 0 && ask.what == ASK_CANCEL)
            cancel(runner, ask.id);
        else if (got > 0 && ask.what == ASK_FINISH)
            finish(runner);
        else if (got > 0)
            take_ask(runner, &ask);
    }
}

// --- answers ---

// A second is over when what was used in it has been told.
static bool is_due(const struct runner_ask *asked, const struct feed_time *time)
{
    return time->ended || asked->finish || !asked->ask.window ||
           time->completed >= asked->from + asked->ask.window;
}

static void mark_begin(struct runner *runner, const struct feed_time *time)
{
    for (size_t i = 0; i < runner->count; i++) {
        struct runner_ask *asked = &runner->asked[i];
        if (asked->part || !asked->ask.window || time->completed < asked->from)
            continue;
        asked->part = xmalloc(sizeof *asked->part);
        feed_mark(runner->feed, &asked->part->from);
    }
}

static void answer(struct runner *runner, const struct runner_ask *asked,
                   const struct snapshot *snapshot, const struct feed_time *time)
{
    bool ended = time->ended || (asked->finish && asked->ask.window);
    if (asked->part)
        feed_mark(runner->feed, &asked->part->until);
    const struct runner_window window = {
        .from = asked->from, .begun = asked->begun, .completed = time->completed, .ended = ended,
        .over = time->ended && snapshot->elapsed < asked->from + asked->ask.window,
        .part = asked->part, .counts_since = runner->counts_since[runner_answer_kind(&asked->ask)]};
    struct answer_head head = {.id = asked->ask.id, .partial = ended};
    struct err err = {0};
    AUTO_FD int memory = answer_memory();
    head.rc = runner_answer(runner->feed, snapshot, &runner->kept, &asked->ask, &window, memory,
                            &err);
    memcpy(head.text, err.text, sizeof head.text);
    head.size = memory >= 0 ? answer_seal(memory) : 0;
    say(runner, &head, head.rc == RC_OK ? memory : -1);
    runner->done = false;
}

// Takes those that are due off the list: nobody is stopped for them while they are answered.
static size_t take_due(struct runner *runner, const struct feed_time *time,
                       struct runner_ask **due)
{
    size_t count = 0;
    *due = xcalloc(runner->count, sizeof **due);
    for (size_t i = runner->count; i-- > 0;)
        if (is_due(&runner->asked[i], time)) {
            (*due)[count++] = runner->asked[i];
            runner->asked[i] = runner->asked[--runner->count];
        }
    return count;
}

static void answer_those_due(struct runner *runner)
{
    AUTO_FREE struct runner_ask *due = NULL;
    if (!runner->feed || !runner->count)
        return;
    struct feed_time time = feed_time(runner->feed);
    mark_begin(runner, &time);
    size_t count = take_due(runner, &time, &due);
    if (!count)
        return;
    follow_needs(runner);
    struct snapshot *snapshot = feed_take(runner->feed);
    time.completed = slices_completed(snapshot->moment.slices);
    for (size_t i = 0; i < count; i++) {
        answer(runner, &due[i], snapshot, &time);
        free(due[i].part);
    }
    snapshot_free(snapshot);
}

static bool is_time(int64_t *last, int64_t interval)
{
    int64_t now = clock_now();
    if (now < *last + interval)
        return false;
    *last = now;
    return true;
}

static void keep_up(struct runner *runner)
{
    if (runner->feed && is_time(&runner->kept_up, KEEP_UP_NS))
        feed_keep_up(runner->feed);
    if (runner->feed && runner->count && is_time(&runner->named, NAME_NS))
        feed_name_ahead(runner->feed);
}

// The collector tells of it in /metrics.
static void report(struct runner *runner, int64_t now)
{
    struct snapshot *snapshot = feed_take(runner->feed);
    struct answer_head head = {.partial = RUNNER_REPORT, .size = sizeof(struct runner_report)};
    AUTO_FD int memory = answer_memory();
    const struct runner_report *made = reporter_make(runner->reporter, snapshot);
    if (memory >= 0 && write(memory, made, sizeof *made) == sizeof *made)
        say(runner, &head, memory);
    runner->reported = now;
    snapshot_free(snapshot);
}

static void report_if_due(struct runner *runner)
{
    int64_t now = clock_now();
    if (!runner->feed || !runner->reported)
        runner->reported = now;
    if (now >= runner->reported + REPORT_NS)
        report(runner, now);
}

// --- the end ---

static void hand_over(struct runner *runner)
{
    struct err err = {0};
    if (!runner->waits_until)
        return;
    struct snapshot *snapshot = feed_take(runner->feed);
    for (uint32_t i = 0; i < RUNNER_KEPT; i++) {
        struct answer_head head = {.partial = i};
        AUTO_FD int memory = answer_memory();
        if (runner_answer_kept(runner->feed, snapshot, &runner->kept, i, memory, &err) != RC_OK)
            continue;
        head.size = answer_seal(memory);
        say(runner, &head, memory);
    }
    snapshot_free(snapshot);
}

// The collector closes the channel then, unless it has just asked something.
static void say_done(struct runner *runner)
{
    if (runner->done)
        return;
    if (runner->feed) {
        report(runner, clock_now());
        hand_over(runner);
    }
    say(runner, &(struct answer_head){.partial = RUNNER_DONE}, -1);
    runner->done = true;
}

// The target may end at any time: who waits is answered first, since who still waits keeps the
// collector from closing the channel.
static bool is_done(const struct runner *runner)
{
    return is_idle(runner) ||
           (!runner->count && runner->feed && feed_time(runner->feed).ended);
}

void runner_serve(int channel, const void *context)
{
    struct runner runner = {.config = context, .channel = channel, .in_place = true};
    runner.reporter = reporter_new();
    runner_kept_read(&runner.kept, runner.config->kept);
    while (!runner.closed) {
        take_questions(&runner);
        report_if_due(&runner);
        answer_those_due(&runner);
        keep_up(&runner);
        follow_needs(&runner);
        if (is_done(&runner))
            say_done(&runner);
    }
    feed_free(runner.feed);
    runner_kept_fini(&runner.kept);
    reporter_free(runner.reporter);
    free(runner.asked);
}
