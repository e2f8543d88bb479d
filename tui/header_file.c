// SPDX-License-Identifier: MIT
// This file draws the lines above the table of a file, or of two.
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "tui/header_line.h"
#include "tui/label.h"

#define COMMENTS_SHOWN 4

// --- what it holds ---

static void add_amount(struct header_line *line, const struct scene *scene, struct cost total)
{
    char text[FIGURES_MOST];
    const struct measure *measure = &scene->measure;
    header_add(line, ROLE_STRONG, "%s", figures_value(cost_ns(total), measure->unit, false, text));
    if (measure->counted && measure->count != measure->main)
        header_add(line, ROLE_DEFAULT, " in %" PRId64 " %.24s", total.samples,
                   plain_string(measure->profile, measure->profile->types[measure->count].type));
}

// The change is of what is compared: with equal totals there is none.
static void add_totals(struct header_line *line, const struct scene *scene,
                       const struct state *state)
{
    char text[FIGURES_MOST];
    int64_t old = cost_ns(scene->old_total), new = cost_ns(scene->total);
    const char *unit = scene->measure.unit;
    header_add(line, ROLE_STRONG, "%s", figures_value(old, unit, false, text));
    header_add(line, ROLE_STRONG, " -> %s", figures_value(new, unit, false, text));
    double percent = old ? figures_percent(new, old) - 100 : 0;
    if (old)
        header_add(line, theme_change(percent), "  %+.1f%%", percent);
    if (state->query.filter.equal)
        header_add(line, ROLE_CRUMB, "  new scaled to the old total");
}

// Samples without the label are no value of it.
static size_t named_count(const struct moment *moment)
{
    size_t count = 0;
    for (size_t i = 0; i < moment->sampled.count; i++)
        count += moment->sampled.list[i].name || moment->sampled.list[i].tid;
    return count;
}

static void draw_contents(struct canvas *canvas, int row, const struct scene *scene,
                          const struct state *state)
{
    struct header_line line = {.count = 0}, right = {.count = 0};
    const struct moment *moment = &scene->snapshot->moment;
    if (scene->measure.pair)
        add_totals(&line, scene, state);
    else
        add_amount(&line, scene, scene->total);
    if (canvas->cols >= 60)
        header_add(&right, ROLE_DIM, "%zu stacks", moment->profile->samples.count);
    size_t named = named_count(moment);
    if (named) {
        header_add(&right, ROLE_DIM, "  %.24s ", state->file.label ? state->file.label : "threads");
        header_add(&right, ROLE_DEFAULT, "%zu", named);
    }
    int width = header_width(canvas, &right);
    header_put(canvas, row, 0, canvas->cols - width - 1, &line);
    header_put(canvas, row, canvas->cols - width, width, &right);
}

// --- when it was taken ---

static void put_time(struct buf *out, const struct plain_profile *profile)
{
    char text[FIGURES_MOST];
    buf_puts(out, profile->time ? figures_date(profile->time, text) : "at an unknown time");
    if (profile->duration > 0)
        buf_printf(out, " for %s", figures_duration(profile->duration, text));
}

static void put_period(struct buf *out, const struct plain_profile *profile)
{
    char text[FIGURES_MOST];
    const char *type = plain_string(profile, profile->period_type.type);
    const char *unit = plain_string(profile, profile->period_type.unit);
    if (profile->period > 1 && *type)
        buf_printf(out, "  every %s of %s", figures_value(profile->period, unit, false, text),
                   type);
}

static void draw_origin(struct canvas *canvas, int row, const struct moment *moment)
{
    AUTO_BUF struct buf text = {0};
    const struct plain_profile *profile = moment->profile;
    if (moment->base) {
        buf_puts(&text, "old: taken ");
        put_time(&text, moment->base);
        buf_puts(&text, "   new: ");
    }
    buf_puts(&text, "taken ");
    put_time(&text, profile);
    if (!moment->base)
        put_period(&text, profile);
    for (size_t i = 0; i < profile->comment_count && i < COMMENTS_SHOWN; i++)
        buf_printf(&text, "%s%s", i ? "; " : "   ", plain_string(profile, profile->comments[i]));
    canvas_clipped(canvas, row, 0, canvas->cols, ROLE_DIM, text.data);
}

void header_draw_file(struct canvas *canvas, const struct layout *layout,
                      const struct scene *scene, const struct state *state)
{
    if (layout->cpu >= 0)
        draw_contents(canvas, layout->cpu, scene, state);
    if (layout->quality >= 0)
        draw_origin(canvas, layout->quality, &scene->snapshot->moment);
}

void header_add_value(struct header_line *line, const struct scene *scene,
                      const struct state *state)
{
    header_add(line, ROLE_CRUMB, "%.40s", scene->measure.type);
    if (state->query.filter.equal)
        header_add(line, ROLE_CRUMB, ", equal totals");
    header_add(line, ROLE_DEFAULT, "  ");
}
