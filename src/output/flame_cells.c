// SPDX-License-Identifier: MIT
#include "output/flame_cells.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/mem.h"
#include "output/flame_order.h"
#include "output/flame_types.h"
#include "profile/plain_frame.h"

#define CUT 0x80000000u // beside a number of a cell: what is called from there has none

struct cell_filling { // of the cells
    struct flame_cells *cells;
    struct map functions; // name << 32 | module -> number
    struct map frames;    // that number << 32 | file -> frame
    struct map children;  // parent << 32 | frame -> cell
    struct map labels;    // key << 32 | text -> label
    struct buf text;
};

struct cell_side { // a profile that is filled in
    struct cell_filling *filling;
    const struct plain_profile *profile;
    struct flame_side *into;
    size_t number;
    uint32_t *cells;    // [node]: cell, or cell | CUT
    uint64_t *weights;  // [node], in the type that is shown first
    uint32_t *sets;     // [label set]: set + 1
    uint32_t *firsts;   // [location]: in frames
    uint32_t *frames;   // of all locations, outermost first
    size_t frame_count, frame_capacity;
    struct map samples; // cell << 32 | set -> sample
};

static uint32_t show(struct cell_filling *filling, const char *text)
{
    buf_clear(&filling->text);
    escape_utf8(&filling->text, text);
    return strtab_add(&filling->cells->texts, filling->text.data);
}

// --- frames ---

static uint32_t frame_number(struct cell_filling *filling, const struct plain_frame *frame)
{
    struct flame_cells *cells = filling->cells;
    uint32_t name = show(filling, *frame->name ? frame->name : "[unknown]");
    uint32_t module = show(filling, frame->module), file = show(filling, frame->file);
    uint32_t function = map_number(&filling->functions, (uint64_t)name << 32 | module);
    uint32_t number = map_number(&filling->frames, (uint64_t)function << 32 | file);
    if (number < cells->frame_count)
        return number;
    ARRAY_RESERVE(cells->frames, cells->frame_count, cells->frame_capacity);
    cells->frames[cells->frame_count++] =
        (struct flame_frame){.name = name, .module = module, .file = file, .made = frame->made};
    return number;
}

static void find_frames(struct cell_side *side)
{
    const struct plain_profile *profile = side->profile;
    size_t count = profile->code.location_count;
    side->firsts = xcalloc(count + 1, sizeof *side->firsts);
    for (uint32_t i = 0; i < count; i++) {
        side->firsts[i] = (uint32_t)side->frame_count;
        for (size_t k = plain_frame_count(profile, i); k-- > 0;) {
            struct plain_frame frame = plain_frame(profile, i, k);
            ARRAY_RESERVE(side->frames, side->frame_count, side->frame_capacity);
            side->frames[side->frame_count++] = frame_number(side->filling, &frame);
        }
    }
    side->firsts[count] = (uint32_t)side->frame_count;
}

// --- cells ---

static uint64_t plus(uint64_t sum, uint64_t more)
{
    return sum + more < sum ? UINT64_MAX : sum + more;
}

static int64_t value_of(const struct cell_side *side, uint32_t sample, size_t type)
{
    size_t in = side->filling->cells->types[type].in[side->number];
    return plain_values(side->profile, sample)[in];
}

static void weigh(struct cell_side *side)
{
    const struct plain_profile *profile = side->profile;
    side->weights = xcalloc(profile->stacks.count, sizeof *side->weights);
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        int64_t value = value_of(side, i, side->filling->cells->shown);
        uint64_t *weight = &side->weights[profile->samples.list[i].stack];
        *weight = plus(*weight, value > 0 ? (uint64_t)value : 0);
    }
    for (size_t i = profile->stacks.count; i-- > 1;) {
        uint64_t *parent = &side->weights[profile->stacks.nodes[i].parent];
        *parent = plus(*parent, side->weights[i]);
    }
}

