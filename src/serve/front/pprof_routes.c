// SPDX-License-Identifier: MIT
// The paths that Go programs have by net/http/pprof, and how it answers: parameters, headers and
// errors are its own, to the letter.
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/front/pprof_index.h"
#include "serve/front/reply.h"
#include "serve/front/route.h"
#include "serve/settings.h"

#define TRACE_SECONDS 1 // of who names none

// --- parameters ---

// As Go's strconv: nothing around the number, and no fraction. What is none is 0, and what 64 bits
// do not hold their bound, for who does not look at what is returned.
static bool parse_integer(const char *text, int64_t *number)
{
    char *end;
    *number = 0;
    if (!text || isspace((unsigned char)*text))
        return false;
    errno = 0;
    int64_t parsed = strtoll(text, &end, 10);
    if (end == text || *end)
        return false;
    *number = parsed;
    return !errno;
}

static bool parse_real(const char *text, double *number)
{
    char *end;
    if (!text || isspace((unsigned char)*text))
        return false;
    errno = 0;
    *number = strtod(text, &end);
    return end != text && !*end && !errno;
}

static enum MHD_Result ask_for_window(struct exchange *exchange, double seconds)
{
    int64_t longest = exchange->settings->profiles.longest;
    if (seconds * NS_PER_S > (double)longest) {
        AUTO_FREE char *text = xasprintf("profile duration exceeds this server's limit of %" PRId64
                                         " seconds", longest / NS_PER_S);
        return reply_error(exchange, 400, text);
    }
    exchange->ask.window = seconds * NS_PER_S < 1 ? 1 : (int64_t)(seconds * NS_PER_S);
    return exchange_ask(exchange, -1);
}

// --- what is sampled for a while ---

static enum MHD_Result begin_profile(struct exchange *exchange)
{
    int64_t seconds;
    if (parse_integer(exchange_argument(exchange, "seconds"), &seconds) && seconds > 0)
        return ask_for_window(exchange, (double)seconds);
    return ask_for_window(exchange, (double)exchange->settings->profiles.usual / NS_PER_S);
}

static enum MHD_Result begin_trace(struct exchange *exchange)
{
    double seconds;
    if (!parse_real(exchange_argument(exchange, "seconds"), &seconds) || !(seconds > 0))
        seconds = TRACE_SECONDS;
    return ask_for_window(exchange, seconds);
}

// --- what is counted: as it is now, or what a window adds to it ---

static enum MHD_Result begin_growth(struct exchange *exchange, const char *text, int64_t debug)
{
    int64_t seconds;
    if (!parse_integer(text, &seconds) || seconds <= 0)
        return reply_error(exchange, 400,
                           "invalid value for \"seconds\" - must be a positive integer");
    if (debug)
        return reply_error(exchange, 400, "seconds and debug params are incompatible");
    exchange->delta = true;
    return ask_for_window(exchange, (double)seconds);
}

static enum MHD_Result begin_counts(struct exchange *exchange)
{
    const char *seconds = exchange_argument(exchange, "seconds");
    int64_t debug;
    (void)parse_integer(exchange_argument(exchange, "debug"), &debug);
    if (seconds && *seconds)
        return begin_growth(exchange, seconds, debug);
    bool dump = debug >= 2 && exchange->route->what == ASK_THREADS;
    exchange->ask.form = dump ? ASK_DUMP : debug ? ASK_TEXT : ASK_PPROF;
    return exchange_ask(exchange, -1);
}

static enum MHD_Result begin_allocs(struct exchange *exchange)
{
    return reply_error(exchange, 501, "what was allocated cannot be had from outside yet: heap has "
                                      "the memory that is in use");
}

static enum MHD_Result begin_unknown(struct exchange *exchange)
{
    return reply_error(exchange, 404, "Unknown profile");
}

// --- the rest ---

static enum MHD_Result begin_plain(struct exchange *exchange)
{
    return exchange_ask(exchange, -1);
}

// Who asks by POST has the addresses in its body, others behind the path.
static enum MHD_Result begin_symbol(struct exchange *exchange)
{
    const char *query = strchr(exchange->uri, '?');
    if (query && strcmp(exchange->method, "POST") != 0)
        buf_puts(&exchange->body, query + 1);
    AUTO_FD int addresses = exchange_body(exchange);
    return exchange_ask(exchange, addresses);
}

