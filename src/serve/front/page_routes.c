// SPDX-License-Identifier: MIT
// The page, what it consists of, and the data that only it asks for.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/front/assets.h"
#include "serve/front/reply.h"
#include "serve/front/route.h"

// --- files ---

static const char *header(const struct exchange *exchange, const char *name)
{
    const char *value = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
    return value ? value : "";
}

// Browsers keep what they have got, and ask whether it is still the same.
static enum MHD_Result send_asset(struct exchange *exchange, const struct asset *asset)
{
    bool zipped = strstr(header(exchange, MHD_HTTP_HEADER_ACCEPT_ENCODING), "gzip");
    AUTO_FREE char *tag = xasprintf("\"%s%s\"", asset->tag, zipped ? "-gzip" : "");
    bool same = strstr(header(exchange, MHD_HTTP_HEADER_IF_NONE_MATCH), tag);
    struct reply reply = {
        .status = same ? 304 : 200,
        .type = asset->type,
        .headers = {{MHD_HTTP_HEADER_ETAG, tag}, {MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache"},
                    {MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING}},
    };
    const char *bytes = zipped ? asset->zipped : asset->bytes;
    const char *end = zipped ? asset->zipped_end : asset->end;
    if (zipped && !same)
        reply.headers[3][0] = MHD_HTTP_HEADER_CONTENT_ENCODING, reply.headers[3][1] = "gzip";
    return reply_bytes(exchange, &reply, bytes, same ? 0 : (size_t)(end - bytes));
}

static enum MHD_Result begin_page(struct exchange *exchange)
{
    return send_asset(exchange, assets_find("page.html"));
}

static enum MHD_Result redirect(struct exchange *exchange, const char *to)
{
    const struct reply reply = {.status = 301, .type = "text/plain; charset=utf-8",
                                .headers = {{MHD_HTTP_HEADER_LOCATION, to}}};
    return reply_text(exchange, &reply, "");
}

// The files of the page are beside it: its paths end in '/', but for one.
static enum MHD_Result begin_target(struct exchange *exchange)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    const char *id = exchange->rest;
    AUTO_FREE char *to = xasprintf("%s/", id);
    if (id[strspn(id, letters)])
        return reply_error(exchange, 404, "no such target");
    return redirect(exchange, *id ? to : "../");
}

static enum MHD_Result begin_above(struct exchange *exchange)
{
    return redirect(exchange, "./");
}

static enum MHD_Result begin_performance(struct exchange *exchange)
{
    return redirect(exchange, "../performance");
}

static enum MHD_Result begin_asset(struct exchange *exchange)
{
    const struct asset *asset = assets_find(exchange->rest);
    return asset ? send_asset(exchange, asset) : reply_error(exchange, 404, "no such file");
}

// --- data ---

static enum MHD_Result answer(struct exchange *exchange)
{
    const struct reply reply = {.status = 200, .type = "application/json"};
    return exchange->answer.rc == RC_OK
               ? reply_memory(exchange, &reply)
               : reply_error(exchange, reply_status(&exchange->answer), exchange->answer.text);
}

// An argument that is not there is 0.
static bool take_number(const struct exchange *exchange, const char *name, int64_t *number)
{
    const char *text = exchange_argument(exchange, name);
    char *end = "";
    *number = text ? strtoll(text, &end, 10) : 0;
    return !*end && *number >= 0;
}

static bool take_range(struct exchange *exchange)
{
    int64_t (*ranges)[2] = exchange->ask.ranges;
    return take_number(exchange, "from", &ranges[0][0]) &&
           take_number(exchange, "to", &ranges[0][1]) &&
           take_number(exchange, "base_from", &ranges[1][0]) &&
           take_number(exchange, "base_to", &ranges[1][1]);
}

static void take_text(const struct exchange *exchange, const char *name, char *text, size_t room)
{
    const char *value = exchange_argument(exchange, name);
    if (value)
        strncpy(text, value, room - 1);
}

static enum MHD_Result ask_for_view(struct exchange *exchange)
{
    static const char *const types[] = {"", "cpu", "wall", "block", "mutex"};
    struct ask *ask = &exchange->ask;
    if (!take_range(exchange))
        return reply_error(exchange, 400, "from, to, base_from and base_to are ns since 1970");
    take_text(exchange, "type", ask->type, sizeof ask->type);
    take_text(exchange, "filter", ask->text, sizeof ask->text);
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++)
        if (strcmp(types[i], ask->type) == 0)
            return exchange_ask(exchange, -1);
    return reply_error(exchange, 400, "type is one of cpu, wall, block, mutex");
}

static enum MHD_Result begin_view(struct exchange *exchange)
{
    int64_t count;
    if (!take_number(exchange, "count", &count) || count >= ASK_NO_FUNCTIONS)
        return reply_error(exchange, 400, "count is a number of functions");
    exchange->ask.count = (uint32_t)count;
    return ask_for_view(exchange);
}

static enum MHD_Result begin_threads(struct exchange *exchange)
{
    exchange->ask.count = ASK_NO_FUNCTIONS;
    return ask_for_view(exchange);
}

static enum MHD_Result begin_series(struct exchange *exchange)
{
    int64_t count;
    if (!take_number(exchange, "count", &count) || count > UINT32_MAX)
        return reply_error(exchange, 400, "count is a number of readings");
    exchange->ask.count = (uint32_t)count;
    return exchange_ask(exchange, -1);
}

const struct route page_routes[] = {
    {"/", METHOD_GET, begin_page, NULL, 0, NULL},
    {"/performance", METHOD_GET, begin_page, NULL, 0, NULL},
    {"/performance/", METHOD_GET, begin_performance, NULL, 0, NULL},
    {"/targets", METHOD_GET, begin_above, NULL, 0, NULL},
    {"/targets/*", METHOD_GET, begin_target, NULL, 0, NULL},
    {"/assets/*", METHOD_GET, begin_asset, NULL, 0, NULL},
    {"/api/v1/top", METHOD_GET, begin_view, answer, ASK_VIEW, NULL},
    {"/api/v1/threads", METHOD_GET, begin_threads, answer, ASK_VIEW, NULL},
    {"/api/v1/flame", METHOD_GET, begin_view, answer, ASK_FLAME, NULL},
    {"/api/v1/series", METHOD_GET, begin_series, answer, ASK_SERIES, NULL},
    {NULL},
};
