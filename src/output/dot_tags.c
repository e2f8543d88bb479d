// SPDX-License-Identifier: MIT
// Boxes beside a function, for what it has of its largest tags.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "output/dot_pen.h"
#include "rows/call_parts.h"

struct tag { // to be drawn: one, or several numbers together
    const struct call_tag *first, *least, *most;
    int64_t self, total;
};

struct tag_order { // in which tags are sorted
    const struct call_tags *tags;
    bool by_self;
};

static int by_size(int64_t a, int64_t b)
{
    double size_a = fabs((double)a), size_b = fabs((double)b);
    return (size_a < size_b) - (size_a > size_b);
}

// Appends the name of a tag, as it is sorted by: raw.
static void put_raw_name(struct buf *out, const struct call_tags *tags, const struct tag *tag)
{
    buf_puts(out, strtab_get(&tags->texts, tag->first->text));
    buf_puts(out, strtab_get(&tags->texts, tag->least->number));
    if (tag->most != tag->least)
        buf_printf(out, "..%s", strtab_get(&tags->texts, tag->most->number));
}

static int compare_names(const struct call_tags *tags, const struct tag *a, const struct tag *b)
{
    AUTO_BUF struct buf name_a = {0};
    AUTO_BUF struct buf name_b = {0};
    put_raw_name(&name_a, tags, a);
    put_raw_name(&name_b, tags, b);
    return strcmp(name_a.data, name_b.data);
}

static int compare_tags(const void *left, const void *right, void *context)
{
    const struct tag *a = left, *b = right;
    const struct tag_order *order = context;
    int sign = order->by_self ? 0 : by_size(a->total, b->total);
    if (!sign)
        sign = by_size(a->self, b->self);
    return sign ? sign : compare_names(order->tags, a, b);
}

// Collects tags of a function, the largest first: those of texts, or those of numbers below one.
static size_t collect(const struct pen *pen, uint32_t function, bool numbers,
                      uint32_t text, struct tag *list)
{
    const struct call_tags *tags = pen->drawing->tags;
    struct tag_order order = {tags, pen->calls[function]};
    size_t count = 0;
    for (uint32_t i = tags->first[function]; i < tags->first[function + 1]; i++) {
        const struct call_tag *tag = &tags->list[i];
        if ((tag->number != 0) == numbers && (!numbers || tag->text == text))
            list[count++] = (struct tag){tag, tag, tag, tag->self, tag->total};
    }
    if (count)
        qsort_r(list, count, sizeof *list, compare_tags, &order);
    return count;
}

static double distance(const struct call_tag *from, const struct call_tag *to)
{
    double scaled;
    units_scale(from->value, from->unit, to->unit, &scaled);
    return fabs(scaled - (double)to->value);
}

// Adds each of the smaller ones to that of the largest which is nearest to it.
static size_t collapse(const struct pen *pen, uint32_t function, struct tag *list,
                       size_t count)
{
    struct tag_order order = {pen->drawing->tags, pen->calls[function]};
    for (size_t i = CALL_TAGS_SHOWN; i < count; i++) {
        struct tag *nearest = list;
        for (size_t k = 1; k < CALL_TAGS_SHOWN; k++)
            if (distance(list[i].first, list[k].first) < distance(list[i].first, nearest->first))
                nearest = &list[k];
        nearest->self = call_add(nearest->self, list[i].self);
        nearest->total = call_add(nearest->total, list[i].total);
        if (list[i].first->value < nearest->least->value)
            nearest->least = list[i].first;
        if (list[i].first->value > nearest->most->value)
            nearest->most = list[i].first;
    }
    if (count <= CALL_TAGS_SHOWN)
        return count;
    qsort_r(list, CALL_TAGS_SHOWN, sizeof *list, compare_tags, &order);
    return CALL_TAGS_SHOWN;
}

static void put_tag_name(struct pen *pen, const struct tag *tag)
{
    const struct strtab *texts = &pen->drawing->tags->texts;
    AUTO_FREE char *lines = xstrdup(strtab_get(texts, tag->first->text));
    char *rest = lines, *line;
    if (tag->first->number) {
        dot_put_text(pen->out, strtab_get(texts, tag->least->number), DOT_IN_LABEL);
        if (tag->most != tag->least) {
            buf_puts(pen->out, "..");
            dot_put_text(pen->out, strtab_get(texts, tag->most->number), DOT_IN_LABEL);
        }
        return;
    }
    while ((line = strsep(&rest, "\n"))) {
        dot_put_text(pen->out, line, DOT_IN_LABEL);
        buf_puts(pen->out, rest ? "\\n" : "");
    }
}

// Draws a box at the end of an edge from another one.
static void put_tag(struct pen *pen, const char *from, const char *name,
                    const struct tag *tag, int64_t cost, bool dotted)
{
    struct buf *out = pen->out;
    buf_printf(out, "%s [label=\"", name);
    put_tag_name(pen, tag);
    buf_printf(out, "\" id=\"%s\" fontsize=8 shape=box3d tooltip=\"", name);
    dot_put_value(pen, cost);
    buf_printf(out, "\"]\n%s -> %s [label=\" ", from, name);
    for (int i = 0; i < 3; i++) {
        static const char *const behind[] = {"\" weight=100 tooltip=\"", "\" labeltooltip=\"",
                                             "\""};
        dot_put_value(pen, cost);
        buf_puts(out, behind[i]);
    }
    buf_puts(out, dotted ? " style=\"dotted\"]\n" : "]\n");
}

static bool put_numbers(struct pen *pen, uint32_t function, uint32_t text,
                        const char *from, struct tag *room)
{
    size_t count = collect(pen, function, true, text, room);
    bool any = false;
    count = collapse(pen, function, room, count);
    for (size_t i = 0; i < count; i++) {
        bool self = pen->calls[function] || room[i].self == room[i].total;
        int64_t cost = self ? room[i].self : room[i].total;
        AUTO_FREE char *name = xasprintf("N%s_%zu", from, i);
        if (cost)
            put_tag(pen, from, name, &room[i], cost, !self);
        any |= cost != 0;
    }
    return any;
}

// What calls others has the tags of its own cost, a leaf those of all.
void dot_put_tags(struct pen *pen, uint32_t function)
{
    const struct call_tags *tags = pen->drawing->tags;
    uint32_t most = tags ? tags->first[function + 1] - tags->first[function] : 0;
    AUTO_FREE struct tag *texts = xcalloc(most + 1, sizeof *texts);
    AUTO_FREE struct tag *room = xcalloc(most + 1, sizeof *room);
    AUTO_FREE char *from = xasprintf("N%u", pen->numbers[function]);
    size_t count = most ? collect(pen, function, false, 0, texts) : 0;
    bool any = false;
    for (size_t i = 0; i < count && i < CALL_TAGS_SHOWN; i++) {
        int64_t cost = pen->calls[function] ? texts[i].self : texts[i].total;
        AUTO_FREE char *name = xasprintf("%s_%zu", from, i);
        if (!cost)
            continue;
        put_tag(pen, from, name, &texts[i], cost, false);
        put_numbers(pen, function, texts[i].first->text, name, room);
        any = true;
    }
    if (most)
        any |= put_numbers(pen, function, 0, from, room);
    pen->boxes[function] = any;
}
