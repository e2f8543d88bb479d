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

#define LOOK_MS 100         // from one look at what is due to the next
#define KEEP_UP_NS (250 * NS_PER_MS)
#define REPORT_NS (5ll * NS_PER_S)
#define RANGES_NS (300ll * NS_PER_S) // as long as slices reach back
#define HALF_NS (NS_PER_S / 2)
#define ASKED_MOST 256      // questions that wait at one time

struct runner_ask { // a question that waits for its answer
    struct ask ask;
    int64_t from; // ns of sampling: where its window begins
};

struct runner {
    const struct runner_config *config;
    int channel;
    struct feed *feed; // NULL: nobody has asked for anything yet
    struct runner_kept kept;
    struct runner_ask asked[ASKED_MOST];
    size_t count;
    int64_t waits_until, views_until; // CLOCK_MONOTONIC ns
    int64_t ranges_until; // a page that is paused may ask for a range: it is kept, nobody is
                          // stopped
    int64_t kept_up;
    struct reporter *reporter;
    int64_t reported;
    bool in_place; // no thread is stopped
    bool finishing; // all are answered now, with what there is
    bool over;
};

static void refuse(const struct runner *runner, uint32_t id, enum rc rc, const char *text)
{
    struct answer_head answer = {.id = id, .rc = rc};
    strncpy(answer.text, text, sizeof answer.text - 1);
    if (!answer_send(runner->channel, &answer, -1))
        _exit(EXIT_FAILURE);
}

// --- what is counted, and for how long ---

static bool is_of_waits(const struct ask *ask)
{
    return ask->what == ASK_BLOCK || ask->what == ASK_MUTEX;
}

static bool is_of_views(const struct ask *ask)
{
    return ask->what == ASK_VIEW || ask->what == ASK_FLAME;
}

static bool begin(struct runner *runner, struct err *err)
{
    const struct runner_config *config = runner->config;
    struct session_options options = session_defaults;
    struct session *session;
    options.rate = config->rate;
    options.live = true;
    enum rc rc = session_open(&config->pid, 1, &options, &session, err);
    if (rc != RC_OK)
        return false;
    session_stop_nobody(session, true);
    runner->in_place = true;
    return feed_live(session, &(struct feed_options){0}, &runner->feed, err) == RC_OK;
}

static bool somebody_needs_stops(const struct runner *runner, int64_t now)
{
    if (now < runner->views_until)
        return true;
    for (size_t i = 0; i < runner->count; i++)
        if (!is_of_waits(&runner->asked[i].ask))
            return true;
    return false;
}

// Stops begin with the first question that needs them and end with the last.
static void follow_needs(struct runner *runner)
{
    int64_t now = clock_now();
    bool in_place = !somebody_needs_stops(runner, now);
    if (runner->feed && in_place != runner->in_place)
        feed_stop_nobody(runner->feed, in_place);
    runner->in_place = in_place;
    runner->over |= runner->finishing && !runner->count;
    runner->over |= in_place && !runner->count && now >= runner->waits_until &&
                    now >= runner->ranges_until;
}

static void extend(struct runner *runner, const struct ask *ask)
{
    int64_t now = clock_now();
    if (is_of_waits(ask))
        runner->waits_until = now + runner->config->linger_waits;
    if (is_of_views(ask)) {
        runner->views_until = now + runner->config->linger_views;
        runner->ranges_until = now + RANGES_NS;
    }
    feed_want_type(runner->feed, runner_answer_kind(ask));
}

// --- questions ---

static void cancel(struct runner *runner, uint32_t id)
{
    for (size_t i = 0; i < runner->count; i++)
        if (runner->asked[i].ask.id == id) {
            runner->asked[i--] = runner->asked[--runner->count];
            follow_needs(runner);
        }
}

static void take_ask(struct runner *runner, const struct ask *ask)
{
    struct err err = {0};
    if (ask->what == ASK_CANCEL) {
        cancel(runner, ask->id);
        return;
    }
    runner->finishing |= ask->what == ASK_FINISH;
    if (runner->finishing)
        return;
    if (runner->count == ASKED_MOST) {
        refuse(runner, ask->id, RC_LIMIT, "too many questions wait for this process");
        return;
    }
    if (!runner->feed && !begin(runner, &err)) {
        refuse(runner, ask->id, RC_DENIED, err.text);
        runner->over = true;
        return;
    }
    extend(runner, ask);
    runner->asked[runner->count++] = (struct runner_ask){.ask = *ask, .from = -1};
    follow_needs(runner);
}

// --- answers ---

