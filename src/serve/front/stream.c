// SPDX-License-Identifier: MIT
#include "serve/front/stream.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "serve/front/connections.h"
#include "serve/front/reply.h"
#include "serve/front/route.h"
#include "serve/front/waiting.h"
#include "serve/settings.h"

#define BEAT (15ll * NS_PER_S)     // a comment comes when nothing else has for so long
#define PATIENCE (30ll * NS_PER_S) // with who does not take what is there for him
#define MESSAGE_MOST (4u << 20)    // bytes
#define AGAIN_MS 2000              // a browser connects again after so long

struct stream {
    struct exchange *exchange;
    struct buf text; // what is to be sent, of which `sent` bytes are
    size_t sent;
    int64_t last; // when there was something new to send, CLOCK_MONOTONIC ns
    bool is_suspended, is_ending;
    struct stream *next;
};

static struct {
    struct stream *first;
    uint64_t count;
    int64_t looked;
} streams;

static void resume(struct stream *stream)
{
    if (!stream->is_suspended)
        return;
    stream->is_suspended = false;
    MHD_resume_connection(stream->exchange->connection);
}

// MHD asks for what to send. The question is asked anew only when all is sent, so that who reads
// slowly gets what is there when he is ready.
static ssize_t read_stream(void *context, uint64_t position, char *bytes, size_t most)
{
    struct stream *stream = context;
    size_t length = stream->text.length - stream->sent;
    (void)position;
    if (length) {
        length = length < most ? length : most;
        memcpy(bytes, stream->text.data + stream->sent, length);
        stream->sent += length;
        return (ssize_t)length;
    }
    buf_clear(&stream->text);
    stream->sent = 0;
    if (stream->is_ending || waiting_is_over())
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (stream->exchange->state != EXCHANGE_WAITING)
        waiting_ask(stream->exchange, -1);
    stream->is_suspended = true;
    MHD_suspend_connection(stream->exchange->connection);
    return 0;
}

enum MHD_Result stream_begin(struct exchange *exchange)
{
    static const struct reply reply = {
        .status = 200,
        .type = "text/event-stream",
        .headers = {{"X-Accel-Buffering", "no"}}, // of nginx, between
    };
    if (streams.count >= exchange->settings->http.streams_most)
        return reply_error(exchange, 503, "as many pages follow as --streams allows");
    if (strcmp(exchange->method, "HEAD") == 0)
        return reply_text(exchange, &reply, "");
    struct stream *stream = xcalloc(1, sizeof *stream);
    stream->exchange = exchange;
    stream->last = clock_now();
    stream->next = streams.first;
    streams.first = stream;
    streams.count++;
    exchange->stream = stream;
    exchange->ask.what = exchange->route->what;
    buf_printf(&stream->text, "retry: %d\n\n", AGAIN_MS);
    return reply_stream(exchange, &reply, read_stream, stream);
}

static void put_line(struct buf *out, const char *name, const char *text, size_t length)
{
    buf_printf(out, "%s: ", name);
    for (const char *end = text + length; text < end; text++)
        if (*text != '\n')
            buf_putc(out, *text);
        else if (text + 1 < end)
            buf_printf(out, "\n%s: ", name);
    buf_putc(out, '\n');
}

static bool put_memory(struct buf *out, const struct answer_head *answer, int memory)
{
    AUTO_FREE char *text = NULL;
    if (answer->size > MESSAGE_MOST)
        return false;
    text = xmalloc(answer->size + 1);
    if (memory >= 0 && pread(memory, text, answer->size, 0) != (ssize_t)answer->size)
        return false;
    put_line(out, "data", text, memory >= 0 ? answer->size : 0);
    return true;
}

static void put_error(struct buf *out, const char *why)
{
    AUTO_BUF struct buf text = {0};
    struct json json = {.out = &text};
    json_begin(&json, NULL, '{');
    json_text(&json, "error", why);
    json_end(&json, '{');
    put_line(out, "event", "end", strlen("end"));
    put_line(out, "data", text.data, text.length);
}

void stream_take(struct exchange *exchange, const struct answer_head *answer, int memory)
{
    struct stream *stream = exchange->stream;
    exchange->state = EXCHANGE_ANSWERED;
    if (answer->rc != RC_OK) {
        put_error(&stream->text, answer->text);
        stream->is_ending = true;
    } else if (!put_memory(&stream->text, answer, memory)) {
        put_error(&stream->text, "a message is too long");
        stream->is_ending = true;
    }
    buf_putc(&stream->text, '\n');
    stream->last = clock_now();
    resume(stream);
}

void stream_leave(struct stream *stream)
{
    buf_clear(&stream->text);
    stream->sent = 0;
    stream->is_ending = true;
    resume(stream);
}

void stream_free(struct stream *stream)
{
    struct stream **at = &streams.first;
    if (!stream)
        return;
    while (*at != stream)
        at = &(*at)->next;
    *at = stream->next;
    streams.count--;
    buf_fini(&stream->text);
    free(stream);
}

void stream_tick(int64_t now)
{
    if (now - streams.looked < NS_PER_S)
        return;
    streams.looked = now;
    for (struct stream *stream = streams.first; stream; stream = stream->next)
        if (!stream->is_suspended && now - stream->last > PATIENCE)
            connection_end(stream->exchange->client);
        else if (stream->is_suspended && now - stream->last > BEAT) {
            buf_puts(&stream->text, ":\n\n");
            stream->last = now;
            resume(stream);
        }
}
