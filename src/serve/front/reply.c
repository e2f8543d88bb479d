// SPDX-License-Identifier: MIT
#include "serve/front/reply.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "serve/front/admission.h"

#define SMALL (64u << 10)  // bytes: so much of each who reads slowly is kept
#define STREAM_BLOCK 4096u // bytes at a time

static const char *const always[][2] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Cache-Control", "no-store"},
    {"Referrer-Policy", "no-referrer"},
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
     "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
};

static bool has_header(const struct reply *reply, const char *name)
{
    for (size_t i = 0; reply->headers[i][0]; i++)
        if (strcmp(reply->headers[i][0], name) == 0)
            return true;
    return false;
}

// What follows on the connection of who sends what is no request may be none either. One that has
// come to its route is one, and has ended if it has no body.
static bool is_last(const struct exchange *exchange, unsigned status)
{
    bool has_ended = exchange->route && !admission_of_body(exchange);
    return (status == 400 && !has_ended) || status == 414 || status == 431;
}

static enum MHD_Result queue(struct exchange *exchange, const struct reply *reply,
                             struct MHD_Response *response)
{
    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < ARRAY_LENGTH(always); i++)
        if (!has_header(reply, always[i][0]))
            MHD_add_response_header(response, always[i][0], always[i][1]);
    for (size_t i = 0; reply->headers[i][0]; i++)
        MHD_add_response_header(response, reply->headers[i][0], reply->headers[i][1]);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    if (reply->file) {
        AUTO_FREE char *text = xasprintf("attachment; filename=\"%s\"", reply->file);
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, text);
    }
    if (is_last(exchange, reply->status))
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    exchange->status = exchange->left ? HTTP_NO_STATUS : reply->status;
    enum MHD_Result result = MHD_queue_response(exchange->connection, reply->status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result reply_bytes(struct exchange *exchange, const struct reply *reply, const void *bytes,
                            size_t length)
{
    return queue(exchange, reply,
                MHD_create_response_from_buffer(length, (void *)bytes, MHD_RESPMEM_MUST_COPY));
}

enum MHD_Result reply_text(struct exchange *exchange, const struct reply *reply, const char *text)
{
    return reply_bytes(exchange, reply, text, strlen(text));
}

// What is small is sent together with its header.
static struct MHD_Response *of_small(int memory, size_t length)
{
    AUTO_FREE char *bytes = xmalloc(length + 1);
    if (pread(memory, bytes, length, 0) != (ssize_t)length)
        return NULL;
    return MHD_create_response_from_buffer(length, steal_ptr(&bytes), MHD_RESPMEM_MUST_FREE);
}

struct mapped_answer {
    void *bytes;
    size_t length;
};

static void unmap(void *context)
{
    struct mapped_answer *mapped = context;
    munmap(mapped->bytes, mapped->length);
    free(mapped);
}

// MHD sends a file in pieces of 4 KiB. Memory is sealed and does not change, so that all who get
// the same answer share its pages, however slowly they read.
static struct MHD_Response *of_large(int memory, size_t length)
{
    void *bytes = mmap(NULL, length, PROT_READ, MAP_SHARED, memory, 0);
    if (bytes == MAP_FAILED)
        return NULL;
    struct mapped_answer *mapped = xcalloc(1, sizeof *mapped);
    *mapped = (struct mapped_answer){bytes, length};
    return MHD_create_response_from_buffer_with_free_callback_cls(length, bytes, unmap, mapped);
}

enum MHD_Result reply_memory(struct exchange *exchange, const struct reply *reply)
{
    uint64_t length = exchange->answer.size;
    if (exchange->memory < 0)
        return reply_bytes(exchange, reply, "", 0);
    if (length <= SMALL)
        return queue(exchange, reply, of_small(exchange->memory, length));
    return queue(exchange, reply, of_large(exchange->memory, length));
}

enum MHD_Result reply_stream(struct exchange *exchange, const struct reply *reply,
                             MHD_ContentReaderCallback read, void *context)
{
    return queue(exchange, reply,
                 MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read, context,
                                                   NULL));
}

static size_t count_headers(const struct reply *reply)
{
    size_t count = 0;
    while (reply->headers[count][0])
        count++;
    return count;
}

static void put_json(struct buf *out, const char *text)
{
    struct json json = {.out = out};
    json_begin(&json, NULL, '{');
    json_text(&json, "error", text);
    json_end(&json, '{');
}

enum MHD_Result reply_refusal(struct exchange *exchange, const struct reply *refusal,
                              const char *text)
{
    struct reply reply = *refusal;
    size_t count = count_headers(&reply);
    AUTO_BUF struct buf body = {0};
    bool is_json = !exchange->is_of_go && strstr(exchange->path, "/api/");
    reply.type = is_json ? "application/json" : "text/plain; charset=utf-8";
    if (is_json)
        put_json(&body, text ? text : "");
    else if (text)
        buf_puts(&body, text);
    buf_putc(&body, '\n');
    if (exchange->is_of_go) {
        reply.headers[count][0] = "X-Go-Pprof";
        reply.headers[count][1] = "1";
    }
    return reply_bytes(exchange, &reply, body.data, body.length);
}

enum MHD_Result reply_error(struct exchange *exchange, unsigned status, const char *text)
{
    return reply_refusal(exchange, &(struct reply){.status = status}, text);
}

unsigned reply_status(const struct answer_head *answer)
{
    static const unsigned statuses[] = {
        [RC_OK] = 200,   [RC_FAIL] = 500,    [RC_USAGE] = 400, [RC_GONE] = 410,   [RC_DENIED] = 403,
        [RC_BUSY] = 503, [RC_TIMEOUT] = 504, [RC_IO] = 500,    [RC_FORMAT] = 500, [RC_LIMIT] = 503,
        [RC_ABSENT] = 501,
    };
    if (answer->rc == RC_GONE && answer->unknown)
        return 404;
    return answer->rc < ARRAY_LENGTH(statuses) ? statuses[answer->rc] : 500;
}
