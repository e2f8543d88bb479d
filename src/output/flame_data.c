// SPDX-License-Identifier: MIT
// Columns of numbers, and the texts that they stand for, as output/flame/data.js decodes them.
// Whatever comes from the profile is in the JSON, where no '<' is (base/escape.h).
#include "output/flame_data.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/figures.h"
#include "base/mem.h"
#include "output/flame_colors.h"
#include "output/formats.h"

// The text of a page of a million cells is not kept as a whole.
static void flush_some(struct flame_data *data)
{
    if (data->rc == RC_OK)
        data->rc = output_some(data->out, &data->text, data->err);
    if (data->rc != RC_OK)
        buf_clear(&data->text);
}

static void put_shown(struct flame_data *data, const char *key, const char *raw)
{
    AUTO_BUF struct buf shown = {0};
    escape_utf8(&shown, raw);
    json_text(&data->json, key, shown.data);
}

static void put_profile(struct flame_data *data, size_t side)
{
    const struct flame_request *request = data->cells.request;
    const struct plain_profile *profile = flame_cells_profile(&data->cells, side);
    bool base = profile != request->profile;
    char date[FIGURES_MOST] = "", length[FIGURES_MOST] = "";
    if (profile->time > 0)
        figures_date(profile->time, date);
    if (profile->duration > 0)
        figures_duration(profile->duration, length);
    json_begin(&data->json, NULL, '{');
    put_shown(data, "name", base ? request->base_name : request->profile_name);
    json_text(&data->json, "date", date);
    json_text(&data->json, "duration", length);
    json_begin(&data->json, "comments", '[');
    for (size_t i = 0; i < profile->comment_count; i++)
        put_shown(data, NULL, plain_string(profile, profile->comments[i]));
    json_end(&data->json, '[');
    json_count(&data->json, "cut", data->cells.sides[side].cut);
    json_end(&data->json, '{');
}

static void put_types(struct flame_data *data)
{
    const struct flame_cells *cells = &data->cells;
    json_begin(&data->json, "types", '[');
    for (size_t i = 0; i < cells->type_count; i++) {
        json_begin(&data->json, NULL, '{');
        json_text(&data->json, "name", flame_cells_text(cells, cells->types[i].name));
        json_text(&data->json, "unit", flame_cells_text(cells, cells->types[i].unit));
        json_end(&data->json, '{');
    }
    json_end(&data->json, '[');
    json_count(&data->json, "shown", cells->shown);
}

static void put_texts(struct flame_data *data)
{
    json_begin(&data->json, "texts", '[');
    for (uint32_t i = 0; i < data->cells.texts.count; i++) {
        json_text(&data->json, NULL, flame_cells_text(&data->cells, i));
        flush_some(data);
    }
    json_end(&data->json, '[');
}

// Each column is a list of numbers: what `number` gives for each of `count`.
typedef int64_t column(const struct flame_data *data, size_t of, size_t i);

static void put_column(struct flame_data *data, const char *key, column *number, size_t of,
                       size_t count)
{
    json_begin(&data->json, key, '[');
    for (size_t i = 0; i < count; i++) {
        json_number(&data->json, NULL, number(data, of, i));
        flush_some(data);
    }
    json_end(&data->json, '[');
}

static int64_t frame_name(const struct flame_data *data, size_t of, size_t i)
{
    (void)of;
    return data->cells.frames[i].name;
}

static int64_t frame_module(const struct flame_data *data, size_t of, size_t i)
{
    (void)of;
    return data->cells.frames[i].module;
}

static int64_t frame_file(const struct flame_data *data, size_t of, size_t i)
{
    (void)of;
    return data->cells.frames[i].file;
}

static int64_t frame_made(const struct flame_data *data, size_t of, size_t i)
{
    (void)of;
    return data->cells.frames[i].made;
}

static int64_t frame_color(const struct flame_data *data, size_t of, size_t i)
{
    (void)of;
    return data->colors[i];
}

// The line, and three bits. Nearly always it is that of the function's first cell, from which it
// differs by nothing or by one bit: a digit.
static int64_t place_of(const struct graph_cell *cell)
{
    int64_t line = cell->line > 0 && cell->line < INT32_MAX >> 3 ? cell->line : 0;
    return line << 3 | cell->several << 1 | cell->inlined;
}

static int64_t frame_place(const struct flame_data *data, size_t of, size_t i)
{
    (void)of;
    return data->places[i];
}

static int64_t cell_frame(const struct flame_data *data, size_t of, size_t i)
{
    (void)of;
    return data->cells.list[i].frame;
}

static int64_t cell_kids(const struct flame_data *data, size_t of, size_t i)
{
    (void)of;
    return data->cells.list[i].kids;
}

static int64_t cell_place(const struct flame_data *data, size_t of, size_t i)
{
    (void)of;
    const struct graph_cell *cell = &data->cells.list[i];
    return i ? data->places[cell->frame] ^ (place_of(cell) | cell->again << 2) : 0;
}

