// SPDX-License-Identifier: MIT
// Paths that answer JSON.
#include "serve/front/reply.h"
#include "serve/front/route.h"
#include "serve/front/stream.h"

static enum MHD_Result begin(struct exchange *exchange)
{
    return exchange_ask(exchange, -1);
}

static enum MHD_Result answer(struct exchange *exchange)
{
    const struct reply reply = {.status = 200, .type = "application/json"};
    if (exchange->answer.rc != RC_OK)
        return reply_error(exchange, reply_status(exchange->answer.rc), exchange->answer.text);
    return reply_memory(exchange, &reply);
}

const struct route api_routes[] = {
    {"/api/v1/targets", METHOD_GET, begin, answer, ASK_TARGETS, NULL},
    {"/api/v1/top", METHOD_GET, begin, answer, ASK_VIEW, NULL},
    {"/api/v1/events", METHOD_GET, stream_begin, NULL, ASK_EVENT, NULL},
    {NULL},
};
