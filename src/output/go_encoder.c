// SPDX-License-Identifier: MIT
#include "output/go_encoder.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "output/formats.h"

#define HEADER_BYTES 16
#define BATCH_BYTES 32768    // of a batch, before it goes out
#define HELD_BYTES (8 << 20) // of all batches together, before all go out
#define SHORT_COUNT 3        // of numbers that need no length before them
#define MOST_NUMBERS 8       // of one event
#define COUNT_SHIFT 6

size_t go_encoder_number(uint8_t *to, uint64_t number)
{
    size_t length = 0;
    for (; number >= 0x80; number >>= 7)
        to[length++] = (uint8_t)number | 0x80;
    to[length++] = (uint8_t)number;
    return length;
}

static void write_bytes(struct go_encoder *encoder, const void *bytes, size_t length)
{
    if (encoder->rc == RC_OK)
        encoder->rc = output_bytes(encoder->out, bytes, length, encoder->err);
}

static void flush(struct go_encoder *encoder, uint32_t p, struct go_batch *batch)
{
    if (!batch->bytes.length)
        return;
    uint8_t head[1 + 2 * GO_NUMBER_BYTES] = {GO_BATCH | 1 << COUNT_SHIFT};
    size_t length = 1;
    length += go_encoder_number(head + length, p == GO_NOBODY ? UINT64_MAX : p);
    length += go_encoder_number(head + length, batch->first);
    write_bytes(encoder, head, length);
    write_bytes(encoder, batch->bytes.data, batch->bytes.length);
    encoder->held -= batch->bytes.length;
    buf_clear(&batch->bytes);
}

static void flush_all(struct go_encoder *encoder)
{
    flush(encoder, GO_NOBODY, &encoder->nobody);
    for (size_t i = 0; i < encoder->count; i++)
        flush(encoder, (uint32_t)i, &encoder->batches[i]);
}

static struct go_batch *batch_of(struct go_encoder *encoder, uint32_t p)
{
    if (p == GO_NOBODY)
        return &encoder->nobody;
    while (encoder->count <= p) {
        ARRAY_RESERVE(encoder->batches, encoder->count, encoder->capacity);
        encoder->batches[encoder->count++] = (struct go_batch){0};
    }
    return &encoder->batches[p];
}

static struct go_batch *begin(struct go_encoder *encoder, uint32_t p)
{
    struct go_batch *batch = batch_of(encoder, p);
    if (batch->bytes.length >= BATCH_BYTES)
        flush(encoder, p, batch);
    if (encoder->held >= HELD_BYTES)
        flush_all(encoder);
    if (!batch->bytes.length)
        batch->first = batch->last = encoder->now;
    return batch;
}

static void append(struct go_encoder *encoder, struct go_batch *batch, const void *bytes,
                   size_t length)
{
    buf_append(&batch->bytes, bytes, length);
    encoder->held += length;
}

// Appends a record: `count` numbers, of which these are the bytes.
static void append_record(struct go_encoder *encoder, struct go_batch *batch, enum go_event event,
                          size_t count, const void *bytes, size_t length)
{
    uint8_t head[1 + GO_NUMBER_BYTES];
    size_t head_length = 1;
    if (count > SHORT_COUNT) {
        head_length += go_encoder_number(head + 1, length);
        count = SHORT_COUNT + 1;
    }
    head[0] = (uint8_t)(event | (count - 1) << COUNT_SHIFT);
    append(encoder, batch, head, head_length);
    append(encoder, batch, bytes, length);
}

// Samples tell their time by another number, and not all readers add this one up for the events
// behind them.
void go_encoder_event(struct go_encoder *encoder, uint32_t p, uint64_t tick, enum go_event event,
                      const uint64_t *numbers, size_t count)
{
    uint8_t bytes[MOST_NUMBERS * GO_NUMBER_BYTES];
    encoder->now = tick;
    struct go_batch *batch = begin(encoder, p);
    uint64_t since = event == GO_CPU_SAMPLE ? 0 : tick - batch->last;
    batch->last += since;
    size_t length = go_encoder_number(bytes, since);
    for (size_t i = 0; i < count; i++)
        length += go_encoder_number(bytes + length, numbers[i]);
    append_record(encoder, batch, event, count + 1, bytes, length);
}

static void append_text(struct go_encoder *encoder, struct go_batch *batch, const char *text,
                        size_t length)
{
    uint8_t size[GO_NUMBER_BYTES];
    append(encoder, batch, size, go_encoder_number(size, length));
    append(encoder, batch, text, length);
}

void go_encoder_log(struct go_encoder *encoder, uint32_t p, uint64_t tick, uint64_t key,
                    const char *text)
{
    go_encoder_event(encoder, p, tick, GO_USER_LOG, (const uint64_t[]){0, key, 0}, 3);
    append_text(encoder, batch_of(encoder, p), text, strlen(text));
}

void go_encoder_string(struct go_encoder *encoder, uint64_t id, const char *text, size_t length)
{
    uint8_t head[1 + GO_NUMBER_BYTES] = {GO_STRING};
    struct go_batch *batch = begin(encoder, GO_NOBODY);
    append(encoder, batch, head, 1 + go_encoder_number(head + 1, id));
    append_text(encoder, batch, text, length);
}

void go_encoder_stack(struct go_encoder *encoder, uint64_t id, uint64_t frames, const void *bytes,
                      size_t length)
{
    uint8_t record[GO_STACK_BYTES + 2 * GO_NUMBER_BYTES];
    struct go_batch *batch = begin(encoder, GO_NOBODY);
    size_t head_length = go_encoder_number(record, id);
    head_length += go_encoder_number(record + head_length, frames);
    memcpy(record + head_length, bytes, length);
    append_record(encoder, batch, GO_STACK, SHORT_COUNT + 1, record, head_length + length);
}

// The first record has to be the head of a batch, so the frequency lies in one.
void go_encoder_init(struct go_encoder *encoder, FILE *out, struct err *err)
{
    static const char header[HEADER_BYTES] = "go 1.19 trace";
    uint8_t second[GO_NUMBER_BYTES];
    *encoder = (struct go_encoder){.out = out, .err = err};
    write_bytes(encoder, header, sizeof header);
    append_record(encoder, begin(encoder, GO_NOBODY), GO_FREQUENCY, 1, second,
                  go_encoder_number(second, NS_PER_S));
}

enum rc go_encoder_fini(struct go_encoder *encoder)
{
    flush_all(encoder);
    buf_fini(&encoder->nobody.bytes);
    for (size_t i = 0; i < encoder->count; i++)
        buf_fini(&encoder->batches[i].bytes);
    free(encoder->batches);
    return encoder->rc;
}
