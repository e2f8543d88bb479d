// SPDX-License-Identifier: MIT
#include "tui/table.h"

#include <limits.h>
#include <string.h>

#include "tui/label.h"

#define COLUMNS_MOST 16
#define NAME_LEAST 20
#define TWO_LINES 50 // on narrower screens a row has a second line

// --- slots ---

void slot_number(const struct slot *slot, enum role role, const char *text)
{
    canvas_right(&slot->picture->canvas, slot->row, slot->col, slot->col + slot->width, role, text);
}

void slot_percent(const struct slot *slot, double percent)
{
    char text[FIGURES_MOST];
    bool change = slot->state->file.subject == SUBJECT_PAIR;
    slot_number(slot, change ? theme_change(percent) : theme_heat(percent),
                label_share(slot->state, percent, text));
}

void slot_running(const struct slot *slot, struct cost cost)
{
    char text[FIGURES_MOST];
    double percent = figures_percent(cost.cpu_ns, cost_ns(cost));
    slot_number(slot, ROLE_DEFAULT, cost_ns(cost) ? label_percent(percent, text) : "");
}

void slot_value(const struct slot *slot, int64_t value)
{
    char text[FIGURES_MOST];
    bool pair = slot->state->file.subject == SUBJECT_PAIR;
    label_value(slot->scene, slot->state, value, text);
    slot_number(slot, pair && value ? theme_change((double)value) : ROLE_DEFAULT,
                value ? text : "");
}

void slot_text(const struct slot *slot, enum role role, const char *text)
{
    canvas_clipped(&slot->picture->canvas, slot->row, slot->col, slot->width, role, text);
}

void slot_name(const struct slot *slot, int indent, enum role role, const char *text)
{
    int scroll = slot->state->cursors[slot->scene->view].scroll;
    int col = slot->col + indent, width = slot->width - indent;
    if (scroll)
        canvas_scrolled(&slot->picture->canvas, slot->row, col, width, scroll, role, text);
    else
        canvas_clipped(&slot->picture->canvas, slot->row, col, width, role, text);
}

void slot_function(const struct slot *slot, int indent, enum role role,
                   const struct function *function, bool inlined)
{
    AUTO_BUF struct buf text = {0};
    struct canvas *canvas = &slot->picture->canvas;
    int scroll = slot->state->cursors[slot->scene->view].scroll, width = slot->width - indent;
    label_function_within(slot->state, canvas, scroll ? INT_MAX : width, function, inlined, &text);
    if (scroll)
        slot_name(slot, indent, role, text.data);
    else
        canvas_squeezed(canvas, slot->row, slot->col + indent, width, role, text.data);
}

void slot_line(const struct slot *slot, const char *file, uint32_t line)
{
    AUTO_BUF struct buf text = {0};
    label_line(slot->state, file, line, &text);
    canvas_squeezed(&slot->picture->canvas, slot->row, slot->col, slot->width, ROLE_DIM,
                    text.length ? text.data : "");
}

void slot_module(const struct slot *slot, const struct function *function)
{
    if (function)
        canvas_squeezed(&slot->picture->canvas, slot->row, slot->col, slot->width, ROLE_MODULE,
                        label_module(slot->state, function));
}

// --- columns ---

struct column_at {
    const struct column *column;
    int col, width;
};

struct drawing { // a table that is being drawn
    struct picture *picture;
    struct box area;
    const struct scene *scene;
    struct state *state;
    const struct table *table;
    struct column_at places[COLUMNS_MOST];
    size_t count;
    int height; // lines of a row
};

static bool is_sorted_by(const struct column *column, const struct state *state)
{
    return column->sort != SORT_COUNT && column->sort == state_query(state).sort;
}

// The column by which rows are sorted is always shown.
static bool is_shown(const struct column *column, const struct drawing *drawing)
{
    const struct state *state = drawing->state;
    const bool holds[] = {
        [WHEN_ALWAYS] = true,
        [WHEN_SORTED] = false,
        [WHEN_LINES] = state->wanted.lines,
        [WHEN_VERBOSE] = state->wanted.verbose,
        [WHEN_SHORT] = !state->wanted.verbose,
        [WHEN_UPRIGHT] = !state->query.inverted,
        [WHEN_INVERTED] = state->query.inverted,
        [WHEN_WALL] = filter_is_wall(&state->query.filter),
        [WHEN_DELAY] = filter_is_delay(&state->query.filter),
        [WHEN_PAIR] = state->file.subject == SUBJECT_PAIR,
        [WHEN_WINDOWED] = drawing->scene->windowed,
    };
    return drawing->area.cols >= column->least &&
           (holds[column->when] || is_sorted_by(column, state));
}

