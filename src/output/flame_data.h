// SPDX-License-Identifier: MIT
// The cells of a flame graph as JSON for the scripts in output/flame. This header is private to the
// makers of flame graphs.
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"
#include "output/flame_cells.h"

struct flame_data {
    struct flame_cells cells;
    uint8_t *colors; // [frame]
    int64_t *places; // [frame]: line and bits of a cell, of the function's first one
    struct json json;
    struct buf text; // what is not written yet: what stands around the data goes there too
    FILE *out;
    struct err *err;
    enum rc rc;
};

// Fails as flame_page_write says; then there is nothing to end. The rest is borrowed until the end.
enum rc flame_data_init(struct flame_data *data, const struct flame_request *request, FILE *out,
                        struct err *err) MUST_CHECK;
void flame_data_put(struct flame_data *data);

// Writes what is left and frees all. RC_IO when the stream has failed.
enum rc flame_data_end(struct flame_data *data) MUST_CHECK;
