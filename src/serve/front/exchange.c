// SPDX-License-Identifier: MIT
#include "serve/front/exchange.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve/front/admission.h"
#include "serve/front/answers.h"
#include "serve/front/connections.h"
#include "serve/front/reply.h"
#include "serve/front/route.h"
#include "serve/front/stream.h"
#include "serve/front/waiting.h"

static size_t unfinished;
static struct http_counts *ended;

bool exchange_unfinished(void)
{
    return unfinished;
}

void exchange_count_in(struct http_counts *counts)
{
    ended = counts;
}

void *exchange_begin(void *settings, const char *uri, struct MHD_Connection *connection)
{
    struct exchange *exchange = xcalloc(1, sizeof *exchange);
    exchange->connection = connection;
    exchange->settings = settings;
    exchange->client = connection_of(connection);
    exchange->uri = xstrdup(uri);
    exchange->path = xstrndup(uri, strcspn(uri, "?"));
    exchange->is_of_go = strstr(exchange->path, exchange->settings->http.prefix);
    exchange->memory = -1;
    exchange->unfinished = true;
    unfinished++;
    connection_begins(exchange->client, exchange);
    return exchange;
}

void exchange_end(void *settings, struct MHD_Connection *connection, void **state,
                  enum MHD_RequestTerminationCode how)
{
    struct exchange *exchange = *state;
    (void)settings, (void)connection, (void)how;
    if (!exchange)
        return;
    http_counts_add(ended, exchange->kind, exchange->status);
    connection_is_done(exchange->client);
    unfinished -= exchange->unfinished;
    waiting_leave(exchange);
    stream_free(exchange->stream);
    cleanup_fd(&exchange->memory);
    buf_fini(&exchange->body);
    free(exchange->uri);
    free(exchange->path);
    free(exchange);
    *state = NULL;
}

const char *exchange_argument(const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

int exchange_body(const struct exchange *exchange)
{
    const struct buf *body = &exchange->body;
    AUTO_FD int memory = body->length ? answer_memory() : -1;
    if (memory < 0 || write(memory, body->data, body->length) != (ssize_t)body->length)
        return -1;
    answer_seal(memory);
    return steal_fd(&memory);
}

// --- questions and answers ---

enum MHD_Result exchange_ask(struct exchange *exchange, int text)
{
    exchange->ask.what = exchange->route->what;
    if (text < 0 && answers_find(&exchange->ask, &exchange->answer, &exchange->memory)) {
        exchange->state = EXCHANGE_ANSWERED;
        enum MHD_Result result = exchange->route->answer(exchange);
        exchange->memory = -1;
        return result;
    }
    waiting_ask(exchange, text);
    MHD_suspend_connection(exchange->connection);
    return MHD_YES;
}

void exchange_answer(struct exchange *exchange, const struct answer_head *answer, int memory)
{
    if (exchange->joined)
        answers_keep(&exchange->ask, answer, memory);
    if (exchange->stream) {
        stream_take(exchange, answer, memory);
        return;
    }
    exchange->answer = *answer;
    exchange->memory = memory >= 0 ? fcntl(memory, F_DUPFD_CLOEXEC, 0) : -1;
    if (memory >= 0 && exchange->memory < 0) {
        exchange->answer.rc = RC_LIMIT;
        strcpy(exchange->answer.text, "there are too many requests: try again later");
    }
    exchange->state = EXCHANGE_ANSWERED;
    MHD_resume_connection(exchange->connection);
}

void exchange_leave(struct exchange *exchange)
{
    waiting_leave(exchange);
    if (exchange->stream) {
        stream_leave(exchange->stream);
        return;
    }
    exchange->left = true;
    exchange->answer = (struct answer_head){.rc = RC_GONE, .text = "the client has left"};
    exchange->state = EXCHANGE_ANSWERED;
    MHD_resume_connection(exchange->connection);
}

// --- what comes ---

static void follow(struct exchange *exchange)
{
    if (exchange->stream) {
        unfinished -= exchange->unfinished;
        exchange->unfinished = false;
    }
    if (exchange->stream || exchange->state == EXCHANGE_WAITING)
        connection_waits(exchange->client);
    else
        connection_is_sent(exchange->client);
}

// What this front goes by may not hold any more, who may come in above all.
static bool is_served(struct exchange *exchange, enum MHD_Result *result)
{
    static const struct reply elsewhere = {.status = 503, .headers = {{"Connection", "close"}}};
    if (!waiting_is_over())
        return true;
    *result = reply_refusal(exchange, &elsewhere, ASK_AGAIN);
    return false;
}

// Returns whether it goes on; else it has been answered, as *result says.
static bool begin(struct exchange *exchange, enum MHD_Result *result)
{
    if (is_served(exchange, result) && admission_check(exchange, result)) {
        connection_sends_body(exchange->client);
        return true;
    }
    connection_is_sent(exchange->client);
    return false;
}

static void take_body(struct exchange *exchange, const char *body, size_t length)
{
    size_t most = exchange->route ? route_body_most(exchange->route) : 0;
    if (exchange->body.length + length > most)
        exchange->body_too_long = true;
    if (exchange->body_too_long)
        buf_fini(&exchange->body);
    else
        buf_append(&exchange->body, body, length);
}

static enum MHD_Result proceed(struct exchange *exchange)
{
    if (exchange->body_too_long)
        return reply_error(exchange, 413, "the body is too long");
    if (exchange->state == EXCHANGE_ANSWERED)
        return exchange->route->answer(exchange);
    return exchange->route->begin(exchange);
}

enum MHD_Result exchange_take(void *settings, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *body,
                              size_t *length, void **state)
{
    struct exchange *exchange = *state;
    enum MHD_Result result = MHD_YES;
    (void)settings, (void)connection, (void)url, (void)version;
    if (!exchange->method) { // a refusal now would end the connection, which only a body is worth
        exchange->method = method;
        if (admission_of_body(exchange))
            (void)begin(exchange, &result);
        return result;
    }
    if (*length) {
        take_body(exchange, body, *length);
        *length = 0;
        return MHD_YES;
    }
    if (exchange->route || begin(exchange, &result)) {
        result = proceed(exchange);
        follow(exchange);
    }
    return result;
}
