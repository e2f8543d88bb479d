// SPDX-License-Identifier: MIT
// Paths that answer JSON.
#include "serve/front/reply.h"
#include "serve/front/route.h"

#include "base/json.h"
#include "base/mem.h"

static enum MHD_Result begin(struct exchange *exchange)
{
    return exchange_ask(exchange, -1);
}

static enum MHD_Result answer(struct exchange *exchange)
{
    struct reply reply = {.status = reply_status(exchange->answer.rc),
                          .type = "application/json"};
    AUTO_BUF struct buf text = {0};
    struct json json = {.out = &text};
    if (exchange->answer.rc == RC_OK)
        return reply_memory(exchange, &reply);
    json_begin(&json, NULL, '{');
    json_text(&json, "error", exchange->answer.text);
    json_end(&json, '{');
    return reply_bytes(exchange, &reply, text.data, text.length);
}

const struct route api_routes[] = {
    {"/api/v1/targets", METHOD_GET, begin, answer, ASK_TARGETS, NULL},
    {NULL},
};
