// SPDX-License-Identifier: MIT
// ptprof top shows where the time goes while the target runs.
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "commands/command.h"
#include "commands/interrupts.h"
#include "commands/top_block.h"
#include "commands/top_options.h"
#include "commands/top_screen.h"
#include "monitor/feed.h"
#include "monitor/snapshot_json.h"
#include "process/control_group.h"

#define WIDTH 132             // columns of a block that is not for a terminal
#define NAMES_MS 10000        // that a block waits for names
#define KEEP_UP_MS 250
#define REPORT_NS (250 * NS_PER_MS) // until all of the last second has been told
#define EARLY_NS (50 * NS_PER_MS)   // from one look whether that of the first has been to the next

struct top {
    struct top_options options;
    pid_t pid;
    struct feed *feed;
    int signals; // descriptor of commands/interrupts.h
    unsigned width;
    bool closed; // the reader of standard output has closed it
    bool stopped; // a signal asked us to end
};

// --- signals ---

// Sampling pauses while this process is suspended.
static void suspend(struct top *top)
{
    feed_pause(top->feed, true);
    interrupts_suspend();
    feed_pause(top->feed, false);
}

static bool is_told_to_stop(struct top *top)
{
    int number = top->signals >= 0 ? interrupts_next(top->signals) : 0;
    if (number == SIGTSTP)
        suspend(top);
    else if (number && number != SIGUSR1)
        top->stopped = true;
    return top->stopped;
}

// --- blocks ---

// Waits until standard output takes PIPE_BUF bytes. Returns false if a signal asked us to end: we
// have to notice that even while a pager does not read.
static bool wait_for_room(struct top *top)
{
    struct pollfd fds[] = {
        {.fd = STDOUT_FILENO, .events = POLLOUT},
        {.fd = top->signals, .events = POLLIN},
    };
    while (poll(fds, ARRAY_LENGTH(fds), -1) < 0 || !fds[0].revents)
        if (is_told_to_stop(top))
            return false;
    return true;
}

static enum rc write_all(struct top *top, const struct buf *text, struct err *err)
{
    for (size_t at = 0; at < text->length && wait_for_room(top);) {
        size_t left = text->length - at;
        ssize_t wrote = write(STDOUT_FILENO, text->data + at, left < PIPE_BUF ? left : PIPE_BUF);
        if (wrote < 0 && errno == EPIPE) {
            top->closed = true;
            return RC_OK;
        }
        if (wrote < 0 && errno != EINTR)
            return err_sys(err, RC_IO, errno, "cannot write to standard output");
        at += wrote > 0 ? (size_t)wrote : 0;
    }
    return RC_OK;
}

// The window is five seconds as on the screen, or longer if the interval of blocks is.
static struct rows_query query_of(const struct top *top)
{
    enum profile_kind type = top->options.screen.type;
    return (struct rows_query){
        .window = top->options.screen.delay > 5ll * NS_PER_S ? WINDOW_30S : WINDOW_5S,
        .sort = top->options.screen.sort,
        .filter = {.type = type == PROFILE_CPU ? NULL : profile_types[type].name,
                   .idle_waits = top->options.screen.idle_waits},
    };
}

static enum rc print_block(struct top *top, const struct snapshot *snapshot, bool first,
                           struct err *err)
{
    AUTO_BUF struct buf text = {0};
    struct rows_query query = query_of(top);
    if (!first && !top->options.json)
        buf_putc(&text, '\n');
    enum rc rc = top->options.json
                     ? snapshot_json(&text, snapshot, &query, SIZE_MAX, err)
                     : top_block_text(&text, snapshot, &query, top->width, err);
    return rc == RC_OK ? write_all(top, &text, err) : rc;
}

enum wake { WAKE_TIME, WAKE_NEWS, WAKE_STOP };

// Waits until the next block is due, the feed has news of the target, or a signal asks us to end.
static enum wake wait_until(struct top *top, int64_t due)
{
    struct pollfd fds[] = {
        {.fd = top->signals, .events = POLLIN},
        {.fd = feed_fd(top->feed), .events = POLLIN},
        {.fd = STDOUT_FILENO}, // POLLERR of a closed pipe needs no events
    };
    for (;;) {
        int64_t left_ms = (due - clock_now() + NS_PER_MS - 1) / NS_PER_MS;
        if (left_ms <= 0)
            return WAKE_TIME;
        poll(fds, ARRAY_LENGTH(fds), (int)(left_ms < KEEP_UP_MS ? left_ms : KEEP_UP_MS));
        feed_keep_up(top->feed);
        if (is_told_to_stop(top))
            return WAKE_STOP;
        top->closed = fds[2].revents & POLLERR;
        if (top->closed)
            return WAKE_STOP;
        if (fds[1].revents)
            return WAKE_NEWS;
    }
}

// The first block waits for the first second.
static bool is_early(const struct top *top)
{
    if (feed_is_replay(top->feed))
        return false;
    struct feed_time time = feed_time(top->feed);
    return !time.ended && time.completed < NS_PER_S;
}

// A block that is late is skipped, not made up for: a block shows the time when it is made, and
// Ctrl-C is handled between blocks.
static int64_t next_due(int64_t due, int64_t delay)
{
    int64_t now = clock_now();
    return (due + delay > now ? due : now) + delay;
}

