// SPDX-License-Identifier: MIT
// This header is private to the makers of flame graphs.
#pragma once

#include "base/buf.h"

// Appends raw bytes as text of an HTML or XML document, between tags or in an attribute: escaped as
// for a terminal, then for the document, and cut with an ellipsis after so many characters.
void flame_text_put(struct buf *out, const char *raw, size_t most);

// Appends how much a value is, in its unit: "1.90ms", "1.2G", "4158", "30 widgets".
void flame_text_amount(struct buf *out, double value, const char *unit);
