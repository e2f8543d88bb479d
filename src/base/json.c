// SPDX-License-Identifier: MIT
#include "base/json.h"

#include <math.h>

#include "base/escape.h"

#define LARGEST 1e12 // number with decimals

// Timelines are millions of numbers, and printf would take half of the time to write them.
static void put_digits(struct buf *out, uint64_t number, size_t least)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) || sizeof digits - at < least);
    buf_append(out, digits + at, sizeof digits - at);
}

static void put_signed(struct buf *out, int64_t number)
{
    if (number < 0)
        buf_putc(out, '-');
    put_digits(out, number < 0 ? -(uint64_t)number : (uint64_t)number, 1);
}

static void put_key(struct json *json, const char *key)
{
    if (json->follows)
        buf_putc(json->out, ',');
    if (json->line)
        buf_putc(json->out, '\n');
    if (key) {
        buf_putc(json->out, '"');
        buf_puts(json->out, key);
        buf_append(json->out, "\":", 2);
    }
    json->follows = true;
    json->line = false;
}

void json_begin(struct json *json, const char *key, char bracket)
{
    put_key(json, key);
    buf_putc(json->out, bracket);
    json->follows = false;
}

void json_end(struct json *json, char bracket)
{
    buf_putc(json->out, bracket == '{' ? '}' : ']');
    json->follows = true;
    json->line = false;
}

void json_line(struct json *json)
{
    json->line = true;
}

void json_text(struct json *json, const char *key, const char *text)
{
    put_key(json, key);
    buf_putc(json->out, '"');
    escape_json(json->out, text ? text : "");
    buf_putc(json->out, '"');
}

void json_number(struct json *json, const char *key, int64_t number)
{
    put_key(json, key);
    put_signed(json->out, number);
}

void json_count(struct json *json, const char *key, uint64_t count)
{
    put_key(json, key);
    put_digits(json->out, count, 1);
}

void json_bool(struct json *json, const char *key, bool value)
{
    put_key(json, key);
    buf_puts(json->out, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
    put_key(json, key);
    buf_puts(json->out, "null");
}

// The number is made of integers: a decimal point of printf's would depend on the locale.
void json_decimal(struct json *json, const char *key, double value, unsigned decimals)
{
    uint64_t scale = 1;
    for (unsigned i = 0; i < decimals; i++)
        scale *= 10;
    int64_t scaled =
        isfinite(value) && fabs(value) < LARGEST ? llrint(value * (double)scale) : 0;
    uint64_t size = scaled < 0 ? -(uint64_t)scaled : (uint64_t)scaled;
    put_key(json, key);
    if (scaled < 0)
        buf_putc(json->out, '-');
    put_digits(json->out, size / scale, 1);
    buf_putc(json->out, '.');
    put_digits(json->out, size % scale, decimals);
}