// Returns the child, or CUT if there is no room for it.
static uint32_t child_of(struct cell_filling *filling, uint32_t parent, uint32_t frame)
{
    struct flame_cells *cells = filling->cells;
    uint64_t key = (uint64_t)parent << 32 | frame;
    uint32_t child = map_get(&filling->children, key, CUT);
    if (child != CUT || cells->count >= cells->most)
        return child;
    child = (uint32_t)cells->count++;
    map_put(&filling->children, key, child);
    ARRAY_RESERVE(cells->list, child, cells->capacity);
    cells->list[child] = (struct graph_cell){.parent = parent, .frame = frame};
    return child;
}

// Of the lines of a function that are in one cell, the one that has most is told.
static void tell_line(struct graph_cell *cell, const struct plain_frame *frame, uint64_t weight)
{
    bool first = !cell->line && !cell->weight;
    cell->several |= !first && frame->line != cell->line;
    cell->inlined |= frame->inlined;
    if (!first && weight <= cell->weight)
        return;
    cell->line = frame->line;
    cell->weight = weight;
}

static uint32_t cell_of_node(struct cell_side *side, uint32_t node)
{
    const struct plain_node *at = &side->profile->stacks.nodes[node];
    uint32_t cell = side->cells[at->parent];
    uint32_t first = side->firsts[at->location], end = side->firsts[at->location + 1];
    for (uint32_t i = first; i < end && !(cell & CUT); i++) {
        uint32_t child = child_of(side->filling, cell, side->frames[i]);
        if (child == CUT)
            return cell | CUT;
        struct plain_frame frame = plain_frame(side->profile, at->location, end - 1 - i);
        tell_line(&side->filling->cells->list[child], &frame, side->weights[node]);
        cell = child;
    }
    return cell;
}

static void find_cells(struct cell_side *side)
{
    size_t count = side->profile->stacks.count;
    side->cells = xcalloc(count, sizeof *side->cells);
    for (uint32_t i = 1; i < count; i++)
        side->cells[i] = cell_of_node(side, i);
}

// --- labels ---

static uint32_t label_text(struct cell_side *side, const struct plain_label *label)
{
    if (label->text)
        return show(side->filling, plain_string(side->profile, label->text));
    const char *unit = plain_string(side->profile, label->unit);
    AUTO_FREE char *number =
        xasprintf("%lld%s%s", (long long)label->number, *unit ? " " : "", unit);
    return show(side->filling, number);
}

static uint32_t label_number(struct cell_side *side, const struct plain_label *label)
{
    struct flame_cells *cells = side->filling->cells;
    uint32_t key = show(side->filling, plain_string(side->profile, label->key));
    uint32_t text = label_text(side, label);
    uint32_t number = map_number(&side->filling->labels, (uint64_t)key << 32 | text);
    if (number < cells->label_count)
        return number;
    ARRAY_RESERVE(cells->labels, number, cells->label_capacity);
    cells->labels[cells->label_count++] = (struct flame_label){key, text};
    return number;
}

static uint32_t set_number(struct cell_side *side, uint32_t set)
{
    struct flame_cells *cells = side->filling->cells;
    const struct plain_labels *labels = &side->profile->labels;
    if (side->sets[set])
        return side->sets[set] - 1;
    struct flame_set filled = {.first = (uint32_t)cells->set_label_count};
    for (uint32_t at = set; at; at = labels->sets[at].parent) {
        uint32_t label = label_number(side, &labels->list[labels->sets[at].label]);
        ARRAY_RESERVE(cells->set_labels, cells->set_label_count, cells->set_label_capacity);
        cells->set_labels[cells->set_label_count++] = label;
        filled.count++;
    }
    ARRAY_RESERVE(cells->sets, cells->set_count, cells->set_capacity);
    cells->sets[cells->set_count++] = filled;
    return (side->sets[set] = (uint32_t)cells->set_count) - 1;
}

// --- samples ---

static int64_t add_up(int64_t sum, int64_t more)
{
    int64_t result;
    return __builtin_add_overflow(sum, more, &result) ? (more > 0 ? INT64_MAX : INT64_MIN) : result;
}

static uint32_t sample_number(struct cell_side *side, uint32_t cell, uint32_t set)
{
    struct flame_side *into = side->into;
    size_t types = side->filling->cells->type_count;
    uint32_t number = map_number(&side->samples, (uint64_t)cell << 32 | set);
    if (number < into->count)
        return number;
    ARRAY_RESERVE(into->list, number, into->capacity);
    into->list[into->count++] = (struct flame_sample){cell, set};
    ARRAY_RESERVE(into->values, into->count * types, into->value_capacity);
    memset(into->values + number * types, 0, types * sizeof *into->values);
    return number;
}