// A window consists of whole seconds of sampling, the first of which is the next one that begins,
// but for half a second: slices are completed in the middle of a second, when the CPU time of the
// one before has been told.
static bool is_due(struct runner_ask *asked, const struct snapshot *snapshot, int64_t completed)
{
    int64_t now = snapshot->elapsed;
    if (asked->from < 0)
        asked->from = (now + HALF_NS) / NS_PER_S * NS_PER_S;
    return snapshot->end == TARGET_ENDED || !asked->ask.window ||
           completed >= asked->from + asked->ask.window + HALF_NS;
}

static void answer(struct runner *runner, struct runner_ask *asked, struct snapshot *snapshot,
                   int64_t completed)
{
    struct runner_window window = {.from = asked->from, .completed = completed};
    struct answer_head head = {.id = asked->ask.id};
    struct err err = {0};
    int memory = answer_memory();
    head.rc = runner_answer(runner->feed, snapshot, &runner->kept, &asked->ask, &window, memory,
                            &err);
    memcpy(head.text, err.text, sizeof head.text);
    head.partial = snapshot->end == TARGET_ENDED;
    head.size = memory >= 0 ? answer_seal(memory) : 0;
    if (!answer_send(runner->channel, &head, head.rc == RC_OK ? memory : -1))
        _exit(EXIT_FAILURE);
    cleanup_fd(&memory);
}

static bool may_be_due(const struct runner *runner)
{
    return runner->feed && runner->count;
}

static void answer_those_due(struct runner *runner)
{
    if (!may_be_due(runner))
        return;
    struct snapshot *snapshot = feed_take(runner->feed);
    int64_t completed = slices_completed(snapshot->moment.slices);
    for (size_t i = 0; i < runner->count; i++)
        if (is_due(&runner->asked[i], snapshot, completed) || runner->finishing) {
            answer(runner, &runner->asked[i], snapshot, completed);
            runner->asked[i--] = runner->asked[--runner->count];
        }
    runner->over |= snapshot->end == TARGET_ENDED;
    snapshot_free(snapshot);
}

static void keep_up(struct runner *runner)
{
    if (!runner->feed || clock_now() < runner->kept_up + KEEP_UP_NS)
        return;
    runner->kept_up = clock_now();
    feed_keep_up(runner->feed);
}

// The collector tells of it in /metrics.
static void report(struct runner *runner, int64_t now)
{
    struct snapshot *snapshot = feed_take(runner->feed);
    struct answer_head head = {.partial = RUNNER_REPORT, .size = sizeof(struct runner_report)};
    AUTO_FD int memory = answer_memory();
    const struct runner_report *made = reporter_make(runner->reporter, snapshot);
    if (memory >= 0 && write(memory, made, sizeof *made) == sizeof *made)
        (void)answer_send(runner->channel, &head, memory);
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

static bool take_asks(struct runner *runner)
{
    struct pollfd fds[] = {{.fd = runner->channel, .events = POLLIN},
                           {.fd = runner->feed ? feed_fd(runner->feed) : -1, .events = POLLIN}};
    int ready = poll(fds, ARRAY_LENGTH(fds), LOOK_MS);
    if (ready <= 0 || !fds[0].revents)
        return true;
    struct ask ask;
    int memory = -1, got = ask_receive(runner->channel, &ask, &memory);
    cleanup_fd(&memory);
    if (got > 0)
        take_ask(runner, &ask);
    return got > 0;
}

// --- what is kept ---

static void hand_over(struct runner *runner)
{
    struct err err = {0};
    struct snapshot *snapshot = runner->feed ? feed_take(runner->feed) : NULL;
    for (uint32_t i = 0; i < RUNNER_KEPT && snapshot && snapshot->end != TARGET_ENDED; i++) {
        struct answer_head head = {.partial = i};
        int memory = answer_memory();
        if (runner_answer_kept(runner->feed, snapshot, &runner->kept, i, memory, &err) == RC_OK) {
            head.size = answer_seal(memory);
            (void)answer_send(runner->channel, &head, memory);
        }
        cleanup_fd(&memory);
    }
    snapshot_free(snapshot);
}

void runner_serve(int channel, const void *context)
{
    static struct runner runner;
    runner.config = context;
    runner.channel = channel;
    runner.reporter = reporter_new();
    runner_kept_read(&runner.kept, runner.config->kept);
    bool asked = true;
    while (!runner.over && asked) {
        asked = take_asks(&runner);
        keep_up(&runner);
        report_if_due(&runner);
        answer_those_due(&runner);
        follow_needs(&runner);
    }
    if (runner.feed)
        report(&runner, clock_now());
    if (runner.waits_until)
        hand_over(&runner);
    feed_free(runner.feed);
    runner_kept_fini(&runner.kept);
    reporter_free(runner.reporter);
}
