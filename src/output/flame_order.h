// SPDX-License-Identifier: MIT
// This header is private to the makers of flame graphs.
#pragma once

#include "output/flame_cells.h"

// Numbers the cells anew: level by level, the children of a cell together and the largest first. So
// who lays them out goes through memory from one end to the other. Finds out too which functions
// are in a stack again.
void flame_order(struct flame_cells *cells);
