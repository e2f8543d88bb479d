// SPDX-License-Identifier: MIT
// A call graph in the language of graphviz's dot, drawn as `go tool pprof -dot` does: the more self
// cost, the larger the letters; the higher the total, the redder the frame; the more an edge has,
// the wider it is. Dashed edges go by functions that are left out.
#pragma once

#include "base/buf.h"
#include "rows/call_picture.h"

struct dot_drawing { // borrowed
    const struct call_graph *graph;
    const struct call_picture *picture;
    const struct call_tags *tags; // NULL: none are drawn
    const char *unit;             // of the values
    const char *legend;           // lines
};

void dot_write(const struct dot_drawing *drawing, struct buf *out);