// Returns the column to drop when there is no room: the leftmost of those that only wide screens
// have. NAME_LEAST columns of the screen are kept for the names.
static size_t least_missed(const struct column_at *places, size_t count, const struct state *state)
{
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct column *column = places[i].column;
        if (column->width && column->least && !is_sorted_by(column, state) &&
            (least == SIZE_MAX || column->least > places[least].column->least))
            least = i;
    }
    return least;
}

static int left_of(const struct column_at *places, size_t count, int cols)
{
    for (size_t i = 0; i < count; i++)
        cols -= places[i].column->width + (i ? COLUMN_GAP : 0);
    return cols;
}

static void place_columns(struct drawing *drawing)
{
    const struct table *table = drawing->table;
    struct column_at *places = drawing->places;
    size_t count = 0, victim;
    for (size_t i = 0; i < table->count && count < COLUMNS_MOST; i++)
        if (is_shown(&table->columns[i], drawing))
            places[count++].column = &table->columns[i];
    while (left_of(places, count, drawing->area.cols) < NAME_LEAST &&
           (victim = least_missed(places, count, drawing->state)) != SIZE_MAX)
        memmove(&places[victim], &places[victim + 1], (--count - victim) * sizeof *places);
    int col = drawing->area.col, left = left_of(places, count, drawing->area.cols);
    for (size_t i = 0; i < count; i++) {
        places[i].width = places[i].column->width ? places[i].column->width : left;
        places[i].col = col;
        col += places[i].width + COLUMN_GAP;
    }
    drawing->count = count;
}

static void draw_title(struct picture *picture, int row, const struct column_at *at,
                       const struct rows_query *query)
{
    struct canvas *canvas = &picture->canvas;
    const struct column *column = at->column;
    bool sorted = column->sort != SORT_COUNT && column->sort == query->sort;
    enum role role = sorted ? ROLE_HEADER_SORTED : ROLE_HEADER;
    bool ascending = query->reversed != (query->sort == SORT_FUNCTION ||
                                         query->sort == SORT_MODULE || query->sort == SORT_TID);
    int width = (int)strlen(column->title);
    int col = column->right ? at->col + at->width - width : at->col;
    if (sorted)
        canvas_fill(canvas, row, column->right ? col - 1 : col, width + 1, role);
    canvas_text(canvas, row, col, at->width, role, column->title);
    if (sorted)
        canvas_glyph(canvas, row, column->right ? col - 1 : col + width, role,
                     ascending ? GLYPH_ASCENDING : GLYPH_DESCENDING);
    if (column->sort != SORT_COUNT)
        picture_add_zone(picture, (struct box){row, at->col, 1, at->width}, ACTION_SORT_MENU,
                         (int)column->sort);
}

size_t table_sorts(const struct table *table, enum rows_sort sorts[SORT_COUNT])
{
    size_t count = 0;
    for (size_t i = 0; table && i < table->count && count < SORT_COUNT; i++)
        if (table->columns[i].sort != SORT_COUNT)
            sorts[count++] = table->columns[i].sort;
    return count;
}

const char *table_title(const struct table *table, enum rows_sort sort)
{
    for (size_t i = 0; table && i < table->count; i++)
        if (table->columns[i].sort == sort)
            return table->columns[i].title;
    return "";
}

bool table_can_sort(const struct table *table)
{
    enum rows_sort sorts[SORT_COUNT];
    return table_sorts(table, sorts) > 0;
}

// --- rows ---

void table_keep_visible(struct cursor *cursor, size_t count, int rows)
{
    size_t page = rows > 0 ? (size_t)rows : 1;
    if (cursor->at < cursor->first)
        cursor->first = cursor->at;
    if (cursor->at >= cursor->first + page)
        cursor->first = cursor->at - page + 1;
    if (cursor->first + page > count)
        cursor->first = count > page ? count - page : 0;
}

// Highlights the match of the search in a name. A match that is clipped or escaped on the screen
// is not found.
static void mark_match(struct picture *picture, int row, const struct column_at *at,
                       const struct item *item, const struct state *state)
{
    const struct canvas *canvas = &picture->canvas;
    if (!scene_match(state, item->text))
        return;
    int width = canvas_width(canvas, state->search);
    for (int col = at->col; col + width <= at->col + at->width; col++) {
        const char *want = state->search;
        int i = 0;
        for (; i < width; i++) {
            uint32_t code = canvas_cell(canvas, row, col + i)->code;
            uint32_t byte = (unsigned char)want[i];
            if (code != byte && !(code - 'A' < 26 && code + 32 == byte))
                break;
        }
        if (i < width)
            continue;
        canvas_paint(&picture->canvas, row, col, width, ROLE_MATCH);
        return;
    }
}

