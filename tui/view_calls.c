// SPDX-License-Identifier: MIT
// A function between those that call it and those it calls; and the stack of a thread.
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "tui/label.h"
#include "tui/table.h"

struct call { // a row of the three parts
    const struct function *function;
    struct cost cost;
    int part; // -1 a caller, 0 the function, 1 a callee
};

static struct call call_of(const struct slot *slot)
{
    const struct call_rows *calls = &slot->scene->calls;
    size_t at = slot->index;
    if (at < calls->caller_count)
        return (struct call){calls->callers[at].function, calls->callers[at].cost, -1};
    if (at == calls->caller_count)
        return (struct call){calls->function.function, calls->function.total, 0};
    const struct call_row *callee = &calls->callees[at - calls->caller_count - 1];
    return (struct call){callee->function, callee->cost, 1};
}

// Of the function: of all. Of its callers and callees: of the function.
static void draw_share(const struct slot *slot)
{
    struct call call = call_of(slot);
    const struct call_rows *calls = &slot->scene->calls;
    struct cost all = call.part ? calls->function.total : calls->all;
    slot_percent(slot, rows_percent(rows_measure(&slot->state->query), call.cost, all));
}

static void draw_time(const struct slot *slot)
{
    slot_time(slot, cost_ns(call_of(slot).cost));
}

static void draw_name(const struct slot *slot)
{
    struct call call = call_of(slot);
    struct canvas *canvas = &slot->picture->canvas;
    enum glyph glyph = slot->index + 1 == slot->scene->calls.caller_count +
                                              slot->scene->calls.callee_count + 1
                           ? GLYPH_LAST : GLYPH_BRANCH;
    if (call.part < 0)
        canvas_text(canvas, slot->row, slot->col, 3, ROLE_DIM,
                    theme_glyph(canvas->utf8, slot->index ? GLYPH_BRANCH : GLYPH_FIRST));
    else if (call.part > 0)
        canvas_text(canvas, slot->row, slot->col + 2, 3, ROLE_DIM,
                    theme_glyph(canvas->utf8, glyph));
    int indent = call.part < 0 ? 3 : call.part > 0 ? 5 : 0;
    if (call.function)
        slot_function(slot, indent, call.part ? ROLE_DEFAULT : ROLE_STRONG, call.function, false);
    else
        slot_name(slot, indent, ROLE_DIM, call.part < 0 ? "(it is the root)" : "(itself)");
}

static void draw_module(const struct slot *slot)
{
    const struct function *function = call_of(slot).function;
    if (function)
        canvas_squeezed(&slot->picture->canvas, slot->row, slot->col, slot->width, ROLE_MODULE,
                        label_module(slot->state, function));
}

void view_calls_draw(struct picture *picture, struct box area, const struct scene *scene,
                     struct state *state)
{
    static const struct column columns[] = {
        {"SHARE%", 6, 0, true, SORT_COUNT, NULL, draw_share},
        {"TIME", 7, 50, true, SORT_COUNT, NULL, draw_time},
        {"CALLERS, FUNCTION, CALLEES", 0, 0, false, SORT_COUNT, NULL, draw_name},
        {"MODULE", 15, 80, false, SORT_COUNT, NULL, draw_module},
    };
    static const struct table table = {columns, ARRAY_LENGTH(columns),
                                       "the function is not in this window", NULL};
    table_draw(picture, area, scene, state, &table);
}

// --- the stack of a thread ---

static const struct stack_row *frame_of(const struct slot *slot)
{
    return &slot->scene->stack.rows[slot->index];
}

static void draw_number(const struct slot *slot)
{
    char text[LABEL_MOST];
    snprintf(text, sizeof text, "#%" PRIu32, frame_of(slot)->depth);
    slot_number(slot, ROLE_DIM, text);
}

static void draw_stack_share(const struct slot *slot)
{
    slot_percent(slot, frame_of(slot)->share);
}

static void draw_frame(const struct slot *slot)
{
    const struct stack_row *frame = frame_of(slot);
    slot_function(slot, 0, frame->depth ? ROLE_DEFAULT : ROLE_STRONG, frame->function,
                  frame->inlined);
}

static void draw_frame_line(const struct slot *slot)
{
    slot_line(slot, frame_of(slot)->file, frame_of(slot)->line);
}

static void draw_frame_offset(const struct slot *slot)
{
    char text[LABEL_MOST];
    snprintf(text, sizeof text, "0x%" PRIx64, frame_of(slot)->offset);
    slot_number(slot, ROLE_DIM, text);
}

static void draw_frame_module(const struct slot *slot)
{
    canvas_squeezed(&slot->picture->canvas, slot->row, slot->col, slot->width, ROLE_MODULE,
                    label_module(slot->state, frame_of(slot)->function));
}

static bool is_verbose(const struct state *state)
{
    return state->verbose;
}

void view_stack_draw(struct picture *picture, struct box area, const struct scene *scene,
                     struct state *state)
{
    static const struct column columns[] = {
        {"SHARE%", 6, 50, true, SORT_COUNT, NULL, draw_stack_share},
        {"#", 4, 0, true, SORT_COUNT, NULL, draw_number},
        {"FUNCTION, LEAF FIRST", 0, 0, false, SORT_COUNT, NULL, draw_frame},
        {"FILE:LINE", 22, 60, false, SORT_COUNT, NULL, draw_frame_line},
        {"OFFSET", 12, 80, true, SORT_COUNT, is_verbose, draw_frame_offset},
        {"MODULE", 15, 50, false, SORT_COUNT, NULL, draw_frame_module},
    };
    size_t skip = scene->stack.windowed ? 0 : 1; // one stack has no share
    struct table table = {columns + skip, ARRAY_LENGTH(columns) - skip,
                          "the thread was not seen on a CPU lately", NULL};
    table_draw(picture, area, scene, state, &table);
}
