// SPDX-License-Identifier: MIT
// Each action is one function, and a table at the end finds it.
#include "tui/act.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tui/view.h"

struct cursor *act_cursor(struct app *app)
{
    return &app->state->cursors[app->state->view];
}

bool act_has_rows(const struct app *app)
{
    return app->scene->count > 0;
}

struct item act_item(struct app *app)
{
    return act_has_rows(app) ? scene_item(app->scene, act_cursor(app)->at) : (struct item){0};
}

// --- general ---

static unsigned act_help(struct app *app)
{
    app->state->overlay = OVERLAY_HELP;
    app->state->menu = (struct cursor){0};
    return 0;
}

// The action is the caller's to do.
static unsigned act_effect(struct app *app, int effect)
{
    (void)app;
    return (unsigned)effect;
}

static unsigned act_freeze(struct app *app)
{
    app->state->frozen = !app->state->frozen;
    app->state->frozen_at = app->now;
    return 0;
}

static unsigned act_pause(struct app *app)
{
    app->state->paused = !app->state->paused;
    return EFFECT_PAUSE;
}

static unsigned act_reset(struct app *app)
{
    app->state->frozen = false;
    app->state->zoom = 0;
    state_say(app->state, false, "counting from zero");
    return EFFECT_RESET;
}

static unsigned act_window(struct app *app)
{
    enum rows_window *window = &app->state->query.window;
    *window = *window == WINDOW_ALL ? WINDOW_1S : (enum rows_window)(*window + 1);
    return EFFECT_ROWS;
}

static unsigned act_delay(struct app *app)
{
    AUTO_FREE char *text = xasprintf("%g", (double)app->state->wanted.delay / NS_PER_S);
    state_prompt(app->state, PROMPT_DELAY, text);
    return 0;
}

// Characters that are awkward to type become '_'.
static void make_typable(char *name)
{
    for (char *at = name; *at; at++)
        if (!(*at >= 'a' && *at <= 'z') && !(*at >= 'A' && *at <= 'Z') &&
            !(*at >= '0' && *at <= '9') && !strchr("._+-", *at))
            *at = '_';
}

// A file name begins with the name of the process, or of the profile and its type.
static unsigned act_save(struct app *app, int prompt)
{
    const struct snapshot *snapshot = app->scene->snapshot;
    bool run = app->state->file.subject == SUBJECT_RUN;
    const char *of = *snapshot->comm ? snapshot->comm : "process";
    AUTO_FREE char *begin = run ? xasprintf("ptprof-%s-%d", of, (int)snapshot->pid)
                                : xasprintf("ptprof-%s-%s", of, app->scene->measure.type);
    make_typable(begin);
    AUTO_FREE char *name = xasprintf("%s%s%s", begin, app->stamp,
                                     prompt == PROMPT_SAVE ? ".pb.gz" : ".txt");
    state_prompt(app->state, (enum prompt)prompt, name);
    return 0;
}

// --- views ---

unsigned act_show(struct app *app, enum view_id view)
{
    app->state->view = view;
    if (!views[view]->pane)
        app->state->tab = view;
    return EFFECT_ROWS;
}

static unsigned open_view(struct app *app, enum view_id view)
{
    return views[view]->open ? views[view]->open(app) : act_show(app, view);
}

// Opens the next view that has a tab, `step` on from that of the present tab.
static unsigned act_step_view(struct app *app, int step)
{
    int at = app->state->tab;
    do
        at = (at + VIEW_COUNT + step) % VIEW_COUNT;
    while (views[at]->pane);
    return open_view(app, (enum view_id)at);
}

// --- Enter and Esc ---

unsigned act_only_thread(struct app *app, const struct thread_row *row)
{
    bool pair = app->state->file.subject == SUBJECT_PAIR;
    if (!row->tid && !*row->name) {
        state_say(app->state, true, "these samples have no name to choose them by");
        return 0;
    }
    if (app->state->query.group == GROUP_NAME || !row->tid || pair)
        state_filter(app->state, CRUMB_THREAD, row->name, 0);
    else
        state_filter(app->state, CRUMB_THREAD, NULL, row->tid);
    return EFFECT_ROWS;
}

static unsigned act_enter(struct app *app)
{
    return act_has_rows(app) ? app_act(app, ACTION_CALLERS) : 0;
}

unsigned act_back(struct app *app)
{
    struct state *state = app->state;
    if (views[state->view]->pane)
        return act_show(app, state->tab);
    if (state->search) {
        free(state->search);
        state->search = NULL;
        return 0;
    }
    return state_drop_filter(state) ? EFFECT_ROWS : 0;
}

// --- display ---

static unsigned act_invert(struct app *app)
{
    app->state->query.inverted = !app->state->query.inverted;
    state_forget_tree(app->state);
    return EFFECT_ROWS;
}

static unsigned act_fold_all(struct app *app, int open)
{
    map_clear(&app->state->tree.folds);
    app->state->tree.all_open = open;
    return EFFECT_ROWS;
}

static unsigned act_zoom_reset(struct app *app)
{
    app->state->zoom = 0;
    return EFFECT_ROWS;
}

static unsigned act_lines(struct app *app)
{
    app->state->wanted.lines = !app->state->wanted.lines;
    return 0;
}

static unsigned act_verbose(struct app *app)
{
    app->state->wanted.verbose = !app->state->wanted.verbose;
    return 0;
}

