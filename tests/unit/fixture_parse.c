// SPDX-License-Identifier: MIT
#include "fixture_parse.h"

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile/plain_frame.h"

// --- what was read ---

static void put_head(const struct plain_profile *profile, struct buf *out)
{
    for (size_t i = 0; i < profile->type_count; i++)
        buf_printf(out, "%s%s/%s", i ? " " : "", plain_string(profile, profile->types[i].type),
                   plain_string(profile, profile->types[i].unit));
    if (profile->period)
        buf_printf(out, " | period %" PRId64, profile->period);
    if (profile->duration)
        buf_printf(out, " | duration %" PRId64, profile->duration);
    for (size_t i = 0; i < profile->comment_count; i++)
        buf_printf(out, " | %s", plain_string(profile, profile->comments[i]));
    buf_putc(out, '\n');
}

static void put_labels(const struct plain_profile *profile, uint32_t set, struct buf *out)
{
    const struct plain_set *sets = profile->labels.sets;
    if (!set)
        return;
    put_labels(profile, sets[set].parent, out);
    const struct plain_label *label = &profile->labels.list[sets[set].label];
    buf_printf(out, "%s=", plain_string(profile, label->key));
    if (label->text)
        buf_printf(out, "%s ", plain_string(profile, label->text));
    else
        buf_printf(out, "%" PRId64 " ", label->number);
}

static void put_frame(const struct plain_profile *profile, uint32_t location, size_t number,
                      struct buf *out)
{
    const struct plain_location *at = &profile->code.locations[location];
    struct plain_frame frame = plain_frame(profile, location, number);
    if (at->count)
        buf_puts(out, frame.name);
    else
        buf_printf(out, "0x%" PRIx64, at->address);
    if (*frame.module)
        buf_printf(out, "@%s", frame.module);
    if (*frame.file)
        buf_printf(out, " %s:%" PRId64, frame.file, frame.line);
    buf_puts(out, frame.inlined ? "(inlined)" : frame.made ? "(made)" : "");
}

static void put_stack(const struct plain_profile *profile, uint32_t node, struct buf *out)
{
    const struct plain_node *nodes = profile->stacks.nodes;
    if (!node)
        return;
    put_stack(profile, nodes[node].parent, out);
    if (nodes[node].parent)
        buf_putc(out, ';');
    size_t count = plain_frame_count(profile, nodes[node].location);
    for (size_t i = count; i-- > 0;) {
        put_frame(profile, nodes[node].location, i, out);
        buf_puts(out, i ? ";" : "");
    }
}

static void put_profile(const struct plain_profile *profile, struct buf *out)
{
    put_head(profile, out);
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        const int64_t *values = plain_values(profile, i);
        for (size_t j = 0; j < profile->type_count; j++)
            buf_printf(out, "%" PRId64 " ", values[j]);
        put_labels(profile, profile->samples.list[i].labels, out);
        buf_puts(out, ": ");
        put_stack(profile, profile->samples.list[i].stack, out);
        buf_putc(out, '\n');
    }
}

// The bytes lie in memory of their own, so that a sanitizer sees what is read behind them.
void parse_describe(const char *bytes, size_t length, struct buf *out)
{
    struct err err = {0};
    struct plain_profile *profile;
    AUTO_FREE char *copy = xmalloc(length ? length : 1);
    memcpy(copy, bytes, length);
    enum rc rc = parser_parse(copy, length, &profile, &err);
    ck_assert_msg((rc == RC_OK) == (profile != NULL) && (rc == RC_OK) == !err.text[0],
                  "result %d, \"%s\"", rc, err.text);
    if (!profile) {
        buf_printf(out, "error: %s\n", err.text);
        return;
    }
    put_profile(profile, out);
    plain_free(profile);
}

// --- checks ---

static void check(const char *text, size_t length, const char *expected, const char *what)
{
    AUTO_BUF struct buf shown = {0};
    parse_describe(text, length, &shown);
    ck_assert_msg(strcmp(shown.data, expected) == 0, "%s:\n%sinstead of\n%s", what, shown.data,
                  expected);
}

void parse_check(const char *text, const char *expected)
{
    AUTO_BUF struct buf ends = {0};
    size_t length = strlen(text);
    check(text, length, expected, "read");
    if (text[length - 1] == '\n')
        check(text, length - 1, expected, "without its last byte");
    for (const char *at = text; *at; at++)
        buf_puts(&ends, *at == '\n' ? "\r\n" : (char[]){*at, '\0'});
    check(ends.data, ends.length, expected, "with \\r\\n");
}

void parse_check_refused(const char *text, const char *words)
{
    AUTO_BUF struct buf shown = {0};
    parse_describe(text, strlen(text), &shown);
    ck_assert_msg(strncmp(shown.data, "error: ", 7) == 0 && strstr(shown.data, words),
                  "\"%s\" is not in: %s", words, shown.data);
}

void parse_check_damaged(const char *bytes, size_t length)
{
    static const char changed[] = {'\0', '\n', ' ', '9', '\xff', ';', ':', '@', '-'};
    AUTO_FREE char *copy = xmalloc(length);
    for (size_t i = 0; i < length; i++) {
        AUTO_BUF struct buf shown = {0};
        parse_describe(bytes, i, &shown);
        memcpy(copy, bytes, length);
        copy[i] = changed[i % sizeof changed];
        parse_describe(copy, length, &shown);
    }
}

void parse_check_nul(const char *text)
{
    AUTO_BUF struct buf shown = {0};
    size_t length = strlen(text);
    AUTO_FREE char *copy = xstrdup(text);
    copy[length - 2] = '\0';
    parse_describe(copy, length, &shown);
    ck_assert_msg(strncmp(shown.data, "error: ", 7) == 0, "%s", shown.data);
}