static void fill_samples(struct cell_side *side)
{
    const struct plain_profile *profile = side->profile;
    size_t types = side->filling->cells->type_count;
    side->sets = xcalloc(profile->labels.set_count + 1, sizeof *side->sets);
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        const struct plain_sample *sample = &profile->samples.list[i];
        if (plain_is_empty(profile, i))
            continue;
        uint32_t cell = side->cells[sample->stack];
        side->into->cut += (cell & CUT) != 0;
        uint32_t number = sample_number(side, cell & ~CUT, set_number(side, sample->labels));
        for (size_t k = 0; k < types; k++) {
            int64_t *value = &side->into->values[number * types + k];
            *value = add_up(*value, value_of(side, i, k));
        }
    }
}

static void fill_side(struct cell_filling *filling, size_t into, size_t number)
{
    struct cell_side side = {
        .filling = filling,
        .profile = number ? filling->cells->request->profile : filling->cells->request->base,
        .into = &filling->cells->sides[into],
        .number = number,
    };
    find_frames(&side);
    weigh(&side);
    find_cells(&side);
    fill_samples(&side);
    free(side.cells);
    free(side.weights);
    free(side.sets);
    free(side.firsts);
    free(side.frames);
    map_fini(&side.samples);
}

static size_t most_cells(const struct flame_request *request)
{
    size_t stacks = request->profile->stacks.count;
    stacks += request->base ? request->base->stacks.count : 0;
    size_t most = FLAME_CELLS_SMALL + FLAME_CELLS_STACK * stacks;
    return most < FLAME_CELLS ? most : FLAME_CELLS;
}

enum rc flame_cells_init(struct flame_cells *cells, const struct flame_request *request,
                         struct err *err)
{
    struct cell_filling filling = {.cells = cells};
    *cells = (struct flame_cells){.request = request};
    strtab_init(&cells->texts);
    enum rc rc = flame_types_fill(cells, err);
    if (rc != RC_OK) {
        flame_cells_fini(cells);
        return rc;
    }
    cells->most = most_cells(request);
    ARRAY_RESERVE(cells->list, 0, cells->capacity);
    cells->list[cells->count++] = (struct graph_cell){0};
    if (request->base)
        fill_side(&filling, cells->side_count++, 0);
    fill_side(&filling, cells->side_count++, 1);
    map_fini(&filling.functions);
    map_fini(&filling.frames);
    map_fini(&filling.children);
    map_fini(&filling.labels);
    buf_fini(&filling.text);
    flame_order(cells);
    return RC_OK;
}

void flame_cells_fini(struct flame_cells *cells)
{
    strtab_fini(&cells->texts);
    free(cells->types);
    free(cells->frames);
    free(cells->list);
    free(cells->labels);
    free(cells->sets);
    free(cells->set_labels);
    for (size_t i = 0; i < ARRAY_LENGTH(cells->sides); i++) {
        free(cells->sides[i].list);
        free(cells->sides[i].values);
    }
    *cells = (struct flame_cells){0};
}

const char *flame_cells_text(const struct flame_cells *cells, uint32_t text)
{
    return strtab_get(&cells->texts, text);
}

const struct plain_profile *flame_cells_profile(const struct flame_cells *cells, size_t side)
{
    return side + 1 < cells->side_count ? cells->request->base : cells->request->profile;
}

double *flame_cells_totals(const struct flame_cells *cells, size_t side)
{
    const struct flame_side *samples = &cells->sides[side];
    double *totals = xcalloc(cells->count, sizeof *totals);
    for (size_t i = 0; i < samples->count; i++) {
        int64_t value = samples->values[i * cells->type_count + cells->shown];
        totals[samples->list[i].cell] += value > 0 ? (double)value : 0;
    }
    for (size_t i = cells->count; i-- > 1;)
        totals[cells->list[i].parent] += totals[i];
    return totals;
}
