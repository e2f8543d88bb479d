// SPDX-License-Identifier: MIT
#include <math.h>

#include "base/json.h"
#include "commands/diff_text.h"

#define MOST 9e18  // that a number can be
#define DECIMALS 9 // of shares and probabilities

static void put_known(struct json *json, const char *key, double value, unsigned decimals)
{
    if (isnan(value))
        json_null(json, key);
    else
        json_decimal(json, key, value, decimals);
}

static void put_side(struct json *json, const char *key, const struct difference_total *total,
                     char *const *files)
{
    json_begin(json, key, '{');
    json_begin(json, "files", '[');
    for (size_t i = 0; i < total->files; i++)
        json_text(json, NULL, files[i]);
    json_end(json, '[');
    json_number(json, "value", total->value);
    json_number(json, "samples", total->samples);
    if (total->seconds > 0)
        json_decimal(json, "seconds", total->seconds, 6);
    else
        json_null(json, "seconds");
    json_end(json, '{');
}

static void put_value(struct json *json, const char *key, const struct difference_value *value)
{
    json_begin(json, key, '{');
    json_number(json, "value", value->value);
    json_number(json, "samples", value->samples);
    json_decimal(json, "share", value->share, DECIMALS);
    json_end(json, '{');
}

static void put_row(struct json *json, const struct difference_row *row)
{
    json_line(json);
    json_begin(json, NULL, '{');
    json_text(json, "name", row->name);
    json_text(json, "module", row->module);
    put_value(json, "old", &row->old);
    put_value(json, "new", &row->new);
    json_number(json, "difference",
                llround(fmax(-MOST, fmin(row->new.amount - row->old.amount, MOST))));
    json_decimal(json, "share_change", row->shares.change, DECIMALS);
    put_known(json, "share_error", row->shares.error, DECIMALS);
    json_decimal(json, "rate_change", row->rates.change, 3);
    put_known(json, "rate_error", row->rates.error, 3);
    put_known(json, "probability", row->shares.probability, DECIMALS);
    json_text(json, "verdict", difference_verdict_names[row->verdict]);
    json_end(json, '{');
}

static void put_verdicts(struct json *json, const struct difference *difference)
{
    json_begin(json, "verdicts", '{');
    for (size_t i = 0; i < DIFFERENCE_VERDICTS; i++)
        json_count(json, difference_verdict_names[i], difference->verdicts[i]);
    json_end(json, '{');
}

void diff_json(struct buf *out, const struct diff_printing *printing)
{
    const struct difference *difference = printing->difference;
    struct json json = {.out = out};
    json_begin(&json, NULL, '{');
    json_number(&json, "schema", 1);
    json_text(&json, "type", printing->type);
    json_text(&json, "unit", printing->unit);
    json_text(&json, "by", printing->by);
    json_text(&json, "of", printing->query->total ? "total" : "self");
    put_side(&json, "old", &difference->old, printing->old);
    put_side(&json, "new", &difference->new, printing->new);
    json_bool(&json, "error_of_samples", difference->sampled);
    json_bool(&json, "error_of_files", difference->series);
    json_decimal(&json, "false_alarms", printing->query->false_alarms, 4);
    json_count(&json, "tested", difference->tested);
    put_verdicts(&json, difference);
    json_count(&json, "count", difference->count);
    json_begin(&json, "rows", '[');
    for (size_t i = 0; i < difference->count && i < printing->top; i++)
        put_row(&json, &difference->rows[i]);
    json_end(&json, '[');
    json_end(&json, '{');
    buf_putc(out, '\n');
}
