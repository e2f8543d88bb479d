// SPDX-License-Identifier: MIT
#include "serve/exposition.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"

static const char *const types[] = {"counter", "gauge", "histogram", "info"};

// The older format knows no info, and its counters' names end in "_total".
void exposition_family(struct exposition *exposition, const char *name, enum exposition_type type,
                       const char *unit, const char *help)
{
    bool is_info = type == EXPOSITION_INFO, open = exposition->open;
    snprintf(exposition->name, sizeof exposition->name, "%s%s%s", name, *unit ? "_" : "", unit);
    exposition->type = type;
    const char *end = open ? "" : is_info ? "_info" : type == EXPOSITION_COUNTER ? "_total" : "";
    buf_printf(exposition->out, "# HELP %s%s %c%s.\n", exposition->name, end, toupper(*help),
               help + 1);
    buf_printf(exposition->out, "# TYPE %s%s %s\n", exposition->name, end,
               is_info && !open ? "gauge" : types[type]);
    if (open && *unit)
        buf_printf(exposition->out, "# UNIT %s %s\n", exposition->name, unit);
}

static void put_value(struct buf *out, const char *value)
{
    unsigned length;
    for (; *value; value += length) {
        uint32_t code = escape_decode(value, &length);
        if (code == ESCAPE_INVALID)
            buf_puts(out, "\xef\xbf\xbd");
        else if (code == '\n')
            buf_puts(out, "\\n");
        else if (code == '"' || code == '\\')
            buf_printf(out, "\\%c", (int)code);
        else
            buf_append(out, value, length);
    }
}

void exposition_label(struct exposition_labels *labels, const char *key, const char *value)
{
    AUTO_BUF struct buf text = {0};
    size_t length = strlen(labels->text);
    buf_printf(&text, "%s%s=\"", length ? "," : "", key);
    put_value(&text, value);
    buf_putc(&text, '"');
    if (text.length < sizeof labels->text - length)
        memcpy(labels->text + length, text.data, text.length + 1);
}

static void put_name(const struct exposition *exposition, const struct exposition_labels *labels,
                     const char *more, const char *end)
{
    bool both = *labels->text && *more;
    buf_printf(exposition->out, "%s%s", exposition->name, end);
    if (*labels->text || *more)
        buf_printf(exposition->out, "{%s%s%s}", labels->text, both ? "," : "", more);
    buf_putc(exposition->out, ' ');
}

static void put_seconds(struct buf *out, uint64_t ns)
{
    buf_printf(out, "%" PRIu64 ".%09" PRIu64, ns / NS_PER_S, ns % NS_PER_S);
}

static const char *end_of(const struct exposition *exposition)
{
    return exposition->type == EXPOSITION_COUNTER ? "_total"
           : exposition->type == EXPOSITION_INFO  ? "_info"
                                                  : "";
}

void exposition_number(const struct exposition *exposition, const struct exposition_labels *labels,
                       const char *more, uint64_t value)
{
    put_name(exposition, labels, more, end_of(exposition));
    buf_printf(exposition->out, "%" PRIu64 "\n", value);
}

void exposition_seconds(const struct exposition *exposition, const struct exposition_labels *labels,
                        const char *more, uint64_t ns)
{
    put_name(exposition, labels, more, end_of(exposition));
    put_seconds(exposition->out, ns);
    buf_putc(exposition->out, '\n');
}

// An exemplar has at most 128 characters of labels.
static void put_exemplar(const struct exposition *exposition,
                         const struct exposition_exemplar *exemplar)
{
    struct exposition_labels labels = {""};
    if (!exposition->open || !exemplar || !*exemplar->function)
        return;
    exposition_label(&labels, "function", exemplar->function);
    buf_printf(exposition->out, " # {%s} ", labels.text);
    put_seconds(exposition->out, (uint64_t)exemplar->ns);
    buf_printf(exposition->out, " %" PRId64 ".%03d", exemplar->wall / NS_PER_S,
               (int)(exemplar->wall % NS_PER_S / NS_PER_MS));
}

// OpenMetrics wants a point in whole numbers.
static void write_bound(unsigned bucket, char *text, size_t size)
{
    double bound = (double)latency_bounds[bucket < LATENCY_BUCKETS - 1 ? bucket : 0] / NS_PER_S;
    if (bucket == LATENCY_BUCKETS - 1)
        snprintf(text, size, "le=\"+Inf\"");
    else
        snprintf(text, size, bound < 1 ? "le=\"%g\"" : "le=\"%.1f\"", bound);
}

void exposition_histogram(const struct exposition *exposition,
                          const struct exposition_labels *labels, const struct latency *latency,
                          const struct exposition_exemplar *exemplars)
{
    uint64_t below = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        char bound[32];
        write_bound(i, bound, sizeof bound);
        put_name(exposition, labels, bound, "_bucket");
        buf_printf(exposition->out, "%" PRIu64, below += latency->counts[i]);
        put_exemplar(exposition, exemplars && latency->counts[i] ? &exemplars[i] : NULL);
        buf_putc(exposition->out, '\n');
    }
    put_name(exposition, labels, "", "_sum");
    put_seconds(exposition->out, latency->sum);
    buf_putc(exposition->out, '\n');
    put_name(exposition, labels, "", "_count");
    buf_printf(exposition->out, "%" PRIu64 "\n", below);
}

void exposition_end(const struct exposition *exposition)
{
    if (exposition->open)
        buf_puts(exposition->out, "# EOF\n");
}
