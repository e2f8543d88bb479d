// SPDX-License-Identifier: MIT
// These actions find rows, filter and sort them.
#include "tui/act.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tui/view.h"

// --- finding ---

unsigned act_search(struct app *app)
{
    app->state->search_from = act_cursor(app)->at;
    state_prompt(app->state, PROMPT_SEARCH, "");
    return 0;
}

unsigned act_search_again(struct app *app, int step)
{
    struct state *state = app->state;
    if (!state->search)
        state_say(state, true, "nothing to search for: / begins a search");
    else if (!scene_search(app->scene, state, act_cursor(app)->at, step, false))
        state_say(state, true, "not found: %s", state->search);
    return 0;
}

unsigned act_filter(struct app *app)
{
    const char *terms = app->state->filters[CRUMB_TERMS];
    state_prompt(app->state, PROMPT_FILTER, terms ? terms : "");
    return 0;
}

unsigned act_module(struct app *app)
{
    const struct function *function = act_item(app).function;
    bool shown = app->state->filters[CRUMB_MODULE];
    if (!shown && (!function || !*function->module)) {
        state_say(app->state, true, "there is no module in this row");
        return 0;
    }
    state_filter(app->state, CRUMB_MODULE, shown ? NULL : function->module, 0);
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
    return filter->thread ? strcmp(filter->thread, row->name) == 0
                          : filter->tid && filter->tid == row->tid;
}

// Chooses the thread before or after the present one; "all threads" is one of the choices.
unsigned act_step_thread(struct app *app, int step)
{
    struct thread_rows *choices = &app->scene->choices;
    scene_load_choices(app->scene, app->state);
    size_t at = 0, all = choices->count + 1;
    for (size_t i = 0; i < choices->count; i++)
        if (is_chosen(app->state, &choices->rows[i]))
            at = i + 1;
    return app_choose(app, (at + all + (size_t)step) % all);
}

unsigned act_step_measure(struct app *app, int step)
{
    static const char *const meanings[] = {
        [PROFILE_CPU] = "CPU time",
        [PROFILE_WALL] = "wall time, of threads that sleep too",
        [PROFILE_BLOCK] = "block: what threads wait for; W: waits for work too",
        [PROFILE_MUTEX] = "mutex: who waits for locks, and who holds them",
    };
    int count = ARRAY_LENGTH(meanings);
    if (app->state->file.subject != SUBJECT_RUN)
        return act_step_value(app, step);
    int kind = ((int)filter_kind(&app->state->query.filter) + step + count) % count;
    state_measure(app->state, (enum profile_kind)kind);
    state_say(app->state, false, "%s", meanings[kind]);
    return EFFECT_ROWS | EFFECT_TYPE;
}

unsigned act_idle_waits(struct app *app)
{
    struct filter *filter = &app->state->query.filter;
    filter->idle_waits = !filter->idle_waits;
    state_say(app->state, false, "block: waits for work are %s",
              filter->idle_waits ? "kept" : "left out");
    return EFFECT_ROWS;
}

unsigned act_merge(struct app *app)
{
    enum rows_group *group = &app->state->query.group;
    *group = *group == GROUP_TID ? GROUP_ALL : (enum rows_group)(*group + 1);
    state_forget_tree(app->state);
    state_say(app->state, false, "threads: %s", rows_group_names[*group]);
    return EFFECT_ROWS;
}

// --- sorting ---

// Fills in the columns to sort by of the view that is shown. If there are none, a message says so.
static size_t sorts_of(struct app *app, enum rows_sort sorts[SORT_COUNT])
{
    size_t count = table_sorts(view_table(app->state->view, app->state), sorts);
    if (!count)
        state_say(app->state, true, "this view has an order of its own");
    return count;
}

static struct sorting *sorting_of(struct app *app)
{
    return &app->state->sortings[app->state->view];
}

// Returns the index of the column, or `count` if the view does not have it.
static size_t place_of(enum rows_sort sort, const enum rows_sort *sorts, size_t count)
{
    size_t at = 0;
    while (at < count && sorts[at] != sort)
        at++;
    return at;
}

// Asking for the same column again reverses the order.
unsigned app_sort(struct app *app, enum rows_sort sort)
{
    struct sorting *sorting = sorting_of(app);
    sorting->reversed = sorting->by == sort && !sorting->reversed;
    sorting->by = sort;
    return EFFECT_ROWS;
}

unsigned act_sort_by(struct app *app, int by)
{
    enum rows_sort sorts[SORT_COUNT];
    size_t count = sorts_of(app, sorts);
    if (!count)
        return 0;
    enum rows_sort sort = (enum rows_sort)by;
    bool there = place_of(sort, sorts, count) < count;
    *sorting_of(app) = (struct sorting){there ? sort : views[app->state->view]->sort, false};
    return EFFECT_ROWS;
}

unsigned act_step_sort(struct app *app, int step)
{
    enum rows_sort sorts[SORT_COUNT];
    size_t count = sorts_of(app, sorts), at = place_of(sorting_of(app)->by, sorts, count);
    size_t to = at + (size_t)step; // 0 - 1 wraps around to more than `count`
    return to < count ? app_sort(app, sorts[to]) : 0;
}

unsigned act_sort_menu(struct app *app)
{
    enum rows_sort sorts[SORT_COUNT];
    size_t count = sorts_of(app, sorts);
    if (!count)
        return 0;
    app->state->overlay = OVERLAY_SORT;
    app->state->menu = (struct cursor){.at = place_of(sorting_of(app)->by, sorts, count)};
    return 0;
}

unsigned act_reverse(struct app *app)
{
    enum rows_sort sorts[SORT_COUNT];
    return sorts_of(app, sorts) ? app_sort(app, sorting_of(app)->by) : 0;
}

unsigned app_choose(struct app *app, size_t row)
{
    struct state *state = app->state;
    enum rows_sort sorts[SORT_COUNT];
    bool sort = state->overlay == OVERLAY_SORT, labels = state->overlay == OVERLAY_LABELS;
    state->overlay = OVERLAY_NONE;
    if (labels)
        return act_choose_label(app, row);
    if (sort) {
        bool there = row < table_sorts(view_table(state->view, state), sorts);
        return there ? app_sort(app, sorts[row]) : 0;
    }
    if (row)
        return act_only_thread(app, &app->scene->choices.rows[row - 1]);
    state_filter(state, CRUMB_THREAD, NULL, 0);
    return EFFECT_ROWS;
}
