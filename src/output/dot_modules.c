// SPDX-License-Identifier: MIT
// Functions of different modules have different tints. The frame still says how much one costs.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "output/dot_pen.h"

#define OTHERS 0xf2f2f2
static const uint32_t tints[DOT_TINTS - 1] = {0xe8f0fa, 0xfdf1de, 0xe6f4e6, 0xf4e8f6, 0xe0f3f2};

struct tinted {
    uint32_t module; // text
    double cost;
};

// Returns the modules of functions; 0: none is known. The caller frees them.
static uint32_t *find_modules(const struct dot_drawing *drawing)
{
    const struct plain_code *code = &drawing->graph->profile->code;
    uint32_t *modules = xcalloc(drawing->graph->function_count + 1, sizeof *modules);
    for (uint32_t i = 0; i < code->location_count; i++) {
        struct call_span span = call_graph_location(drawing->graph, i);
        uint32_t mapping = code->locations[i].mapping;
        for (size_t k = 0; k < span.count && mapping != PLAIN_NONE; k++)
            if (!modules[span.functions[k]])
                modules[span.functions[k]] = code->mappings[mapping].module;
    }
    return modules;
}

static int compare_costs(const void *left, const void *right)
{
    const struct tinted *a = left, *b = right;
    if (a->cost != b->cost)
        return a->cost < b->cost ? 1 : -1;
    return (a->module > b->module) - (a->module < b->module);
}

// Returns how many modules the picture has; the list has those that cost most first.
static size_t rank_modules(const struct dot_drawing *drawing, const uint32_t *modules,
                           struct tinted *list)
{
    struct map numbers = {0};
    size_t count = 0;
    for (size_t i = 0; i < drawing->picture->count; i++) {
        uint32_t function = drawing->picture->functions[i];
        if (!modules[function])
            continue;
        uint32_t number = map_number(&numbers, modules[function]);
        if (number == count)
            list[count++] = (struct tinted){.module = modules[function]};
        list[number].cost += fabs((double)drawing->graph->functions[function].self);
    }
    map_fini(&numbers);
    qsort(list, count, sizeof *list, compare_costs);
    return count;
}

static uint32_t tint_of(const struct tinted *list, size_t count, uint32_t module)
{
    for (size_t i = 0; i < count && i < ARRAY_LENGTH(tints); i++)
        if (list[i].module == module)
            return tints[i];
    return OTHERS;
}

void dot_choose_tints(struct pen *pen)
{
    const struct dot_drawing *drawing = pen->drawing;
    AUTO_FREE uint32_t *modules = find_modules(drawing);
    AUTO_FREE struct tinted *list = xcalloc(drawing->picture->count + 1, sizeof *list);
    size_t count = rank_modules(drawing, modules, list);
    if (count < 2)
        return;
    pen->tints = xcalloc(drawing->graph->function_count + 1, sizeof *pen->tints);
    for (size_t i = 0; i < drawing->picture->count; i++) {
        uint32_t function = drawing->picture->functions[i];
        pen->tints[function] = tint_of(list, count, modules[function]);
    }
    for (size_t i = 0; i < count && i < ARRAY_LENGTH(tints); i++)
        pen->modules[i] = plain_string(drawing->graph->profile, list[i].module);
}

void dot_put_modules(struct pen *pen)
{
    for (size_t i = 0; i < ARRAY_LENGTH(tints) && pen->modules[i]; i++) {
        buf_printf(pen->out, "M%zu [label=\"", i);
        dot_put_text(pen->out, pen->modules[i], DOT_IN_LABEL);
        buf_printf(pen->out, "\" shape=box fontsize=16 color=\"#b2b2b2\" fillcolor=\"#%06x\" "
                             "tooltip=\"module\"]\nlegend -> M%zu [style=invis]\n", tints[i], i);
    }
}
