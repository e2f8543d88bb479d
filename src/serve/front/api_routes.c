// SPDX-License-Identifier: MIT
// Paths that answer JSON, and the files that dashboards offer. What each answers is described in
// src/serve/page/openapi.json, which the tests hold this table to.
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/front/openapi.h"
#include "serve/front/reply.h"
#include "serve/front/route.h"
#include "serve/front/stream.h"
#include "serve/settings.h"

#define SAMPLES_MOST 1000

static const struct reply json = {.status = 200, .type = "application/json"};

static enum MHD_Result begin(struct exchange *exchange)
{
    return exchange_ask(exchange, -1);
}

static enum MHD_Result answer(struct exchange *exchange)
{
    if (exchange->answer.rc != RC_OK)
        return reply_error(exchange, reply_status(&exchange->answer), exchange->answer.text);
    return reply_memory(exchange, &json);
}

// Returns whether an argument is a whole number of at least 1; *number stays when it is not there.
static bool take_number(const struct exchange *exchange, const char *name, uint32_t most,
                        uint32_t *number)
{
    const char *text = exchange_argument(exchange, name);
    char *end;
    if (!text)
        return true;
    unsigned long value = strtoul(text, &end, 10);
    *number = (uint32_t)value;
    return *text >= '0' && *text <= '9' && !*end && value && value <= most;
}

static enum MHD_Result begin_history(struct exchange *exchange)
{
    if (!take_number(exchange, "count", SAMPLES_MOST, &exchange->ask.count))
        return reply_error(exchange, 400, "count is a number of samples, 1 to 1000");
    return exchange_ask(exchange, -1);
}

// --- health ---

// The document begins with the status.
static bool is_unhealthy(const struct exchange *exchange)
{
    static const char begins[] = "{\"status\":\"unhealthy\"";
    char text[sizeof begins - 1];
    return exchange->memory >= 0 &&
           pread(exchange->memory, text, sizeof text, 0) == (ssize_t)sizeof text &&
           memcmp(text, begins, sizeof text) == 0;
}

// It may have a value or not: "?strict", "?strict=1"; with "0" or "false" it is not strict.
static bool is_strict(const struct exchange *exchange)
{
    static const char name[] = "strict";
    const char *value = NULL;
    size_t length;
    if (MHD_lookup_connection_value_n(exchange->connection, MHD_GET_ARGUMENT_KIND, name,
                                      sizeof name - 1, &value, &length) != MHD_YES)
        return false;
    return !value || (strcmp(value, "0") != 0 && strcmp(value, "false") != 0);
}

static enum MHD_Result answer_health(struct exchange *exchange)
{
    struct reply reply = json;
    if (exchange->answer.rc != RC_OK)
        return answer(exchange);
    if (is_strict(exchange) && is_unhealthy(exchange))
        reply.status = 503;
    return reply_memory(exchange, &reply);
}

// --- files ---

static enum MHD_Result begin_profile(struct exchange *exchange)
{
    uint32_t seconds = (uint32_t)(exchange->settings->profiles.usual / NS_PER_S);
    uint32_t most = (uint32_t)(exchange->settings->profiles.longest / NS_PER_S);
    if (!take_number(exchange, "duration", most, &seconds)) {
        AUTO_FREE char *text = xasprintf("duration is a number of seconds, 1 to %u", most);
        return reply_error(exchange, 400, text);
    }
    exchange->ask.window = (int64_t)seconds * NS_PER_S;
    return exchange_ask(exchange, -1);
}

// A browser saves it as "cpu-20260102-150405.prof".
static enum MHD_Result answer_file(struct exchange *exchange)
{
    char stamp[32];
    time_t now = (time_t)(clock_wall() / NS_PER_S);
    struct tm utc;
    if (exchange->answer.rc != RC_OK)
        return answer(exchange);
    gmtime_r(&now, &utc);
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &utc);
    AUTO_FREE char *name = xasprintf("%s-%s.prof", exchange->route->name, stamp);
    const struct reply reply = {.status = 200, .type = "application/octet-stream", .file = name};
    return reply_memory(exchange, &reply);
}

// --- actions ---

static enum MHD_Result begin_act(struct exchange *exchange)
{
    bool frees = strcmp(strrchr(exchange->path, '/'), "/freeOSMemory") == 0;
    strncpy(exchange->ask.type, frees ? "free" : "gc", sizeof exchange->ask.type - 1);
    return exchange_ask(exchange, -1);
}

// --- the description ---

static enum MHD_Result begin_openapi(struct exchange *exchange)
{
    return reply_bytes(exchange, &json, openapi_json, (size_t)(openapi_json_end - openapi_json));
}

#define API "/api/profiling"

const struct route api_routes[] = {
    {"/api/v1/targets", METHOD_GET, begin, answer, ASK_TARGETS, NULL},
    {"/api/v1/events", METHOD_GET, stream_begin, NULL, ASK_EVENT, NULL},
    {API "/metrics", METHOD_GET, begin, answer, ASK_FIGURES, NULL},
    {API "/metrics/history", METHOD_GET, begin_history, answer, ASK_HISTORY, NULL},
    {API "/memory", METHOD_GET, begin, answer, ASK_MEMORY, NULL},
    {API "/gc", METHOD_GET, begin, answer, ASK_COLLECTION, NULL},
    {API "/goroutines", METHOD_GET, begin, answer, ASK_GOROUTINES, NULL},
    {API "/runtime", METHOD_GET, begin, answer, ASK_RUNTIME, NULL},
    {API "/health", METHOD_GET, begin, answer_health, ASK_HEALTH, NULL},
    {API "/heap-dump", METHOD_GET, begin, answer_file, ASK_HEAP, "heap"},
    {API "/cpu-profile", METHOD_GET, begin_profile, answer_file, ASK_PROFILE, "cpu"},
    {API "/force-gc", METHOD_ACT, begin_act, answer, ASK_ACT, NULL},
    {"/debug/stats", METHOD_GET, begin, answer, ASK_STATS, NULL},
    {"/debug/gc", METHOD_ACT, begin_act, answer, ASK_ACT, NULL},
    {"/debug/freeOSMemory", METHOD_ACT, begin_act, answer, ASK_ACT, NULL},
    {"/api/openapi.json", METHOD_GET, begin_openapi, NULL, 0, NULL},
    {NULL},
};
