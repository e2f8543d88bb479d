// SPDX-License-Identifier: MIT
#include "base/escape.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

#define REPLACEMENT "\xef\xbf\xbd" // U+FFFD

uint32_t escape_decode(const void *bytes, unsigned *length)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *text = bytes, first = text[0];
    unsigned n = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    *length = 1;
    if (n == 1)
        return first;
    if (first < 0xc2 || first > 0xf4)
        return ESCAPE_INVALID;
    uint32_t code = first & (0xffu >> (n + 1));
    for (unsigned i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return ESCAPE_INVALID;
        code = code << 6 | (text[i] & 0x3f);
    }
    if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return ESCAPE_INVALID;
    *length = n;
    return code;
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

// Returns whether the character changes the order or the visibility of its neighbours, or has no
// shape of its own. Unicode calls most of these ignorable by default.
static bool is_bidi_or_hidden(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},     {0x115f, 0x1160},
        {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
        {0x2060, 0x206f},   {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
        {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
        {0xe0000, 0xe0fff},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(ranges) && code >= ranges[i].first; i++)
        if (code <= ranges[i].last)
            return true;
    return false;
}

// Counts the bytes from `at` on that stay as they are: printable ASCII except `from`.
static unsigned plain_run(const unsigned char *at, char from)
{
    unsigned length = 0;
    while (at[length] >= 0x20 && at[length] < 0x7f && at[length] != (unsigned char)from)
        length++;
    return length;
}

// Bytes that are not UTF-8 become \xHH, or `instead` if that is given.
static void escape_with(struct buf *out, const char *text, const char *instead, char from, char to)
{
    const unsigned char *at = (const unsigned char *)text;
    unsigned length;
    for (; *at; at += length) {
        if ((length = plain_run(at, from))) {
            buf_append(out, at, length);
            continue;
        }
        uint32_t code = escape_decode(at, &length);
        if (code == ESCAPE_INVALID && instead)
            buf_puts(out, instead);
        else if (code == ESCAPE_INVALID || is_control(code))
            buf_printf(out, "\\x%02x", code == ESCAPE_INVALID ? at[0] : (unsigned)code);
        else if (is_bidi_or_hidden(code))
            buf_printf(out, "\\u{%x}", (unsigned)code);
        else if (code == (unsigned char)from)
            buf_putc(out, to);
        else
            buf_append(out, at, length);
    }
    buf_append(out, "", 0);
}

void escape_text(struct buf *out, const char *text)
{
    escape_with(out, text, NULL, '\0', '\0');
}

char *escape_text_dup(const char *text)
{
    struct buf out = {0};
    escape_text(&out, text);
    return out.data;
}

int escape_columns(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += (*text & 0xc0) != 0x80;
    return count;
}

void escape_folded(struct buf *out, const char *text)
{
    escape_with(out, text, NULL, ';', ':');
}

void escape_utf8(struct buf *out, const char *text)
{
    escape_with(out, text, REPLACEMENT, '\0', '\0');
}

// JSON writes a character as one or two UTF-16 code units.
static void put_json_number(struct buf *out, uint32_t code)
{
    if (code < 0x10000)
        buf_printf(out, "\\u%04x", (unsigned)code);
    else
        buf_printf(out, "\\u%04x\\u%04x", 0xd800 + (unsigned)((code - 0x10000) >> 10),
                   0xdc00 + (unsigned)(code & 0x3ff));
}

// Counts the bytes from `at` on that are as they are in a JSON string.
static unsigned json_run(const unsigned char *at)
{
    unsigned length = 0;
    while (at[length] >= 0x20 && at[length] < 0x7f && at[length] != '"' && at[length] != '\\' &&
           at[length] != '<')
        length++;
    return length;
}

void escape_json(struct buf *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    unsigned length;
    for (; *at; at += length) {
        if ((length = json_run(at))) {
            buf_append(out, at, length);
            continue;
        }
        uint32_t code = escape_decode(at, &length);
        if (code == ESCAPE_INVALID)
            buf_puts(out, REPLACEMENT);
        else if (code == '"' || code == '\\')
            buf_printf(out, "\\%c", (char)code);
        else if (is_control(code) || is_bidi_or_hidden(code) || code == '<')
            put_json_number(out, code);
        else
            buf_append(out, at, length);
    }
    buf_append(out, "", 0);
}
