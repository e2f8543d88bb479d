// SPDX-License-Identifier: MIT
#include "base/escape.h"

#include <stdbool.h>
#include <stdint.h>

#define INVALID UINT32_MAX

// Decodes one character at `text` (not at its NUL) and says how many bytes it took; INVALID and 1
// for a byte that starts no well-formed sequence (overlong forms and surrogates included).
static uint32_t decode(const unsigned char *text, unsigned *length)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = text[0];
    unsigned n = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    *length = 1;
    if (n == 1)
        return first;
    if (first < 0xc2 || first > 0xf4)
        return INVALID;
    uint32_t code = first & (0xffu >> (n + 1));
    for (unsigned i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return INVALID;
        code = code << 6 | (text[i] & 0x3f);
    }
    if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return INVALID;
    *length = n;
    return code;
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

// Characters that change the order or the visibility of what stands beside them.
static bool is_bidi_or_hidden(uint32_t code)
{
    return code == 0x61c || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) ||
           code == 0xfeff;
}

static void escape_with(struct buf *out, const char *text, char from, char to)
{
    const unsigned char *at = (const unsigned char *)text;
    unsigned length;
    for (; *at; at += length) {
        uint32_t code = decode(at, &length);
        if (code == INVALID || is_control(code))
            buf_printf(out, "\\x%02x", code == INVALID ? at[0] : (unsigned)code);
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
    escape_with(out, text, '\0', '\0');
}

char *escape_text_dup(const char *text)
{
    struct buf out = {0};
    escape_text(&out, text);
    return out.data;
}

void escape_folded(struct buf *out, const char *text)
{
    escape_with(out, text, ';', ':');
}

void escape_json(struct buf *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    unsigned length;
    for (; *at; at += length) {
        uint32_t code = decode(at, &length);
        if (code == INVALID)
            buf_puts(out, "\xef\xbf\xbd");
        else if (code == '"' || code == '\\')
            buf_printf(out, "\\%c", (char)code);
        else if (is_control(code) || is_bidi_or_hidden(code) || code == '<')
            buf_printf(out, "\\u%04x", (unsigned)code);
        else
            buf_append(out, at, length);
    }
    buf_append(out, "", 0);
}

void escape_utf8(struct buf *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    unsigned length;
    for (; *at; at += length) {
        uint32_t code = decode(at, &length);
        if (code == INVALID)
            buf_puts(out, "\xef\xbf\xbd");
        else if (is_control(code))
            buf_printf(out, "\\x%02x", (unsigned)code);
        else if (is_bidi_or_hidden(code))
            buf_printf(out, "\\u{%x}", (unsigned)code);
        else
            buf_append(out, at, length);
    }
    buf_append(out, "", 0);
}
