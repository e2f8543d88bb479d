// SPDX-License-Identifier: MIT
#include "output/flame_colors.h"

#include <stdlib.h>

#include "base/mem.h"

#define MUCH 1.1 // from one to the other: less than that is about equal

const char *const flame_step_names[FLAME_STEPS] = {
    [FLAME_GONE] = "gone",
    [FLAME_HALF] = "less than half",
    [FLAME_LESS] = "10 to 50 % less",
    [FLAME_EQUAL] = "about equal",
    [FLAME_MORE] = "10 to 100 % more",
    [FLAME_DOUBLE] = "more than double",
    [FLAME_NEW] = "new",
};

enum flame_step flame_step_of(double before, double after)
{
    if (before <= 0 || after <= 0)
        return before > 0 ? FLAME_GONE : after > 0 ? FLAME_NEW : FLAME_EQUAL;
    if (after < before)
        return before > 2 * after ? FLAME_HALF : before > MUCH * after ? FLAME_LESS : FLAME_EQUAL;
    return after > 2 * before ? FLAME_DOUBLE : after > MUCH * before ? FLAME_MORE : FLAME_EQUAL;
}

struct shade { // of a module
    uint32_t module; // text
    double self;
};

static int compare_shades(const void *left, const void *right)
{
    const struct shade *a = left, *b = right;
    if (a->self != b->self)
        return a->self < b->self ? 1 : -1;
    return a->module < b->module ? -1 : a->module > b->module;
}

static uint32_t hash(const char *text)
{
    uint32_t sum = 2166136261u; // FNV-1a
    for (; *text; text++)
        sum = (sum ^ (unsigned char)*text) * 16777619u;
    return sum;
}

// Returns how much self time each module has, most first.
static struct shade *weigh_modules(const struct flame_cells *cells)
{
    struct shade *shades = xcalloc(cells->texts.count, sizeof *shades);
    for (uint32_t i = 0; i < cells->texts.count; i++)
        shades[i].module = i;
    for (size_t side = 0; side < cells->side_count; side++) {
        const struct flame_side *samples = &cells->sides[side];
        for (size_t i = 0; i < samples->count; i++) {
            int64_t value = samples->values[i * cells->type_count + cells->shown];
            if (samples->list[i].cell == FLAME_ROOT || value <= 0)
                continue;
            const struct graph_cell *cell = &cells->list[samples->list[i].cell];
            shades[cells->frames[cell->frame].module].self += (double)value;
        }
    }
    qsort(shades, cells->texts.count, sizeof *shades, compare_shades);
    return shades;
}

// Collapsed stacks have no modules: there each function has a hue. "[unattributed]" has none.
static uint8_t hue_of_name(const struct flame_cells *cells, uint32_t text)
{
    const char *name = flame_cells_text(cells, text);
    return *name == '[' ? FLAME_HUES : (uint8_t)(hash(name) % FLAME_HUES);
}

uint8_t *flame_colors(const struct flame_cells *cells)
{
    AUTO_FREE struct shade *shades = weigh_modules(cells);
    AUTO_FREE uint8_t *hues = xcalloc(cells->texts.count, 1); // [text of a module]
    uint8_t *colors = xcalloc(cells->frame_count, 1);
    bool taken[FLAME_HUES] = {false};
    for (size_t i = 0, given = 0; i < cells->texts.count; i++) {
        const char *name = flame_cells_text(cells, shades[i].module);
        uint32_t hue = *name ? hash(name) % FLAME_HUES : FLAME_HUES;
        for (; *name && given < FLAME_HUES && taken[hue]; hue = (hue + 1) % FLAME_HUES)
            ;
        if (*name && given < FLAME_HUES) {
            taken[hue] = true;
            given++;
        }
        hues[shades[i].module] = (uint8_t)hue;
    }
    for (size_t i = 0; i < cells->frame_count; i++)
        colors[i] = cells->frames[i].module ? hues[cells->frames[i].module]
                                            : hue_of_name(cells, cells->frames[i].name);
    return colors;
}
