// SPDX-License-Identifier: MIT
#include "profile/fill.h"

#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/figures.h"
#include "base/map.h"
#include "base/mem.h"
#include "profile/filling.h"
#include "profile/idle_waits.h"
#include "profile/place.h"
#include "profile/plain_threads.h"

struct fill {
    const struct query_source *source;
    struct plain_profile *to;
    struct filling filling;
    uint32_t *nodes;     // [node of the store]: its node, 0: it is not there yet
    uint32_t *locations; // [location of the store]: its number + 1
    uint32_t *threads;   // [thread]: its label set
    uint32_t *way; // nodes of the store, of the stack at hand
    size_t way_capacity;
    uint32_t folded; // the node of stacks without frames, 0: it is not there yet
    bool *idle;      // [value]: it is a wait for work; NULL: nobody asks
    uint64_t left_idle, left_short; // ns of waits that were left out
};

// --- the head ---

void fill_head(struct plain_profile *to, const struct run *run)
{
    int64_t fixed = profile_types[run->type].period;
    to->period = fixed || run->rate <= 0 ? fixed : llround(NS_PER_S / run->rate);
    to->time = run->start_wall;
    to->duration = run->duration;
}

// --- code ---

static uint32_t location_of(struct fill *fill, uint32_t location)
{
    uint32_t *known = &fill->locations[location];
    if (*known)
        return *known - 1;
    const struct query_source *source = fill->source;
    struct location at = profile_location_get(source->profile, location);
    const struct symbol *symbol = symbolizer_lookup(source->symbolizer, at.mapping, at.offset);
    uint32_t mapping =
        filling_mapping(&fill->filling, modules_mapping(source->modules, at.mapping));
    const struct plain_line *lines =
        filling_lines(&fill->filling, symbol->lines, symbol->line_count);
    uint32_t number = plain_add_location(fill->to, mapping, place_address(source->modules, at),
                                         lines, symbol->line_count);
    fill->to->code.locations[number].inside = filling_inside(symbol);
    *known = number + 1;
    return number;
}

// --- stacks ---

static uint32_t folded_stack(struct fill *fill)
{
    if (!fill->folded) {
        const struct plain_line *line = filling_lines(&fill->filling, &query_folded, 1);
        uint32_t location = plain_add_location(fill->to, PLAIN_NONE, PLACE_FOLDED, line, 1);
        fill->folded = plain_new_child(fill->to, 0, location);
    }
    return fill->folded;
}

// Locations are numbered from the leaf on. A caller that is there already has all of its own.
static uint32_t stack_of(struct fill *fill, uint32_t stack)
{
    const struct profile *profile = fill->source->profile;
    size_t count = 0;
    if (!stack)
        return folded_stack(fill);
    uint32_t at = stack;
    for (; at && !fill->nodes[at]; at = profile_node(profile, at).parent) {
        ARRAY_RESERVE(fill->way, count, fill->way_capacity);
        fill->way[count++] = at;
        location_of(fill, profile_node(profile, at).location);
    }
    uint32_t node = at ? fill->nodes[at] : 0;
    while (count-- > 0) {
        uint32_t next = fill->way[count];
        node = plain_new_child(fill->to, node,
                               location_of(fill, profile_node(profile, next).location));
        fill->nodes[next] = node;
    }
    return node;
}

// --- samples ---

static void fill_threads(struct fill *fill)
{
    const struct profile *profile = fill->source->profile;
    for (uint32_t i = 0; i < profile_thread_count(profile); i++) {
        fill->threads[i] = filling_labels(&fill->filling, profile, i, "");
        plain_sample(fill->to, 0, fill->threads[i]);
    }
}

static uint32_t labels_of(struct fill *fill, const struct profile_value *value)
{
    const struct query_source *source = fill->source;
    uint32_t labels = fill->threads[value->thread];
    if (profile_type_by_state(source->type))
        labels = filling_labels(&fill->filling, source->profile, value->thread,
                                profile_state_names[value->state]);
    if (profile_type_by_lock(source->type))
        labels = plain_with_text(fill->to, labels, PLAIN_SIDE,
                                 value->state == STATE_HOLDING ? PLAIN_HOLDER : PLAIN_WAITER);
    return value->wait ? filling_wait(&fill->filling, source->profile, labels, value->wait)
                       : labels;
}

