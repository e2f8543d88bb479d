// SPDX-License-Identifier: MIT
// The page: the files of output/flame, and the cells as JSON for their script. Whatever comes from
// the profile is in that JSON, where no '<' is (base/escape.h), but for the title.
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/figures.h"
#include "base/json.h"
#include "base/mem.h"
#include "output/flame_colors.h"
#include "output/flame_files.h"
#include "output/flame_text.h"
#include "output/formats.h"

struct page {
    struct flame_cells cells;
    uint8_t *colors; // [frame]
    int64_t *places; // [frame]: see place_of
    struct json json;
    struct buf text; // what is not written yet
    FILE *out;
    struct err *err;
    enum rc rc;
};

// The text of a page of a million cells is not kept as a whole.
static void flush_some(struct page *page)
{
    if (page->rc == RC_OK)
        page->rc = output_some(page->out, &page->text, page->err);
    if (page->rc != RC_OK)
        buf_clear(&page->text);
}

static void put_shown(struct page *page, const char *key, const char *raw)
{
    AUTO_BUF struct buf shown = {0};
    escape_utf8(&shown, raw);
    json_text(&page->json, key, shown.data);
}

// --- the data ---

static void put_profile(struct page *page, size_t side)
{
    const struct flame_request *request = page->cells.request;
    const struct plain_profile *profile = flame_cells_profile(&page->cells, side);
    bool base = profile != request->profile;
    char date[FIGURES_MOST] = "", length[FIGURES_MOST] = "";
    if (profile->time > 0)
        figures_date(profile->time, date);
    if (profile->duration > 0)
        figures_duration(profile->duration, length);
    json_begin(&page->json, NULL, '{');
    put_shown(page, "name", base ? request->base_name : request->profile_name);
    json_text(&page->json, "date", date);
    json_text(&page->json, "duration", length);
    json_begin(&page->json, "comments", '[');
    for (size_t i = 0; i < profile->comment_count; i++)
        put_shown(page, NULL, plain_string(profile, profile->comments[i]));
    json_end(&page->json, '[');
    json_count(&page->json, "cut", page->cells.sides[side].cut);
    json_end(&page->json, '{');
}

static void put_types(struct page *page)
{
    const struct flame_cells *cells = &page->cells;
    json_begin(&page->json, "types", '[');
    for (size_t i = 0; i < cells->type_count; i++) {
        json_begin(&page->json, NULL, '{');
        json_text(&page->json, "name", flame_cells_text(cells, cells->types[i].name));
        json_text(&page->json, "unit", flame_cells_text(cells, cells->types[i].unit));
        json_end(&page->json, '{');
    }
    json_end(&page->json, '[');
    json_count(&page->json, "shown", cells->shown);
}

static void put_texts(struct page *page)
{
    json_begin(&page->json, "texts", '[');
    for (uint32_t i = 0; i < page->cells.texts.count; i++) {
        json_text(&page->json, NULL, flame_cells_text(&page->cells, i));
        flush_some(page);
    }
    json_end(&page->json, '[');
}

// Each column is a list of numbers: what `number` gives for each of `count`.
typedef int64_t column(const struct page *page, size_t of, size_t i);

static void put_column(struct page *page, const char *key, column *number, size_t of, size_t count)
{
    json_begin(&page->json, key, '[');
    for (size_t i = 0; i < count; i++) {
        json_number(&page->json, NULL, number(page, of, i));
        flush_some(page);
    }
    json_end(&page->json, '[');
}

static int64_t frame_name(const struct page *page, size_t of, size_t i)
{
    (void)of;
    return page->cells.frames[i].name;
}

static int64_t frame_module(const struct page *page, size_t of, size_t i)
{
    (void)of;
    return page->cells.frames[i].module;
}

static int64_t frame_file(const struct page *page, size_t of, size_t i)
{
    (void)of;
    return page->cells.frames[i].file;
}

static int64_t frame_made(const struct page *page, size_t of, size_t i)
{
    (void)of;
    return page->cells.frames[i].made;
}

static int64_t frame_color(const struct page *page, size_t of, size_t i)
{
    (void)of;
    return page->colors[i];
}

// The line, and three bits. Nearly always it is that of the function's first cell, from which it
// differs by nothing or by one bit: a digit.
static int64_t place_of(const struct graph_cell *cell)
{
    int64_t line = cell->line > 0 && cell->line < INT32_MAX >> 3 ? cell->line : 0;
    return line << 3 | cell->several << 1 | cell->inlined;
}

static int64_t frame_place(const struct page *page, size_t of, size_t i)
{
    (void)of;
    return page->places[i];
}

static int64_t cell_frame(const struct page *page, size_t of, size_t i)
{
    (void)of;
    return page->cells.list[i].frame;
}

static int64_t cell_kids(const struct page *page, size_t of, size_t i)
{
    (void)of;
    return page->cells.list[i].kids;
}

static int64_t cell_place(const struct page *page, size_t of, size_t i)
{
    (void)of;
    const struct graph_cell *cell = &page->cells.list[i];
    return i ? page->places[cell->frame] ^ (place_of(cell) | cell->again << 2) : 0;
}

static int64_t *find_places(const struct flame_cells *cells)
{
    int64_t *places = xcalloc(cells->frame_count + 1, sizeof *places);
    for (size_t i = cells->count; i-- > 1;)
        places[cells->list[i].frame] = place_of(&cells->list[i]);
    return places;
}