static enum MHD_Result begin_redirect(struct exchange *exchange)
{
    size_t length = strcspn(exchange->uri, "?");
    AUTO_FREE char *to =
        xasprintf("%.*s/%s", (int)length, exchange->uri, exchange->uri + length);
    const struct reply reply = {.status = 301, .type = "text/html; charset=utf-8",
                                .headers = {{"Location", to}}};
    return reply_text(exchange, &reply, "Moved Permanently\n");
}

// --- answers ---

// Tools show one line.
static enum MHD_Result refuse(struct exchange *exchange)
{
    AUTO_BUF struct buf line = {0};
    char *rest = exchange->answer.text;
    for (char *part; (part = strsep(&rest, "\n"));)
        buf_printf(&line, "%s%s", line.length ? "; " : "", part + strspn(part, " "));
    return reply_error(exchange, reply_status(&exchange->answer), line.data);
}

static enum MHD_Result answer_profile(struct exchange *exchange)
{
    AUTO_FREE char *file =
        xasprintf("%s%s", exchange->route->name, exchange->delta ? "-delta" : "");
    bool text = exchange->ask.form != ASK_PPROF;
    const struct reply reply = {
        .status = 200,
        .type = text ? "text/plain; charset=utf-8" : "application/octet-stream",
        .file = text ? NULL : file,
        .headers = {{exchange->answer.partial ? "X-Ptprof-Partial" : NULL, "1"}},
    };
    return exchange->answer.rc == RC_OK ? reply_memory(exchange, &reply) : refuse(exchange);
}

static enum MHD_Result answer_text(struct exchange *exchange)
{
    const struct reply reply = {.status = 200, .type = "text/plain; charset=utf-8"};
    return exchange->answer.rc == RC_OK ? reply_memory(exchange, &reply) : refuse(exchange);
}

static enum MHD_Result answer_index(struct exchange *exchange)
{
    const struct reply reply = {.status = 200, .type = "text/html; charset=utf-8"};
    AUTO_BUF struct buf facts = {0}, page = {0};
    if (exchange->answer.rc != RC_OK)
        return refuse(exchange);
    if (exchange->memory >= 0 && lseek(exchange->memory, 0, SEEK_SET) == 0)
        (void)!buf_read_fd(&facts, exchange->memory, ASK_TEXT_MOST);
    pprof_index(&page, exchange->settings->http.prefix, facts.length ? facts.data : "",
                exchange_argument(exchange, "target") || exchange_argument(exchange, "pid"));
    return reply_bytes(exchange, &reply, page.data, page.length);
}

#define READ (METHOD_GET | METHOD_POST) // clients of pprof POST where they could GET

const struct route pprof_routes[] = {
    {"{prefix}", READ, begin_redirect, NULL, ASK_INDEX, NULL},
    {"{prefix}/", READ, begin_plain, answer_index, ASK_INDEX, NULL},
    {"{prefix}/profile", READ, begin_profile, answer_profile, ASK_PROFILE, "profile"},
    {"{prefix}/wall", READ, begin_profile, answer_profile, ASK_WALL, "wall"},
    {"{prefix}/trace", READ, begin_trace, answer_profile, ASK_TRACE, "trace"},
    {"{prefix}/block", READ, begin_counts, answer_profile, ASK_BLOCK, "block"},
    {"{prefix}/mutex", READ, begin_counts, answer_profile, ASK_MUTEX, "mutex"},
    {"{prefix}/heap", READ, begin_counts, answer_profile, ASK_HEAP, "heap"},
    {"{prefix}/goroutine", READ, begin_counts, answer_profile, ASK_THREADS, "goroutine"},
    {"{prefix}/threads", READ, begin_counts, answer_profile, ASK_THREADS, "threads"},
    {"{prefix}/threadcreate", READ, begin_counts, answer_profile, ASK_THREADCREATE,
     "threadcreate"},
    {"{prefix}/allocs", READ, begin_allocs, NULL, ASK_HEAP, NULL},
    {"{prefix}/cmdline", READ, begin_plain, answer_text, ASK_CMDLINE, NULL},
    {"{prefix}/symbol", READ, begin_symbol, answer_text, ASK_SYMBOL, NULL},
    {NULL},
};

const struct route pprof_rest_routes[] = {
    {"{prefix}/*", READ, begin_unknown, NULL, ASK_INDEX, NULL},
    {NULL},
};
