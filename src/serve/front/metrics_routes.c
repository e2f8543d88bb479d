// SPDX-License-Identifier: MIT
// Paths that Prometheus reads.
#include <string.h>

#include "serve/front/accept.h"
#include "serve/front/reply.h"
#include "serve/front/route.h"

static const char *header(const struct exchange *exchange, const char *name)
{
    const char *value =
        MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
    return value ? value : "";
}

// Who does not name it does not want it, and gets text whatever is accepted.
static bool wants_openmetrics(const struct exchange *exchange)
{
    const char *accept = header(exchange, MHD_HTTP_HEADER_ACCEPT);
    unsigned weight = accept_weight(accept, "application/openmetrics-text");
    return weight && weight >= accept_weight(accept, "text/plain");
}

static enum MHD_Result begin_metrics(struct exchange *exchange)
{
    exchange->ask.form = wants_openmetrics(exchange) ? ASK_OPENMETRICS : ASK_TEXT;
    return exchange_ask(exchange, -1);
}

static enum MHD_Result answer_metrics(struct exchange *exchange)
{
    const bool open = exchange->ask.form == ASK_OPENMETRICS;
    const struct reply reply = {
        .status = 200,
        .type = open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                     : "text/plain; version=0.0.4; charset=utf-8",
        .headers = {{"Vary", "Accept"}},
    };
    if (exchange->answer.rc != RC_OK)
        return reply_error(exchange, reply_status(&exchange->answer), exchange->answer.text);
    return reply_memory(exchange, &reply);
}

// Who asks us under a name can be told to scrape us under that name.
static enum MHD_Result begin_discovery(struct exchange *exchange)
{
    strncpy(exchange->ask.text, header(exchange, MHD_HTTP_HEADER_HOST),
            sizeof exchange->ask.text - 1);
    return exchange_ask(exchange, -1);
}

static enum MHD_Result answer_discovery(struct exchange *exchange)
{
    const struct reply reply = {.status = 200, .type = "application/json"};
    if (exchange->answer.rc != RC_OK)
        return reply_error(exchange, reply_status(&exchange->answer), exchange->answer.text);
    return reply_memory(exchange, &reply);
}

const struct route metrics_routes[] = {
    {"/metrics", METHOD_GET, begin_metrics, answer_metrics, ASK_METRICS, NULL},
    {"/sd", METHOD_GET, begin_discovery, answer_discovery, ASK_DISCOVERY, NULL},
    {NULL},
};
