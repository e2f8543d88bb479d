// SPDX-License-Identifier: MIT
// This file draws the message line and the function bar.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tui/label.h"
#include "tui/view.h"

#define STATUS_WIDE 35 // columns of the longest status, with room around it

#define FILTER_HINT " a,b both   !c not   /regex/   of function or module; empty: all"

static const char *const prompt_titles[] = {
    [PROMPT_SEARCH] = "/",
    [PROMPT_FILTER] = "filter: ",
    [PROMPT_DELAY] = "seconds between refreshes: ",
    [PROMPT_SAVE] = "save profile as: ",
    [PROMPT_SAVE_SCREEN] = "save screen as: ",
};

// Of a long text the end is shown, because that is where the user types.
static void draw_prompt(struct canvas *canvas, int row, const struct state *state)
{
    int col = canvas_text(canvas, row, 0, canvas->cols, ROLE_PROMPT, prompt_titles[state->prompt]);
    int room = canvas->cols - col - 1, width = canvas_width(canvas, state->text);
    int skip = width > room ? width - room : 0;
    col += canvas_scrolled(canvas, row, col, room, skip, ROLE_DEFAULT, state->text);
    canvas->cursor_row = row;
    canvas->cursor_col = col;
    if (state->prompt == PROMPT_FILTER && !*state->text)
        canvas_clipped(canvas, row, col + 1, room - 1, ROLE_DIM, FILTER_HINT);
}

// --- the right end: in what state things are ---

// If `unsaid`, the header has no room to say which time is counted, so the status says it.
static int draw_status(struct canvas *canvas, int row, const struct snapshot *snapshot,
                       const struct scene *scene, const struct state *state, int64_t now,
                       bool unsaid)
{
    char text[96] = "", clock[FIGURES_MOST];
    enum role role = ROLE_BANNER;
    // A message is not cut for the status: its end may matter, as in the name of a file.
    int message = state->message.text ? canvas_width(canvas, state->message.text) : 0;
    bool wide = canvas->cols >= 60 && message + STATUS_WIDE <= canvas->cols;
    int64_t frozen = now - state->frozen_at;
    if (snapshot->end == TARGET_ENDED)
        snprintf(text, sizeof text, wide ? " process ended - q quit, s save " : " ended: q, s ");
    else if (snapshot->paused || state->paused)
        snprintf(text, sizeof text, wide ? " not sampling: P goes on " : " paused: P ");
    else if (state->frozen)
        role = ROLE_FROZEN, snprintf(text, sizeof text, "frozen %s", figures_clock(frozen, clock));
    else if (snapshot->denied)
        snprintf(text, sizeof text, wide ? " no longer permitted " : " denied ");
    else if (snapshot->stopped)
        snprintf(text, sizeof text, wide ? " the process is stopped " : " stopped ");
    else if (scene->measure.type && unsaid)
        snprintf(text, sizeof text, " %.40s ", scene->measure.type);
    else if (state->query.filter.type && unsaid)
        snprintf(text, sizeof text, " %s ",
                 filter_is_wall(&state->query.filter) ? "wall time" : state->query.filter.type);
    int width = canvas_width(canvas, text);
    if (width)
        canvas_text(canvas, row, canvas->cols - width, width, role, text);
    return canvas->cols - width - (width > 0);
}

// --- the left end ---

static void put_position(const struct canvas *canvas, const struct scene *scene,
                         const struct state *state, struct buf *out)
{
    const struct view *view = views[scene->view];
    size_t count = scene->count;
    if (state->search)
        buf_printf(out, "/%s   %zu of %zu rows%s", state->search,
                   scene_match_count(scene, state), count, view->put_row ? "   " : "");
    if (count && view->put_row)
        view->put_row(canvas, scene, state, out);
    else if (count && !state->search)
        buf_printf(out, "row %zu of %zu", state->cursors[scene->view].at + 1, count);
    if (view->put_note)
        view->put_note(scene, state, out);
}

static void draw_left(struct canvas *canvas, int row, int end, const struct scene *scene,
                      const struct state *state)
{
    AUTO_BUF struct buf text = {0};
    enum role role = ROLE_DIM;
    if (state->message.text) {
        buf_puts(&text, state->message.text);
        role = state->message.bad ? ROLE_BAD : ROLE_MESSAGE;
    } else {
        put_position(canvas, scene, state, &text);
    }
    if (text.length)
        canvas_clipped(canvas, row, 1, end - 1, role, text.data);
}

// --- function bar ---

// Returns the row of a function key's action, NULL if that is not on the bar. number 1: F1.
static const struct action_row *row_of_key(int number, enum subject subject)
{
    enum action action = keymap_action(INPUT_F(number));
    bool there = action != ACTION_NONE && !keymap_why_not(action, subject);
    return there && keymap_row(action)->label ? keymap_row(action) : NULL;
}

static void draw_bar(struct picture *picture, int row, enum subject subject)
{
    struct canvas *canvas = &picture->canvas;
    int col = 0, taken = 0, count = 0;
    for (int number = 1; number <= 12; number++)
        if (row_of_key(number, subject)) {
            taken += snprintf(NULL, 0, "F%d%s ", number, row_of_key(number, subject)->label);
            count++;
        }
    int spare = count && canvas->cols > taken ? (canvas->cols - taken) / count : 0;
    spare = spare < 3 ? spare : 3;
    for (int number = 1; number <= 12; number++) {
        const struct action_row *action = row_of_key(number, subject);
        char key[8];
        if (!action)
            continue;
        int key_width = snprintf(key, sizeof key, "F%d", number);
        int label_width = (int)strlen(action->label) + spare, width = key_width + label_width;
        if (col + width > canvas->cols)
            return;
        canvas_text(canvas, row, col, key_width, ROLE_BAR_KEY, key);
        canvas_fill(canvas, row, col + key_width, label_width, ROLE_BAR_LABEL);
        canvas_text(canvas, row, col + key_width, label_width, ROLE_BAR_LABEL, action->label);
        picture_add_zone(picture, (struct box){row, col, 1, width},
                         keymap_action(INPUT_F(number)), -1);
        col += width + 1;
    }
}

void footer_draw(struct picture *picture, const struct layout *layout,
                 const struct snapshot *snapshot, const struct scene *scene,
                 const struct state *state, int64_t now)
{
    struct canvas *canvas = &picture->canvas;
    if (layout->message >= 0 && state->prompt)
        draw_prompt(canvas, layout->message, state);
    else if (layout->message >= 0)
        draw_left(canvas, layout->message,
                  draw_status(canvas, layout->message, snapshot, scene, state, now,
                              layout->crumbs < 0),
                  scene, state);
    if (layout->bar >= 0)
        draw_bar(picture, layout->bar, state->file.subject);
}
