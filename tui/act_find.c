// SPDX-License-Identifier: MIT
// Finding rows, filtering and sorting them.
#include "tui/act.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

// --- finding ---

unsigned act_search(struct app *app)
{
    app->state->search_from = act_cursor(app)->at;
    state_prompt(app->state, PROMPT_SEARCH, "");
    return 0;
}

static unsigned search_again(struct app *app, int step)
{
    struct state *state = app->state;
    if (!state->search)
        state_say(state, true, "nothing to search for: / begins a search");
    else if (!scene_search(app->scene, state, act_cursor(app)->at, step, false))
        state_say(state, true, "not found: %s", state->search);
    return 0;
}

unsigned act_search_next(struct app *app)
{
    return search_again(app, 1);
}

unsigned act_search_previous(struct app *app)
{
    return search_again(app, -1);
}

unsigned act_filter(struct app *app)
{
    state_prompt(app->state, PROMPT_FILTER, app->state->terms ? app->state->terms : "");
    return 0;
}

unsigned act_module(struct app *app)
{
    const struct function *function = act_item(app).function;
    if (!app->state->module && (!function || !*function->module)) {
        state_say(app->state, true, "there is no module in this row");
        return 0;
    }
    state_filter_module(app->state, app->state->module ? NULL : function->module);
    return EFFECT_ROWS;
}

unsigned act_threads(struct app *app)
{
    app->state->overlay = OVERLAY_THREADS;
    app->state->menu = (struct cursor){0};
    return EFFECT_ROWS;
}

static bool is_chosen(const struct state *state, const struct thread_row *row)
{
    const struct filter *filter = &state->query.filter;
    return filter->thread ? strcmp(filter->thread, row->name) == 0 : filter->tid == row->tid;
}

// The choice before or after the present one; "all threads" is one of them.
static unsigned step_thread(struct app *app, size_t step)
{
    struct thread_rows *choices = &app->scene->choices;
    scene_load_choices(app->scene, app->state);
    size_t at = 0;
    for (size_t i = 0; i < choices->count; i++)
        if (is_chosen(app->state, &choices->rows[i]))
            at = i + 1;
    return app_choose(app, (at + step) % (choices->count + 1));
}

unsigned act_thread_previous(struct app *app)
{
    scene_load_choices(app->scene, app->state);
    return step_thread(app, app->scene->choices.count);
}

unsigned act_thread_next(struct app *app)
{
    return step_thread(app, 1);
}

unsigned act_idle(struct app *app)
{
    bool *idle = &app->state->query.filter.idle;
    *idle = !*idle;
    state_say(app->state, false, *idle ? "wall time, of threads that sleep too" : "CPU time");
    return EFFECT_ROWS | EFFECT_IDLE;
}

unsigned act_merge(struct app *app)
{
    enum rows_group *group = &app->state->query.group;
    *group = *group == GROUP_TID ? GROUP_ALL : (enum rows_group)(*group + 1);
    app->state->tree_known = false;
    app->state->zoom = 0;
    state_say(app->state, false, "threads: %s", rows_group_names[*group]);
    return EFFECT_ROWS;
}

// --- sorting ---

static bool can_sort(struct app *app)
{
    bool can = app->state->view == VIEW_TOP || app->state->view == VIEW_THREADS;
    if (!can)
        state_say(app->state, true, "this view has an order of its own");
    return can;
}

// The same again reverses.
unsigned app_sort(struct app *app, enum rows_sort sort)
{
    struct state *state = app->state;
    bool threads = state->view == VIEW_THREADS;
    enum rows_sort *current = threads ? &state->thread_sort : &state->query.sort;
    bool *reversed = threads ? &state->thread_reversed : &state->query.reversed;
    *reversed = *current == sort && !*reversed;
    *current = sort;
    return EFFECT_ROWS;
}

static unsigned sort_by(struct app *app, enum rows_sort sort)
{
    struct state *state = app->state;
    if (!can_sort(app))
        return 0;
    if (state->view == VIEW_THREADS && sort != SORT_SAMPLES)
        sort = SORT_CPU;
    bool threads = state->view == VIEW_THREADS;
    *(threads ? &state->thread_sort : &state->query.sort) = sort;
    *(threads ? &state->thread_reversed : &state->query.reversed) = false;
    return EFFECT_ROWS;
}

unsigned act_sort_self(struct app *app)
{
    return sort_by(app, SORT_SELF);
}

unsigned act_sort_total(struct app *app)
{
    return sort_by(app, SORT_TOTAL);
}

unsigned act_sort_self_time(struct app *app)
{
    return sort_by(app, SORT_SELF_TIME);
}

unsigned act_sort_total_time(struct app *app)
{
    return sort_by(app, SORT_TOTAL_TIME);
}

unsigned act_sort_samples(struct app *app)
{
    return sort_by(app, SORT_SAMPLES);
}

static unsigned step_sort(struct app *app, int step)
{
    size_t count, at = 0;
    const enum rows_sort *sorts = picture_sorts(app->state->view, &count);
    if (!can_sort(app))
        return 0;
    while (at + 1 < count && sorts[at] != state_query(app->state).sort)
        at++;
    if ((step < 0 && at == 0) || (step > 0 && at + 1 == count))
        return 0;
    return app_sort(app, sorts[at + (size_t)step]);
}

unsigned act_sort_previous(struct app *app)
{
    return step_sort(app, -1);
}

unsigned act_sort_next(struct app *app)
{
    return step_sort(app, 1);
}

unsigned act_sort_menu(struct app *app)
{
    size_t count, at = 0;
    const enum rows_sort *sorts = picture_sorts(app->state->view, &count);
    if (!can_sort(app))
        return 0;
    while (at + 1 < count && sorts[at] != state_query(app->state).sort)
        at++;
    app->state->overlay = OVERLAY_SORT;
    app->state->menu = (struct cursor){.at = at};
    return 0;
}

unsigned act_reverse(struct app *app)
{
    return can_sort(app) ? app_sort(app, state_query(app->state).sort) : 0;
}

unsigned app_choose(struct app *app, size_t row)
{
    struct state *state = app->state;
    size_t count;
    bool sort = state->overlay == OVERLAY_SORT;
    state->overlay = OVERLAY_NONE;
    if (sort)
        return app_sort(app, picture_sorts(state->view, &count)[row]);
    if (row)
        return act_only_thread(app, &app->scene->choices.rows[row - 1]);
    state_filter_thread(state, 0, NULL);
    return EFFECT_ROWS;
}