// Of a profile of what delays work, says whether the value is of none of that.
static bool is_left_out(struct fill *fill, size_t index, const struct profile_value *value)
{
    const struct query_source *source = fill->source;
    if (!fill->idle)
        return false;
    bool idle = fill->idle[index] && !source->idle_waits;
    bool brief =
        value->samples && value->ns / value->samples < (uint64_t)source->least_block;
    fill->left_idle += idle ? value->ns : 0;
    fill->left_short += brief && !idle ? value->ns : 0;
    return idle || brief;
}

static void tell_left_out(struct fill *fill)
{
    AUTO_BUF struct buf text = {0};
    char length[FIGURES_MOST];
    if (fill->left_idle)
        buf_printf(&text, FILL_LEFT_OUT "%s of waits for work (--with-idle-waits keeps them)",
                   figures_duration((int64_t)fill->left_idle, length));
    if (fill->left_short)
        buf_printf(&text, "%s%s of waits shorter than --min-block",
                   text.length ? "; " : FILL_LEFT_OUT,
                   figures_duration((int64_t)fill->left_short, length));
    if (text.length)
        plain_add_comment(fill->to, text.data);
}

static void fill_samples(struct fill *fill)
{
    const struct query_source *source = fill->source;
    size_t count = profile_value_count(source->profile);
    if (source->type == &profile_types[PROFILE_BLOCK]) {
        fill->idle = xcalloc(count + 1, sizeof *fill->idle);
        idle_waits_find(&(struct idle_source){source->profile, query_function, source}, fill->idle);
    }
    for (size_t i = 0; i < count; i++) {
        const struct profile_value *value = profile_value_get(source->profile, i);
        if (!query_takes(source, value) || is_left_out(fill, i, value))
            continue;
        uint32_t labels = labels_of(fill, value);
        if (fill->idle && fill->idle[i])
            labels = plain_with_text(fill->to, labels, PLAIN_IDLE, "yes");
        uint32_t sample = plain_sample(fill->to, stack_of(fill, value->stack), labels);
        const int64_t values[] = {filling_value(value->samples), filling_value(value->ns)};
        plain_add(fill->to, sample, values);
    }
}

static struct fill fill_new(const struct query_source *source, struct plain_profile *to)
{
    const struct profile *profile = source->profile;
    struct fill fill = {
        .source = source,
        .to = to,
        .nodes = xcalloc(profile_node_count(profile), sizeof(uint32_t)),
        .locations = xcalloc(profile_location_count(profile) + 1, sizeof(uint32_t)),
        .threads = xcalloc(profile_thread_count(profile) + 1, sizeof(uint32_t)),
    };
    filling_init(&fill.filling, to, source->modules);
    return fill;
}

static void fill_fini(struct fill *fill)
{
    filling_fini(&fill->filling);
    free(fill->nodes);
    free(fill->locations);
    free(fill->threads);
    free(fill->way);
    free(fill->idle);
}

struct plain_profile *fill_profile(const struct query_source *source, const struct run *run)
{
    struct fill fill = fill_new(source, plain_new());
    profile_type_add(source->type, fill.to);
    fill_head(fill.to, run);
    fill.to->folded = profile_folded(source->profile);
    fill_threads(&fill);
    fill_samples(&fill);
    tell_left_out(&fill);
    plain_judge_mappings(fill.to);
    fill_fini(&fill);
    return fill.to;
}

// --- timelines ---

static uint32_t wait_labels(struct fill *fill, struct map *known, uint32_t wait)
{
    uint32_t labels = map_get(known, wait, PLAIN_NONE);
    if (labels == PLAIN_NONE) {
        labels = wait == FILL_STOPPED
                     ? plain_with_text(fill->to, 0, "wait", "stopped")
                     : filling_wait(&fill->filling, fill->source->profile, 0, wait);
        map_put(known, wait, labels);
    }
    return labels;
}

void fill_timeline(const struct query_source *source, const struct run *run,
                   struct timeline *timeline)
{
    struct fill fill = fill_new(source, timeline->profile);
    struct map waits = {0};
    fill_head(fill.to, run);
    fill.to->folded = profile_folded(source->profile);
    for (size_t i = 0; i < timeline->event_count; i++) {
        struct timeline_event *event = &timeline->events[i];
        event->stack = event->stack ? stack_of(&fill, event->stack) : 0;
        event->labels = event->labels ? wait_labels(&fill, &waits, event->labels) : 0;
    }
    plain_judge_mappings(fill.to);
    map_fini(&waits);
    fill_fini(&fill);
}