// Returns RC_GONE if the target ended.
static enum rc print_blocks(struct top *top, struct err *err)
{
    uint64_t wanted = top->options.iterations, printed = 0;
    int64_t due = clock_now() + top->options.screen.delay + REPORT_NS;
    feed_want_types(top->feed, PROFILE_BIT(top->options.screen.type));
    feed_want_waits(top->feed, top->options.json, 0);
    while (!wanted || printed < wanted) {
        enum wake wake = feed_is_replay(top->feed) ? WAKE_TIME : wait_until(top, due);
        if (wake == WAKE_STOP)
            return RC_OK;
        if (wake == WAKE_TIME && !printed && is_early(top)) {
            due += EARLY_NS;
            continue;
        }
        struct snapshot *snapshot = feed_take(top->feed);
        enum rc rc = feed_error(top->feed, err);
        bool ended = !snapshot || snapshot->end == TARGET_ENDED;
        if (rc == RC_OK && snapshot && (wake == WAKE_TIME || ended))
            rc = print_block(top, snapshot, printed++ == 0, err);
        snapshot_free(snapshot);
        if (rc != RC_OK || top->closed || top->stopped || ended)
            return rc == RC_OK && ended ? RC_GONE : rc;
        if (wake == WAKE_TIME)
            due = next_due(due, top->options.screen.delay);
    }
    return RC_OK;
}

static int run_batch(struct top *top, struct err *err)
{
    feed_set_patience(top->feed, NAMES_MS);
    if (!top->options.iterations && !top->options.batch)
        top->options.iterations = 1;
    enum rc rc = print_blocks(top, err);
    if (control_group_is_frozen(top->pid))
        fputs("ptprof: its control group is frozen: nothing in it runs until that is thawed\n",
              stderr);
    bool ended = rc == RC_GONE;
    if (feed_is_replay(top->feed) || (rc != RC_OK && !ended))
        return ended ? EXIT_DONE : command_status(rc);
    rc = feed_judge(top->feed, err);
    if (!ended || rc == RC_GONE)
        return command_status(rc);
    *err = (struct err){0}; // what was refused does not matter any more
    fprintf(stderr, "ptprof: %d ended\n", (int)top->pid);
    return EXIT_DONE;
}

// --- beginning and end ---

static enum rc open_feed(struct top *top, struct err *err)
{
    struct session *session;
    if (top->options.replay)
        return feed_replay(top->options.replay, &top->feed, err);
    enum rc rc = session_open(&top->pid, 1, &top->options.session, &session, err);
    if (rc != RC_OK)
        return rc;
    if ((top->signals = interrupts_open()) < 0) {
        session_close(session);
        return limits_sys(err, RC_FAIL, errno, "cannot take signals");
    }
    return feed_live(session, &top->options.feed, &top->feed, err);
}

// If no screen can be drawn, says why and prints blocks until Ctrl-C.
static int run_screen(struct top *top, struct err *err)
{
    enum rc rc = top_screen_run(&top->options, top->feed, top->signals, err);
    if (rc != RC_USAGE)
        return command_status(rc);
    fprintf(stderr, "ptprof: %s; printing blocks instead, as with -b\n", err->text);
    *err = (struct err){0};
    top->options.batch = true;
    return run_batch(top, err);
}

// The width is that of $COLUMNS, else that of the terminal, else WIDTH.
static unsigned width_of_blocks(void)
{
    const char *text = getenv("COLUMNS");
    long columns = text ? strtol(text, NULL, 10) : 0;
    if (columns > 0 && columns < 10000)
        return (unsigned)columns;
    return terminal_is(STDOUT_FILENO) ? terminal_width(STDOUT_FILENO) : WIDTH;
}

static int top_run(const struct call *call, struct err *err)
{
    struct top top = {.options = *(const struct top_options *)call->options, .signals = -1};
    enum rc rc = top_options_check(&top.options, err);
    if (rc == RC_OK && !top.options.replay)
        rc = call->count ? command_pid(call->operands[0], &top.pid, err)
                         : err_set(err, RC_USAGE, "top: PID is missing\n"
                                                  "  ptprof top --help says what it takes");
    if (rc == RC_OK)
        rc = open_feed(&top, err);
    if (rc != RC_OK)
        return command_status(rc);
    top.width = width_of_blocks();
    bool screen = !top.options.batch && (top.options.screen.script || terminal_is(STDOUT_FILENO));
    int status = screen ? run_screen(&top, err) : run_batch(&top, err);
    feed_free(top.feed);
    if (top.signals >= 0)
        close(top.signals);
    return status;
}

static const struct example examples[] = {
    {"ptprof top 4242", "see live where the time goes"},
    {"ptprof top 4242 -b -n 3 -D 5s", "three blocks of text, five seconds apart"},
    {"ptprof top 4242 --json -n 1", "the same for programs"},
    {"ptprof top 4242 --type block", "what its threads wait for, instead of CPU time"},
    {NULL, NULL},
};

const struct command command_top = {
    .name = "top",
    .args = "PID",
    .summary = "show live where a running process spends its CPU time",
    .operand = OPERAND_PID,
    .most = 1,
    .options = top_options,
    .defaults = &top_defaults,
    .options_size = sizeof(struct top_options),
    .examples = examples,
    .run = top_run,
};