static void draw_row(const struct drawing *drawing, size_t index, int row)
{
    struct picture *picture = drawing->picture;
    struct box area = drawing->area;
    struct slot slot = {picture, row, 0, 0, index, drawing->scene, drawing->state};
    struct item item = scene_item(drawing->scene, index);
    for (size_t i = 0; i < drawing->count; i++) {
        slot.col = drawing->places[i].col;
        slot.width = drawing->places[i].width;
        if (slot.width > 0)
            drawing->places[i].column->draw(&slot);
    }
    if (drawing->height == 2) {
        slot = (struct slot){picture, row + 1, area.col + 2, area.cols - 2, index, drawing->scene,
                             drawing->state};
        drawing->table->draw_second(&slot);
    }
    if (index == drawing->state->cursors[drawing->scene->view].at)
        for (int line = 0; line < drawing->height; line++)
            canvas_paint(&picture->canvas, row + line, area.col, area.cols, ROLE_SELECTED);
    for (size_t i = 0; i < drawing->count; i++)
        if (!drawing->places[i].column->width)
            mark_match(picture, row, &drawing->places[i], &item, drawing->state);
    picture_add_zone(picture, (struct box){row, area.col, drawing->height, area.cols},
                     ACTION_MOUSE, (int)index);
}

// Says why there are no rows, and what helps. Both lines fit on the narrowest screen.
static void explain_window(const struct scene *scene, const struct state *state,
                           const char *lines[2])
{
    bool run = state->file.subject == SUBJECT_RUN;
    lines[0] = run ? "nothing ran on a CPU in this window" : "the file has nothing of this type";
    lines[1] = run ? "w: longer window, a: also who sleeps" : "a: the next type that it has";
    if (scene->snapshot->denied) {
        lines[0] = "no longer permitted to look at it:";
        lines[1] = "ptprof check PID says why";
    } else if (state->crumb_count) {
        lines[0] = run ? "nothing in this window is left by" : "nothing is left by";
        lines[1] = "the filter; Esc takes it back";
    } else if (run && filter_is_wall(&state->query.filter)) {
        lines[0] = "no wall time in this window yet:";
        lines[1] = "it is told once a second";
    } else if (run && filter_is_delay(&state->query.filter)) {
        lines[0] = "no delay in this window";
        lines[1] = filter_kind(&state->query.filter) == PROFILE_MUTEX
                       ? "w: longer window, A: all kinds of waits"
                       : "w: longer window, W: waits for work";
    }
}

void table_draw_empty(struct picture *picture, struct box area, const struct scene *scene,
                      const struct state *state, const char *why)
{
    const char *lines[2] = {why, ""};
    if (!why)
        explain_window(scene, state, lines);
    int first = area.rows > 4 ? 2 : 1;
    for (int i = 0; i < 2 && first + i < area.rows; i++)
        canvas_clipped(&picture->canvas, area.row + first + i, area.col + 2, area.cols - 2,
                       ROLE_DIM, lines[i]);
}

void table_draw(struct picture *picture, struct box area, const struct scene *scene,
                struct state *state, const struct table *table)
{
    struct drawing drawing = {picture, area, scene, state, table, {{0}}, 0, 1};
    struct rows_query query = state_query(state);
    struct cursor *cursor = &state->cursors[scene->view];
    size_t count = scene->count;
    if (area.rows < 1)
        return;
    if (area.cols < TWO_LINES && table->draw_second && area.rows >= 5)
        drawing.height = 2;
    place_columns(&drawing);
    canvas_fill(&picture->canvas, area.row, area.col, area.cols, ROLE_HEADER);
    for (size_t i = 0; i < drawing.count; i++)
        draw_title(picture, area.row, &drawing.places[i], &query);
    int page = (area.rows - 1) / drawing.height;
    table_keep_visible(cursor, count, page);
    for (int i = 0; i < page && cursor->first + (size_t)i < count; i++)
        draw_row(&drawing, cursor->first + (size_t)i, area.row + 1 + i * drawing.height);
    if (!count)
        table_draw_empty(picture, area, scene, state, table->empty);
}