static int64_t label_key(const struct page *page, size_t of, size_t i)
{
    (void)of;
    return page->cells.labels[i].key;
}

static int64_t label_text(const struct page *page, size_t of, size_t i)
{
    (void)of;
    return page->cells.labels[i].text;
}

// How far behind that of the sample before it the cell is.
static int64_t sample_cell(const struct page *page, size_t of, size_t i)
{
    const struct flame_sample *list = page->cells.sides[of].list;
    return (int64_t)list[i].cell - (i ? list[i - 1].cell : 0);
}

static int64_t sample_set(const struct page *page, size_t of, size_t i)
{
    return page->cells.sides[of].list[i].set;
}

static int64_t sample_value(const struct page *page, size_t of, size_t i)
{
    size_t types = page->cells.type_count, side = of / types, type = of % types;
    return page->cells.sides[side].values[i * types + type];
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

static void put_tables(struct page *page)
{
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
        size_t count;
        memcpy(&count, (const char *)&page->cells + tables[i].count, sizeof count);
        json_begin(&page->json, tables[i].name, '{');
        for (size_t k = 0; k < ARRAY_LENGTH(tables[i].columns) && tables[i].columns[k].key; k++)
            put_column(page, tables[i].columns[k].key, tables[i].columns[k].number, 0, count);
        json_end(&page->json, '{');
    }
}

static void put_sets(struct page *page)
{
    const struct flame_cells *cells = &page->cells;
    json_begin(&page->json, "sets", '[');
    for (size_t i = 0; i < cells->set_count; i++) {
        json_begin(&page->json, NULL, '[');
        for (uint32_t k = 0; k < cells->sets[i].count; k++)
            json_count(&page->json, NULL, cells->set_labels[cells->sets[i].first + k]);
        json_end(&page->json, '[');
        flush_some(page);
    }
    json_end(&page->json, '[');
}

static void put_samples(struct page *page, size_t side)
{
    const struct flame_cells *cells = &page->cells;
    size_t count = cells->sides[side].count;
    json_begin(&page->json, NULL, '{');
    put_column(page, "cell", sample_cell, side, count);
    put_column(page, "set", sample_set, side, count);
    json_begin(&page->json, "values", '[');
    for (size_t i = 0; i < cells->type_count; i++)
        put_column(page, NULL, sample_value, side * cells->type_count + i, count);
    json_end(&page->json, '[');
    json_end(&page->json, '{');
}

static void put_data(struct page *page)
{
    page->json = (struct json){.out = &page->text};
    json_begin(&page->json, NULL, '{');
    put_shown(page, "title", page->cells.request->title);
    json_begin(&page->json, "profiles", '[');
    for (size_t i = 0; i < page->cells.side_count; i++)
        put_profile(page, i);
    json_end(&page->json, '[');
    put_types(page);
    put_texts(page);
    put_tables(page);
    put_sets(page);
    json_begin(&page->json, "samples", '[');
    for (size_t i = 0; i < page->cells.side_count; i++)
        put_samples(page, i);
    json_end(&page->json, '[');
    json_end(&page->json, '{');
}

// --- the page around it ---

static void put_title(struct page *page)
{
    flame_text_put(&page->text, page->cells.request->title, SIZE_MAX);
}

// Nothing but our own script and style is run or loaded, whatever else comes to be in the page.
static void put_policy(struct page *page)
{
    buf_printf(&page->text,
               "default-src 'none'; script-src '%s'; style-src '%s'; base-uri 'none'; "
               "form-action 'none'", flame_files_script_hash, flame_files_style_hash);
}

static void put_style(struct page *page)
{
    buf_puts(&page->text, flame_files_style);
}

static void put_script(struct page *page)
{
    buf_puts(&page->text, flame_files_script);
}

static const struct {
    const char *mark;
    void (*put)(struct page *page);
} places[] = {
    {"{{title}}", put_title}, {"{{policy}}", put_policy}, {"{{style}}", put_style},
    {"{{data}}", put_data},   {"{{script}}", put_script},
};

static const char *put_place(struct page *page, const char *mark)
{
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        size_t length = strlen(places[i].mark);
        if (strncmp(mark, places[i].mark, length) != 0)
            continue;
        places[i].put(page);
        return mark + length;
    }
    abort(); // a mistake in flame.html
}

static void put_page(struct page *page)
{
    const char *at = flame_files_html;
    for (const char *mark; (mark = strstr(at, "{{"));) {
        buf_append(&page->text, at, (size_t)(mark - at));
        at = put_place(page, mark);
    }
    buf_puts(&page->text, at);
}

enum rc flame_page_write(const struct flame_request *request, FILE *out, struct err *err)
{
    struct page page = {.out = out, .err = err};
    enum rc rc = flame_cells_init(&page.cells, request, err);
    if (rc != RC_OK)
        return rc;
    page.colors = flame_colors(&page.cells);
    page.places = find_places(&page.cells);
    put_page(&page);
    if (page.rc == RC_OK)
        page.rc = output_bytes(out, page.text.data, page.text.length, err);
    buf_fini(&page.text);
    free(page.colors);
    free(page.places);
    flame_cells_fini(&page.cells);
    return page.rc;
}
