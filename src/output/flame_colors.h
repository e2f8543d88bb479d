// SPDX-License-Identifier: MIT
// Colours of cells. A module has one of a few hues; in a difference a cell has one of a few steps
// from blue (less) to red (more). This header is private to the makers of flame graphs; what the
// numbers look like output/flame/graph.css and flame_svg.c say.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "output/flame_cells.h"

#define FLAME_HUES 12 // hue number 12 is grey

// Returns the hue of each frame's module: [frame]; or of the function, if it has no module. The
// modules with the most self time have hues of their own, and a module that is alone with its hue
// has it in every profile. The caller frees it.
uint8_t *flame_colors(const struct flame_cells *cells);

enum flame_step { // how what there was relates to what there is now
    FLAME_GONE, FLAME_HALF, FLAME_LESS, FLAME_EQUAL, FLAME_MORE, FLAME_DOUBLE, FLAME_NEW,
    FLAME_STEPS,
};

enum flame_step flame_step_of(double before, double after);

extern const char *const flame_step_names[FLAME_STEPS]; // for a legend
