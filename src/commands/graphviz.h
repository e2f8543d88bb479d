// SPDX-License-Identifier: MIT
// Pictures of graphs are made by graphviz's program `dot`, where it is installed.
#pragma once

#include "base/buf.h"
#include "base/err.h"

// Has `dot` write a picture of the graph, in a format of its -T ("svg", "png", "pdf"), to a
// descriptor. Fails with RC_GONE when there is no such program, RC_TIMEOUT when it takes too long,
// or RC_FAIL with what it said.
enum rc graphviz_render(const struct buf *graph, const char *format, int fd,
                        int patience_ms, struct err *err) MUST_CHECK;