static unsigned act_mangled(struct app *app)
{
    app->state->wanted.mangled = !app->state->wanted.mangled;
    return 0;
}

// These actions do the same in every view that does not override them (tui/view.h).
static const struct act acts[ACTION_COUNT] = {
    [ACTION_HELP] = {.act = act_help},
    [ACTION_QUIT] = {.act_by = act_effect, .by = EFFECT_QUIT},
    [ACTION_FREEZE] = {.act = act_freeze},
    [ACTION_PAUSE] = {.act = act_pause},
    [ACTION_RESET] = {.act = act_reset},
    [ACTION_WINDOW] = {.act = act_window},
    [ACTION_DELAY] = {.act = act_delay},
    [ACTION_SAVE] = {.act_by = act_save, .by = PROMPT_SAVE},
    [ACTION_SAVE_SCREEN] = {.act_by = act_save, .by = PROMPT_SAVE_SCREEN},
    [ACTION_REDRAW] = {.act_by = act_effect, .by = EFFECT_REDRAW},
    [ACTION_SUSPEND] = {.act_by = act_effect, .by = EFFECT_SUSPEND},
    [ACTION_VIEW_NEXT] = {.act_by = act_step_view, .by = 1},
    [ACTION_VIEW_PREVIOUS] = {.act_by = act_step_view, .by = -1},
    [ACTION_UP] = {.act_by = act_move, .by = -1},
    [ACTION_DOWN] = {.act_by = act_move, .by = 1},
    [ACTION_LEFT] = {.act_by = act_scroll, .by = -1},
    [ACTION_RIGHT] = {.act_by = act_scroll, .by = 1},
    [ACTION_PAGE_UP] = {.act_by = act_page, .by = -1},
    [ACTION_PAGE_DOWN] = {.act_by = act_page, .by = 1},
    [ACTION_HOME] = {.act_by = act_select, .by = 0},
    [ACTION_END] = {.act_by = act_select, .by = -1},
    [ACTION_ENTER] = {.act = act_enter},
    [ACTION_BACK] = {.act = act_back},
    [ACTION_SEARCH] = {.act = act_search},
    [ACTION_SEARCH_NEXT] = {.act_by = act_search_again, .by = 1},
    [ACTION_SEARCH_PREVIOUS] = {.act_by = act_search_again, .by = -1},
    [ACTION_FILTER] = {.act = act_filter},
    [ACTION_MODULE] = {.act = act_module},
    [ACTION_THREADS] = {.act = act_threads},
    [ACTION_THREAD_PREVIOUS] = {.act_by = act_step_thread, .by = -1},
    [ACTION_THREAD_NEXT] = {.act_by = act_step_thread, .by = 1},
    [ACTION_MEASURE] = {.act_by = act_step_measure, .by = 1},
    [ACTION_MEASURE_BACK] = {.act_by = act_step_measure, .by = -1},
    [ACTION_LABEL] = {.act = act_label},
    [ACTION_EQUAL] = {.act = act_equal},
    [ACTION_IDLE_WAITS] = {.act = act_idle_waits},
    [ACTION_MERGE] = {.act = act_merge},
    [ACTION_SORT_SELF] = {.act_by = act_sort_by, .by = SORT_SELF},
    [ACTION_SORT_TOTAL] = {.act_by = act_sort_by, .by = SORT_TOTAL},
    [ACTION_SORT_SELF_TIME] = {.act_by = act_sort_by, .by = SORT_SELF_TIME},
    [ACTION_SORT_TOTAL_TIME] = {.act_by = act_sort_by, .by = SORT_TOTAL_TIME},
    [ACTION_SORT_SAMPLES] = {.act_by = act_sort_by, .by = SORT_SAMPLES},
    [ACTION_SORT_PREVIOUS] = {.act_by = act_step_sort, .by = -1},
    [ACTION_SORT_NEXT] = {.act_by = act_step_sort, .by = 1},
    [ACTION_SORT_MENU] = {.act = act_sort_menu},
    [ACTION_REVERSE] = {.act = act_reverse},
    [ACTION_INVERT] = {.act = act_invert},
    [ACTION_EXPAND_ALL] = {.act_by = act_fold_all, .by = true},
    [ACTION_COLLAPSE_ALL] = {.act_by = act_fold_all, .by = false},
    [ACTION_ZOOM_RESET] = {.act = act_zoom_reset},
    [ACTION_LINES] = {.act = act_lines},
    [ACTION_VERBOSE] = {.act = act_verbose},
    [ACTION_MANGLED] = {.act = act_mangled},
};

static unsigned run(const struct act *act, struct app *app)
{
    return act->act_by ? act->act_by(app, act->by) : act->act(app);
}

unsigned app_act(struct app *app, enum action action)
{
    const struct view *shown = views[app->scene->view];
    const char *why_not = keymap_why_not(action, app->state->file.subject);
    if (why_not) {
        state_say(app->state, true, "%s", why_not);
        return 0;
    }
    for (size_t i = 0; i < shown->key_count; i++)
        if (shown->keys[i].action == action)
            return run(&shown->keys[i].act, app);
    if (acts[action].act || acts[action].act_by)
        return run(&acts[action], app);
    for (int i = 0; i < VIEW_COUNT; i++)
        if (views[i]->action == action)
            return open_view(app, (enum view_id)i);
    return 0;
}
