// SPDX-License-Identifier: MIT
// An input goes to the prompt, to the help or menu over the view, or to the table of actions.
#include "tui/app.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define WHEEL_ROWS 3

// --- prompts ---

static void drop_character(struct buf *text)
{
    while (text->length && (text->data[text->length - 1] & 0xc0) == 0x80)
        text->length--;
    if (text->length)
        text->length--;
}

// Edits the text of the prompt. Returns false if the key is no editing key.
static bool edit(struct state *state, int key)
{
    AUTO_BUF struct buf text = {0};
    buf_puts(&text, state->text);
    if (key == INPUT_BACKSPACE || key == INPUT_DELETE)
        drop_character(&text);
    else if (key == INPUT_CTRL('U'))
        text.length = 0;
    else if (key >= ' ' && key < INPUT_UP)
        buf_put_utf8(&text, (uint32_t)key);
    else
        return false;
    AUTO_FREE char *changed = xstrndup(text.data, text.length);
    state_prompt(state, state->prompt, changed);
    return true;
}

static void search_for(struct app *app, const char *text)
{
    struct state *state = app->state;
    char *copy = *text ? xstrdup(text) : NULL;
    free(state->search);
    state->search = copy;
    if (copy && !scene_search(app->scene, state, state->search_from, 1, true))
        state_say(state, true, "not found: %s", copy);
}

static unsigned accept_filter(struct app *app)
{
    struct state *state = app->state;
    struct filter filter = {.terms = state->text};
    struct err err = {0};
    if (filter_check(&filter, &err) != RC_OK) {
        state_say(state, true, "%s", err.text);
        return 0;
    }
    state_filter(state, CRUMB_TERMS, state->text, 0);
    return EFFECT_ROWS;
}

static unsigned accept_delay(struct app *app)
{
    char *end;
    double seconds = strtod(app->state->text, &end);
    double least = (double)DELAY_LEAST / NS_PER_S, most = (double)DELAY_MOST / NS_PER_S;
    if (end == app->state->text || *end || !(seconds >= least && seconds <= most))
        state_say(app->state, true, "between %g and %g seconds", least, most);
    else
        app->state->wanted.delay = (int64_t)(seconds * NS_PER_S);
    return 0;
}

static unsigned accept(struct app *app)
{
    bool named = *app->state->text; // an empty name saves nothing
    switch (app->state->prompt) {
    case PROMPT_FILTER:
        return accept_filter(app);
    case PROMPT_DELAY:
        return accept_delay(app);
    case PROMPT_SAVE:
        return named ? EFFECT_SAVE : 0; // saving ends the prompt
    case PROMPT_SAVE_SCREEN:
        return named ? EFFECT_SAVE_SCREEN : 0;
    default:
        return 0;
    }
}

static void cancel(struct app *app)
{
    if (app->state->prompt == PROMPT_SEARCH) {
        search_for(app, "");
        scene_select(app->scene, app->state, app->state->search_from);
    }
    state_prompt(app->state, PROMPT_NONE, NULL);
}

static unsigned prompt_input(struct app *app, int key)
{
    struct state *state = app->state;
    unsigned effects = 0;
    if (key == INPUT_ESCAPE || key == INPUT_CTRL('C')) {
        cancel(app);
    } else if (key == INPUT_ENTER) {
        effects = accept(app);
        if (!(effects & (EFFECT_SAVE | EFFECT_SAVE_SCREEN)))
            state_prompt(state, PROMPT_NONE, NULL);
    } else if (edit(state, key) && state->prompt == PROMPT_SEARCH) {
        search_for(app, state->text);
    }
    return effects;
}

// --- help and menus ---

static unsigned close_overlay(struct app *app)
{
    app->state->overlay = OVERLAY_NONE;
    return 0;
}

// Moves a position as an action says, within [0, last]. Returns false if the action moves nothing.
static bool move_within(const struct app *app, enum action action, size_t last, size_t *at)
{
    long page = picture_page(app->picture, app->state), end = (long)last;
    const struct {
        enum action action;
        long by;
    } moves[] = {{ACTION_UP, -1},        {ACTION_DOWN, 1},    {ACTION_PAGE_UP, -page},
                 {ACTION_PAGE_DOWN, page}, {ACTION_HOME, -end}, {ACTION_END, end}};
    for (size_t i = 0; i < ARRAY_LENGTH(moves); i++)
        if (moves[i].action == action) {
            long to = (long)*at + moves[i].by;
            *at = to < 0 ? 0 : to > end ? last : (size_t)to;
            return true;
        }
    return false;
}

static unsigned help_input(struct app *app, enum action action)
{
    int beyond = overlay_help_lines(&app->picture->canvas, app->state);
    if (action == ACTION_LEFT || action == ACTION_RIGHT)
        action = ACTION_PAGE_DOWN;
    return beyond && move_within(app, action, (size_t)beyond, &app->state->menu.first)
               ? 0
               : close_overlay(app);
}

static unsigned menu_input(struct app *app, enum action action)
{
    size_t last = overlay_count(app->scene, app->state) - 1, *at = &app->state->menu.at;
    if (action == ACTION_ENTER)
        return app_choose(app, *at);
    return move_within(app, action, last, at) ? 0 : close_overlay(app);
}

static bool is_always(enum action action)
{
    return action == ACTION_REDRAW || action == ACTION_SUSPEND;
}

// --- mouse ---

static unsigned click(struct app *app, const struct input *input)
{
    const struct zone *zone = picture_zone(app->picture, input->row, input->col);
    if (app->state->overlay) {
        if (zone && zone->action == ACTION_ENTER)
            return app_choose(app, (size_t)zone->arg);
        return close_overlay(app);
    }
    if (!zone)
        return 0;
    if (zone->action == ACTION_SORT_MENU && zone->arg >= 0)
        return app_sort(app, (enum rows_sort)zone->arg);
    if (zone->action != ACTION_MOUSE)
        return app_act(app, zone->action);
    scene_select(app->scene, app->state, (size_t)zone->arg);
    return input->mouse == MOUSE_DOUBLE ? app_act(app, ACTION_ENTER) : 0;
}

static unsigned mouse_input(struct app *app, const struct input *input)
{
    bool up = input->mouse == MOUSE_WHEEL_UP;
    if (!up && input->mouse != MOUSE_WHEEL_DOWN)
        return click(app, input);
    enum action action = up ? ACTION_UP : ACTION_DOWN;
    for (int i = 0; i < WHEEL_ROWS; i++)
        if (app->state->overlay == OVERLAY_HELP)
            help_input(app, action);
        else if (app->state->overlay)
            menu_input(app, action);
        else
            app_act(app, action);
    return 0;
}

unsigned app_input(struct app *app, const struct input *input)
{
    struct state *state = app->state;
    enum action action = keymap_action(input->key);
    state_say(state, false, NULL);
    if (state->prompt)
        return is_always(action) ? app_act(app, action) : prompt_input(app, input->key);
    if (input->key == INPUT_MOUSE)
        return mouse_input(app, input);
    if (state->overlay && input->key != INPUT_CTRL('C') && !is_always(action))
        return state->overlay == OVERLAY_HELP ? help_input(app, action) : menu_input(app, action);
    return action == ACTION_NONE ? 0 : app_act(app, action);
}
