// SPDX-License-Identifier: MIT
// The paths that Go programs have by net/http/pprof, and how it answers.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/front/reply.h"
#include "serve/front/route.h"

#define SECONDS_USUAL 30

static enum MHD_Result begin_window(struct exchange *exchange)
{
    const char *text = exchange_argument(exchange, "seconds");
    int64_t seconds = text ? strtoll(text, NULL, 10) : 0;
    exchange->ask.window = (seconds > 0 ? seconds : SECONDS_USUAL) * NS_PER_S;
    return exchange_ask(exchange, -1);
}

static enum MHD_Result begin_counts(struct exchange *exchange)
{
    const char *text = exchange_argument(exchange, "seconds");
    exchange->ask.window = text ? strtoll(text, NULL, 10) * NS_PER_S : 0;
    return exchange_ask(exchange, -1);
}

static enum MHD_Result begin_cmdline(struct exchange *exchange)
{
    return exchange_ask(exchange, -1);
}

static enum MHD_Result answer_profile(struct exchange *exchange)
{
    const struct reply reply = {.status = 200, .type = "application/octet-stream",
                                .file = exchange->route->name};
    if (exchange->answer.rc != RC_OK)
        return reply_error(exchange, reply_status(&exchange->answer), exchange->answer.text);
    return reply_memory(exchange, &reply);
}

static enum MHD_Result answer_text(struct exchange *exchange)
{
    const struct reply reply = {.status = 200, .type = "text/plain; charset=utf-8"};
    if (exchange->answer.rc != RC_OK)
        return reply_error(exchange, reply_status(&exchange->answer), exchange->answer.text);
    return reply_memory(exchange, &reply);
}

#define READ (METHOD_GET | METHOD_POST) // clients of pprof POST where they could GET

const struct route pprof_routes[] = {
    {"{prefix}/profile", READ, begin_window, answer_profile, ASK_PROFILE, "profile"},
    {"{prefix}/wall", READ, begin_window, answer_profile, ASK_WALL, "wall"},
    {"{prefix}/block", READ, begin_counts, answer_profile, ASK_BLOCK, "block"},
    {"{prefix}/mutex", READ, begin_counts, answer_profile, ASK_MUTEX, "mutex"},
    {"{prefix}/heap", READ, begin_counts, answer_profile, ASK_HEAP, "heap"},
    {"{prefix}/goroutine", READ, begin_counts, answer_profile, ASK_THREADS, "goroutine"},
    {"{prefix}/cmdline", READ, begin_cmdline, answer_text, ASK_CMDLINE, NULL},
    {NULL},
};
