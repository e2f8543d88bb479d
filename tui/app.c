// SPDX-License-Identifier: MIT
// An input goes to the prompt, to the help or menu over the view, or to the table of actions.
#include "tui/app.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define WHEEL_ROWS 3

// --- prompts ---

static void append_character(struct buf *text, int key)
{
    unsigned code = (unsigned)key;
    if (code < 0x80) {
        buf_putc(text, (char)code);
        return;
    }
    int length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    buf_putc(text, (char)(lead[length] | code >> (6 * (length - 1))));
    while (--length)
        buf_putc(text, (char)(0x80 | ((code >> (6 * (length - 1))) & 0x3f)));
}

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
        append_character(&text, key);
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
    state_filter_terms(state, state->text);
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
        app->state->delay = (int64_t)(seconds * NS_PER_S);
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

static unsigned help_input(struct app *app, enum action action)
{
    bool moves = action >= ACTION_UP && action <= ACTION_END;
    int beyond = overlay_help_lines(&app->picture->canvas);
    if (!moves || !beyond)
        return close_overlay(app);
    size_t page = (size_t)picture_page(app->picture, app->state), *first = &app->state->menu.first;
    switch (action) {
    case ACTION_UP:
        *first -= *first > 0;
        break;
    case ACTION_DOWN:
        *first += 1;
        break;
    case ACTION_PAGE_UP:
        *first = *first > page ? *first - page : 0;
        break;
    case ACTION_HOME:
        *first = 0;
        break;
    default:
        *first += action == ACTION_END ? (size_t)beyond : page;
    }
    if (*first > (size_t)beyond)
        *first = (size_t)beyond;
    return 0;
}

static unsigned menu_input(struct app *app, enum action action)
{
    size_t count = overlay_count(app->scene, app->state), *at = &app->state->menu.at;
    size_t page = (size_t)picture_page(app->picture, app->state);
    size_t targets[] = {
        [0] = *at ? *at - 1 : 0,
        [1] = *at + 1,
        [2] = *at > page ? *at - page : 0,
        [3] = *at + page,
        [4] = 0,
        [5] = count,
    };
    static const enum action moves[] = {ACTION_UP,        ACTION_DOWN, ACTION_PAGE_UP,
                                        ACTION_PAGE_DOWN, ACTION_HOME, ACTION_END};
    if (action == ACTION_ENTER)
        return app_choose(app, *at);
    for (size_t i = 0; i < ARRAY_LENGTH(moves); i++)
        if (moves[i] == action) {
            *at = targets[i] < count ? targets[i] : count - 1;
            return 0;
        }
    return close_overlay(app);
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
