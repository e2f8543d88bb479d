// SPDX-License-Identifier: MIT
#include "output/flame_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/escape.h"
#include "base/figures.h"
#include "base/mem.h"

#define ELLIPSIS "\xe2\x80\xa6"

static void put_character(struct buf *out, const char *at, unsigned length, uint32_t code)
{
    static const struct {
        uint32_t code;
        const char *text;
    } entities[] = {
        {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"},
        {0xfffe, "\\u{fffe}"}, {0xffff, "\\u{ffff}"}, // which XML may not have
    };
    for (size_t i = 0; i < ARRAY_LENGTH(entities); i++)
        if (entities[i].code == code) {
            buf_puts(out, entities[i].text);
            return;
        }
    buf_append(out, at, length);
}

void flame_text_put(struct buf *out, const char *raw, size_t most)
{
    AUTO_BUF struct buf shown = {0};
    unsigned length;
    escape_utf8(&shown, raw);
    for (const char *at = shown.data; *at; at += length) {
        uint32_t code = escape_decode(at, &length);
        if (!most--) {
            buf_puts(out, ELLIPSIS);
            return;
        }
        put_character(out, at, length, code);
    }
}

static const struct {
    const char *unit;
    double ns;
} times[] = {
    {"nanoseconds", 1}, {"microseconds", 1e3}, {"milliseconds", 1e6}, {"seconds", 1e9},
};

void flame_text_amount(struct buf *out, double value, const char *unit)
{
    char text[FIGURES_MOST];
    double size = fmin(fabs(value), 9e18);
    if (value < 0)
        buf_putc(out, '-');
    for (size_t i = 0; i < ARRAY_LENGTH(times); i++)
        if (strcmp(times[i].unit, unit) == 0) {
            buf_puts(out, figures_three((int64_t)fmin(size * times[i].ns, 9e18), text));
            return;
        }
    if (strcmp(unit, "bytes") == 0) {
        buf_puts(out, figures_bytes((uint64_t)size, 'B', text));
        return;
    }
    buf_printf(out, "%" PRIu64, (uint64_t)llround(size));
    if (strcmp(unit, "count") != 0) {
        buf_putc(out, ' ');
        flame_text_put(out, unit, 40);
    }
}
