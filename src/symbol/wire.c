// SPDX-License-Identifier: MIT
#include "symbol/wire.h"

#include <limits.h>
#include <string.h>

#include "base/mem.h"

#define TEXTS_MAX 8000000u // of one symbol process

void wire_put(struct buf *out, enum wire_type type, const void *head, size_t head_length,
              const void *rest, size_t rest_length)
{
    struct wire_record record = {type, (uint32_t)(head_length + rest_length)};
    buf_append(out, &record, sizeof record);
    if (head_length)
        buf_append(out, head, head_length);
    if (rest_length)
        buf_append(out, rest, rest_length);
}

static bool take_text(struct wire_reader *reader, const char *bytes, size_t length)
{
    struct wire_text text;
    if (length < sizeof text || reader->text_count >= TEXTS_MAX)
        return false;
    memcpy(&text, bytes, sizeof text);
    if ((uint64_t)text.raw_length + text.shown_length != length - sizeof text)
        return false;
    const char *raw = bytes + sizeof text, *shown = raw + text.raw_length;
    if (memchr(raw, '\0', text.raw_length) || memchr(shown, '\0', text.shown_length))
        return false;
    reader->text_count++;
    reader->sink->text(reader->sink->context, raw, text.raw_length, shown, text.shown_length);
    return true;
}

static bool take_symbol(struct wire_reader *reader, const char *bytes, size_t length)
{
    struct wire_symbol symbol;
    struct wire_line lines[WIRE_LINES_MAX];
    if (length < sizeof symbol)
        return false;
    memcpy(&symbol, bytes, sizeof symbol);
    if (reader->answered++ >= reader->asked || symbol.index >= reader->asked ||
        !symbol.line_count ||
        symbol.line_count > WIRE_LINES_MAX ||
        length - sizeof symbol != symbol.line_count * sizeof *lines)
        return false;
    memcpy(lines, bytes + sizeof symbol, symbol.line_count * sizeof *lines);
    for (uint32_t i = 0; i < symbol.line_count; i++)
        if (lines[i].name > reader->text_count || lines[i].file > reader->text_count)
            return false;
    reader->sink->symbol(reader->sink->context, &symbol, lines);
    return true;
}

static bool take_tried(struct wire_reader *reader, const char *bytes, size_t length)
{
    if (!length || memchr(bytes + 1, '\0', length - 1))
        return false;
    reader->sink->tried(reader->sink->context, bytes[0], bytes + 1, length - 1);
    return true;
}

static bool take_want(struct wire_reader *reader, const char *bytes, size_t length)
{
    if (!length || length >= PATH_MAX || bytes[0] != '/' || memchr(bytes, '\0', length))
        return false;
    reader->want = xstrndup(bytes, length);
    return true;
}

static bool take_done(struct wire_reader *reader, const char *bytes, size_t length)
{
    (void)bytes;
    reader->done = true;
    return length == 0;
}

bool wire_take(struct wire_reader *reader, const void *bytes, size_t length)
{
    static bool (*const takers[])(struct wire_reader *, const char *, size_t) = {
        [RECORD_TEXT] = take_text, [RECORD_SYMBOL] = take_symbol, [RECORD_TRIED] = take_tried,
        [RECORD_WANT] = take_want, [RECORD_DONE] = take_done,
    };
    const char *at = bytes;
    for (size_t left = length; left;) {
        struct wire_record record;
        // Nothing may follow RECORD_WANT or RECORD_DONE in a message.
        if (left < sizeof record || reader->want || reader->done)
            return false;
        memcpy(&record, at, sizeof record);
        at += sizeof record;
        left -= sizeof record;
        if (record.length > left || record.length > WIRE_RECORD_MAX || !record.type ||
            record.type >= ARRAY_LENGTH(takers) ||
            !takers[record.type](reader, at, record.length))
            return false;
        at += record.length;
        left -= record.length;
    }
    return true;
}
