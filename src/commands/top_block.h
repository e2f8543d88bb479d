// SPDX-License-Identifier: MIT
// Without a screen `ptprof top` prints a block for each refresh.
#pragma once

#include "base/buf.h"
#include "monitor/snapshot.h"
#include "rows/rows.h"

// Appends a block `width` columns wide. Header lines begin with '#'; the width of a column does not
// depend on its values.
enum rc top_block_text(struct buf *out, const struct snapshot *snapshot,
                       const struct rows_query *query, unsigned width, struct err *err) MUST_CHECK;
