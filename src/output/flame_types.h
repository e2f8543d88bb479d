// SPDX-License-Identifier: MIT
// This header is private to the makers of flame graphs.
#pragma once

#include "output/flame_cells.h"

// Fills in types and which of them is shown first. Fails as flame_page_write does.
enum rc flame_types_fill(struct flame_cells *cells, struct err *err) MUST_CHECK;
