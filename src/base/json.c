// SPDX-License-Identifier: MIT
#include "base/json.h"

#include <inttypes.h>
#include <math.h>

#include "base/escape.h"

#define LARGEST 1e12 // number with decimals

static void put_key(struct json *json, const char *key)
{
    if (json->follows)
        buf_putc(json->out, ',');
    if (json->line)
        buf_putc(json->out, '\n');
    if (key)
        buf_printf(json->out, "\"%s\":", key);
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
    buf_printf(json->out, "%" PRId64, number);
}

void json_count(struct json *json, const char *key, uint64_t count)
{
    put_key(json, key);
    buf_printf(json->out, "%" PRIu64, count);
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

// The number is made of integers, because printf's decimal point depends on the locale.
void json_decimal(struct json *json, const char *key, double value, unsigned decimals)
{
    uint64_t scale = 1;
    for (unsigned i = 0; i < decimals; i++)
        scale *= 10;
    int64_t scaled =
        isfinite(value) && fabs(value) < LARGEST ? llrint(value * (double)scale) : 0;
    uint64_t size = scaled < 0 ? -(uint64_t)scaled : (uint64_t)scaled;
    put_key(json, key);
    buf_printf(json->out, "%s%" PRIu64 ".%0*" PRIu64, scaled < 0 ? "-" : "", size / scale,
               (int)decimals, size % scale);
}