static int64_t *find_places(const struct flame_cells *cells)
{
    int64_t *places = xcalloc(cells->frame_count + 1, sizeof *places);
    for (size_t i = cells->count; i-- > 1;)
        places[cells->list[i].frame] = place_of(&cells->list[i]);
    return places;
}

static int64_t label_key(const struct flame_data *data, size_t of, size_t i)
{
    (void)of;
    return data->cells.labels[i].key;
}

static int64_t label_text(const struct flame_data *data, size_t of, size_t i)
{
    (void)of;
    return data->cells.labels[i].text;
}

// How far behind that of the sample before it the cell is.
static int64_t sample_cell(const struct flame_data *data, size_t of, size_t i)
{
    const struct flame_sample *list = data->cells.sides[of].list;
    return (int64_t)list[i].cell - (i ? list[i - 1].cell : 0);
}

static int64_t sample_set(const struct flame_data *data, size_t of, size_t i)
{
    return data->cells.sides[of].list[i].set;
}

static int64_t sample_value(const struct flame_data *data, size_t of, size_t i)
{
    size_t types = data->cells.type_count, side = of / types, type = of % types;
    return data->cells.sides[side].values[i * types + type];
}

static const struct {
    const char *name;
    size_t count; // where the number of rows lies in struct flame_cells
    struct {
        const char *key;
        column *number;
    } columns[6];
} tables[] = {
    {"frames", offsetof(struct flame_cells, frame_count),
     {{"name", frame_name}, {"module", frame_module}, {"file", frame_file}, {"made", frame_made},
      {"color", frame_color}, {"place", frame_place}}},
    {"cells", offsetof(struct flame_cells, count),
     {{"kids", cell_kids}, {"frame", cell_frame}, {"place", cell_place}}},
    {"labels", offsetof(struct flame_cells, label_count),
     {{"key", label_key}, {"text", label_text}}},
};

static void put_tables(struct flame_data *data)
{
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
        size_t count;
        memcpy(&count, (const char *)&data->cells + tables[i].count, sizeof count);
        json_begin(&data->json, tables[i].name, '{');
        for (size_t k = 0; k < ARRAY_LENGTH(tables[i].columns) && tables[i].columns[k].key; k++)
            put_column(data, tables[i].columns[k].key, tables[i].columns[k].number, 0, count);
        json_end(&data->json, '{');
    }
}

static void put_sets(struct flame_data *data)
{
    const struct flame_cells *cells = &data->cells;
    json_begin(&data->json, "sets", '[');
    for (size_t i = 0; i < cells->set_count; i++) {
        json_begin(&data->json, NULL, '[');
        for (uint32_t k = 0; k < cells->sets[i].count; k++)
            json_count(&data->json, NULL, cells->set_labels[cells->sets[i].first + k]);
        json_end(&data->json, '[');
        flush_some(data);
    }
    json_end(&data->json, '[');
}

static void put_samples(struct flame_data *data, size_t side)
{
    const struct flame_cells *cells = &data->cells;
    size_t count = cells->sides[side].count;
    json_begin(&data->json, NULL, '{');
    put_column(data, "cell", sample_cell, side, count);
    put_column(data, "set", sample_set, side, count);
    json_begin(&data->json, "values", '[');
    for (size_t i = 0; i < cells->type_count; i++)
        put_column(data, NULL, sample_value, side * cells->type_count + i, count);
    json_end(&data->json, '[');
    json_end(&data->json, '{');
}

void flame_data_put(struct flame_data *data)
{
    data->json = (struct json){.out = &data->text};
    json_begin(&data->json, NULL, '{');
    put_shown(data, "title", data->cells.request->title);
    json_begin(&data->json, "profiles", '[');
    for (size_t i = 0; i < data->cells.side_count; i++)
        put_profile(data, i);
    json_end(&data->json, '[');
    put_types(data);
    put_texts(data);
    put_tables(data);
    put_sets(data);
    json_begin(&data->json, "samples", '[');
    for (size_t i = 0; i < data->cells.side_count; i++)
        put_samples(data, i);
    json_end(&data->json, '[');
    json_end(&data->json, '{');
}

enum rc flame_data_init(struct flame_data *data, const struct flame_request *request, FILE *out,
                        struct err *err)
{
    *data = (struct flame_data){.out = out, .err = err};
    enum rc rc = flame_cells_init(&data->cells, request, err);
    if (rc != RC_OK)
        return rc;
    data->colors = flame_colors(&data->cells);
    data->places = find_places(&data->cells);
    return RC_OK;
}

enum rc flame_data_end(struct flame_data *data)
{
    enum rc rc = data->rc;
    if (rc == RC_OK)
        rc = output_bytes(data->out, data->text.data, data->text.length, data->err);
    buf_fini(&data->text);
    free(data->colors);
    free(data->places);
    flame_cells_fini(&data->cells);
    return rc;
}

enum rc flame_data_write(const struct flame_request *request, FILE *out, struct err *err)
{
    struct flame_data data;
    enum rc rc = flame_data_init(&data, request, out, err);
    if (rc != RC_OK)
        return rc;
    flame_data_put(&data);
    return flame_data_end(&data);
}
