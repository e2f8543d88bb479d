// SPDX-License-Identifier: MIT
#include "commands/top_options.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "commands/top_screen.h"
#include "tui/theme.h"

#define SHORTEST_DELAY (200 * NS_PER_MS)

const struct top_options top_defaults = {
    .session = {SESSION_DEFAULTS, .live = true},
    .screen = {.delay = NS_PER_S},
    .sort = -1,
    .type = -1,
};

static const char *const type_names[] = {
    [PROFILE_CPU] = "cpu",
    [PROFILE_WALL] = "wall",
    [PROFILE_BLOCK] = "block",
    [PROFILE_MUTEX] = "mutex",
    NULL,
};

#define AT(field) .offset = offsetof(struct top_options, field)

const struct option top_options[] = {
    {"rate", 'r', OPTION_NUMBER, "HZ", AT(session.rate), .least = 0.1, .most = 1000,
     .help = "samples per second of each running thread", .shown_default = "99"},
    {"delay", 'D', OPTION_DURATION, "TIME", AT(screen.delay),
     .help = "between refreshes, at least 200ms; a bare number means seconds",
     .shown_default = "1s"},
    {"sort", 's', OPTION_CHOICE, NULL, AT(sort), .choices = rows_sort_names,
     .help = "what to sort by", .shown_default = "self"},
    {"batch", 'b', OPTION_FLAG, NULL, AT(batch),
     .help = "print blocks of text, without a screen; so it does when standard output is no "
             "terminal"},
    {"iterations", 'n', OPTION_INTEGER, "N", AT(iterations), .least = 1, .most = 1e9,
     .help = "print so many blocks",
     .shown_default = "1 without -b, until Ctrl-C with it"},
    {"json", 0, OPTION_FLAG, NULL, AT(json),
     .help = "print blocks of one line, each a JSON object; implies -b"},
    {"threads", 't', OPTION_STRING, "RE", AT(session.threads),
     .help = "only threads whose name matches this extended regular expression"},
    {"type", 0, OPTION_CHOICE, NULL, AT(type), .choices = type_names,
     .help = "what shares are of: CPU time, wall time (all time by state), what threads wait for, "
             "or who waits for and who holds locks",
     .shown_default = "cpu"},
    {"idle", 0, OPTION_FLAG, NULL, AT(idle),
     .help = "shares of wall time, as --type wall: threads that sleep count too, and are not "
             "stopped for it"},
    {"with-idle-waits", 0, OPTION_FLAG, NULL, AT(screen.idle_waits),
     .help = "block: keep waits for work, such as those of an idle worker or of an event loop"},
    {"children", 0, OPTION_FLAG, NULL, AT(session.children),
     .help = "also the processes that descend from PID, and those that start meanwhile"},
    {"no-backoff", 0, OPTION_FLAG, NULL, AT(feed.no_backoff),
     .help = "keep the rate even if threads are held for more than 5 % of their time"},
    TOP_SCREEN_OPTIONS,
    {"replay", 0, OPTION_FILE, "FILE", AT(replay), .help = "snapshots for tests", .hidden = true},
    {NULL},
};

static enum rc sort_of_environment(int *sort, struct err *err)
{
    const char *wanted = getenv("PTPROF_TOP_SORT");
    *sort = SORT_SELF;
    if (!wanted || !*wanted)
        return RC_OK;
    for (int i = 0; rows_sort_names[i]; i++) {
        if (strcmp(rows_sort_names[i], wanted) == 0) {
            *sort = i;
            return RC_OK;
        }
    }
    AUTO_FREE char *shown = escape_text_dup(wanted);
    return err_set(err, RC_USAGE, "PTPROF_TOP_SORT: '%s' is nothing to sort by; see ptprof top "
                                  "--help", shown);
}

static enum rc choose_type(struct top_options *options, struct err *err)
{
    if (options->idle && options->type >= 0 && options->type != PROFILE_WALL)
        return err_set(err, RC_USAGE, "--idle and --type %s exclude each other",
                       type_names[options->type]);
    options->screen.type = options->idle        ? PROFILE_WALL
                           : options->type >= 0 ? (enum profile_kind)options->type
                                                : PROFILE_CPU;
    return RC_OK;
}

enum rc top_options_check(struct top_options *options, struct err *err)
{
    options->batch = options->batch || options->json;
    if (options->screen.delay < SHORTEST_DELAY)
        return err_set(err, RC_USAGE, "--delay: shorter than 200ms");
    enum rc rc = options->sort >= 0 ? RC_OK : sort_of_environment(&options->sort, err);
    options->screen.sort = (enum rows_sort)options->sort;
    return rc == RC_OK ? choose_type(options, err) : rc;
}
