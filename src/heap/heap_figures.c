// SPDX-License-Identifier: MIT
#include "heap/heap_figures.h"

const struct heap_figure_row heap_figure_rows[FIGURE_COUNT] = {
#define X(name, key, unit, text) [FIGURE_##name] = {key, unit, text},
    HEAP_FIGURES(X)
#undef X
};

void heap_figures_set(struct heap_figures *figures, enum figure figure, uint64_t value)
{
    figures->value[figure] = value;
    figures->known[figure] = true;
}

void heap_figures_unknown(struct heap_figures *figures, enum figure figure, const char *why)
{
    figures->known[figure] = false;
    figures->why[figure] = why;
}
