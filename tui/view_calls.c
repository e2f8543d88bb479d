// SPDX-License-Identifier: MIT
// This view shows a function between its callers and its callees.
#include <string.h>

#include "base/mem.h"
#include "tui/label.h"
#include "tui/view.h"

static const struct call_rows *calls_of(const struct scene *scene)
{
    return scene->rows;
}

struct relative { // a row of the three parts
    const struct function *function;
    uint64_t id;
    struct cost cost;
    int part; // -1 a caller, 0 the function, 1 a callee
};

static struct relative relative_at(const struct scene *scene, size_t row)
{
    const struct call_rows *calls = calls_of(scene);
    if (row == calls->caller_count)
        return (struct relative){calls->function.function, calls->function.id,
                                 calls->function.total, 0};
    bool calls_it = row < calls->caller_count;
    const struct call_row *at = calls_it ? &calls->callers[row]
                                         : &calls->callees[row - calls->caller_count - 1];
    return (struct relative){at->function, at->id, at->cost, calls_it ? -1 : 1};
}

static struct relative relative_of(const struct slot *slot)
{
    return relative_at(slot->scene, slot->index);
}

// The share of callers and callees is of the function's cost, that of the function of all.
static void draw_share(const struct slot *slot)
{
    struct relative relative = relative_of(slot);
    const struct call_rows *calls = calls_of(slot->scene);
    bool pair = slot->state->file.subject == SUBJECT_PAIR; // has one 100 % for all
    struct cost all = relative.part && !pair ? calls->function.total : calls->all;
    slot_percent(slot, rows_percent(rows_measure(&slot->state->query), relative.cost, all));
}

static void draw_time(const struct slot *slot)
{
    slot_value(slot, cost_ns(relative_of(slot).cost));
}

static void draw_name(const struct slot *slot)
{
    struct relative relative = relative_of(slot);
    struct canvas *canvas = &slot->picture->canvas;
    bool last = slot->index + 1 == slot->scene->count;
    int indent = relative.part < 0 ? 3 : relative.part > 0 ? 5 : 0;
    if (relative.part < 0)
        canvas_text(canvas, slot->row, slot->col, 3, ROLE_DIM,
                    theme_glyph(canvas->utf8, slot->index ? GLYPH_BRANCH : GLYPH_FIRST));
    else if (relative.part > 0)
        canvas_text(canvas, slot->row, slot->col + 2, 3, ROLE_DIM,
                    theme_glyph(canvas->utf8, last ? GLYPH_LAST : GLYPH_BRANCH));
    if (relative.function)
        slot_function(slot, indent, relative.part ? ROLE_DEFAULT : ROLE_STRONG, relative.function,
                      false);
    else
        slot_name(slot, indent, ROLE_DIM, relative.part < 0 ? "(it is the root)" : "(itself)");
}

static void draw_module(const struct slot *slot)
{
    slot_module(slot, relative_of(slot).function);
}

static const struct column columns[] = {
    {"SHARE%", 6, 0, true, SORT_COUNT, WHEN_ALWAYS, draw_share},
    {"TIME", 7, 50, true, SORT_COUNT, WHEN_ALWAYS, draw_time},
    {"CALLERS, FUNCTION, CALLEES", 0, 0, false, SORT_COUNT, WHEN_ALWAYS, draw_name},
    {"MODULE", 15, 80, false, SORT_COUNT, WHEN_ALWAYS, draw_module},
};

static const struct column file_columns[] = {
    {"SHARE%", 7, 0, true, SORT_COUNT, WHEN_ALWAYS, draw_share},
    {"VALUE", 8, 50, true, SORT_COUNT, WHEN_ALWAYS, draw_time},
    {"CALLERS, FUNCTION, CALLEES", 0, 0, false, SORT_COUNT, WHEN_ALWAYS, draw_name},
    {"MODULE", 15, 80, false, SORT_COUNT, WHEN_ALWAYS, draw_module},
};

static const struct table file_table = {file_columns, ARRAY_LENGTH(file_columns),
                                        "the function has nothing of this type", NULL};

static const struct table table = {columns, ARRAY_LENGTH(columns),
                                   "the function is not in this window", NULL};

// --- the rows ---

static enum rc make(struct scene *scene, struct state *state, const struct rows_query *query,
                    struct err *err)
{
    (void)err;
    struct call_rows *calls = scene->rows;
    uint64_t function = state->path.ids[state->path.length - 1];
    if (rows_calls(&scene->snapshot->moment, query, function, calls, NULL) == RC_OK)
        scene->count = calls->caller_count + 1 + calls->callee_count;
    scene->all = calls->all;
    return RC_OK;
}

static void free_rows(void *rows)
{
    call_rows_fini(rows);
}

// A function may be in all three parts, so the id of a row includes the part.
static struct item item(const struct scene *scene, size_t row)
{
    static const uint64_t salts[] = {1, 0, 2};
    struct relative relative = relative_at(scene, row);
    return (struct item){
        .id = scene_item_id(map_hash(relative.id + salts[relative.part + 1])),
        .text = relative.function ? relative.function->name : "",
        .function = relative.function,
    };
}

static size_t row_of_function(const struct scene *scene)
{
    return calls_of(scene)->caller_count;
}

// --- opening it, from one function to the next and back ---

static unsigned open_calls(struct app *app)
{
    struct state *state = app->state;
    const struct function *function = act_item(app).function;
    if (!function) {
        state_say(state, true, "there is no function in this row");
        return 0;
    }
    if (state->view != VIEW_CALLS)
        state->path.length = 0;
    if (state->path.length == PATH_MOST)
        memmove(state->path.ids, state->path.ids + 1,
                --state->path.length * sizeof *state->path.ids);
    state->path.ids[state->path.length++] = function->id;
    state->cursors[VIEW_CALLS] = (struct cursor){0};
    return act_show(app, VIEW_CALLS);
}

static unsigned go_back(struct app *app)
{
    struct state *state = app->state;
    if (state->path.length <= 1)
        return act_back(app);
    state->path.length--;
    state->cursors[VIEW_CALLS] = (struct cursor){0};
    return EFFECT_ROWS;
}

static const struct view_key keys[] = {{ACTION_BACK, {.act = go_back}}};

const struct view view_calls = {
    .title = "callers and callees",
    .pane = true,
    .rows = {sizeof(struct call_rows), make, free_rows, item, row_of_function, NULL},
    .table = &table,
    .file_table = &file_table,
    .action = ACTION_CALLERS,
    .open = open_calls,
    .keys = keys,
    .key_count = ARRAY_LENGTH(keys),
};
