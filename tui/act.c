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
    return scene_count(app->scene) > 0;
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

static unsigned act_quit(struct app *app)
{
    (void)app;
    return EFFECT_QUIT;
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
    AUTO_FREE char *text = xasprintf("%g", (double)app->state->delay / NS_PER_S);
    state_prompt(app->state, PROMPT_DELAY, text);
    return 0;
}

// A file name begins with the name of the process; characters that are awkward to type become '_'.
static char *file_name(const struct app *app, const char *ending)
{
    const struct snapshot *snapshot = app->scene->snapshot;
    AUTO_FREE char *comm = xstrdup(*snapshot->comm ? snapshot->comm : "process");
    for (char *at = comm; *at; at++)
        if (!(*at >= 'a' && *at <= 'z') && !(*at >= 'A' && *at <= 'Z') &&
            !(*at >= '0' && *at <= '9') && !strchr("._+-", *at))
            *at = '_';
    return xasprintf("ptprof-%s-%d%s%s", comm, (int)snapshot->pid, app->stamp, ending);
}

static unsigned act_save(struct app *app)
{
    AUTO_FREE char *name = file_name(app, ".pb.gz");
    state_prompt(app->state, PROMPT_SAVE, name);
    return 0;
}

static unsigned act_save_screen(struct app *app)
{
    AUTO_FREE char *name = file_name(app, ".txt");
    state_prompt(app->state, PROMPT_SAVE_SCREEN, name);
    return 0;
}

static unsigned act_redraw(struct app *app)
{
    (void)app;
    return EFFECT_REDRAW;
}

static unsigned act_suspend(struct app *app)
{
    (void)app;
    return EFFECT_SUSPEND;
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
static unsigned step_view(struct app *app, size_t step)
{
    size_t at = app->state->tab;
    do
        at = (at + step) % VIEW_COUNT;
    while (views[at]->pane);
    return open_view(app, (enum view_id)at);
}

static unsigned act_view_next(struct app *app)
{
    return step_view(app, 1);
}

static unsigned act_view_previous(struct app *app)
{
    return step_view(app, VIEW_COUNT - 1);
}

// --- Enter and Esc ---

unsigned act_only_thread(struct app *app, const struct thread_row *row)
{
    if (app->state->query.group == GROUP_NAME)
        state_filter_thread(app->state, 0, row->name);
    else
        state_filter_thread(app->state, row->tid, NULL);
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

static unsigned fold_all(struct app *app, bool open)
{
    map_clear(&app->state->folds);
    app->state->all_open = open;
    return EFFECT_ROWS;
}

static unsigned act_expand_all(struct app *app)
{
    return fold_all(app, true);
}

static unsigned act_collapse_all(struct app *app)
{
    return fold_all(app, false);
}

static unsigned act_zoom_reset(struct app *app)
{
    app->state->zoom = 0;
    return EFFECT_ROWS;
}

static unsigned act_lines(struct app *app)
{
    app->state->lines = !app->state->lines;
    return 0;
}

static unsigned act_verbose(struct app *app)
{
    app->state->verbose = !app->state->verbose;
    return 0;
}

static unsigned act_mangled(struct app *app)
{
    app->state->mangled = !app->state->mangled;
    return 0;
}

// These actions do the same in every view that does not override them (tui/view.h).
static act_function *const acts[ACTION_COUNT] = {
    [ACTION_HELP] = act_help,
    [ACTION_QUIT] = act_quit,
    [ACTION_FREEZE] = act_freeze,
    [ACTION_PAUSE] = act_pause,
    [ACTION_RESET] = act_reset,
    [ACTION_WINDOW] = act_window,
    [ACTION_DELAY] = act_delay,
    [ACTION_SAVE] = act_save,
    [ACTION_SAVE_SCREEN] = act_save_screen,
    [ACTION_REDRAW] = act_redraw,
    [ACTION_SUSPEND] = act_suspend,
    [ACTION_VIEW_NEXT] = act_view_next,
    [ACTION_VIEW_PREVIOUS] = act_view_previous,
    [ACTION_UP] = act_up,
    [ACTION_DOWN] = act_down,
    [ACTION_LEFT] = act_left,
    [ACTION_RIGHT] = act_right,
    [ACTION_PAGE_UP] = act_page_up,
    [ACTION_PAGE_DOWN] = act_page_down,
    [ACTION_HOME] = act_home,
    [ACTION_END] = act_end,
    [ACTION_ENTER] = act_enter,
    [ACTION_BACK] = act_back,
    [ACTION_SEARCH] = act_search,
    [ACTION_SEARCH_NEXT] = act_search_next,
    [ACTION_SEARCH_PREVIOUS] = act_search_previous,
    [ACTION_FILTER] = act_filter,
    [ACTION_MODULE] = act_module,
    [ACTION_THREADS] = act_threads,
    [ACTION_THREAD_PREVIOUS] = act_thread_previous,
    [ACTION_THREAD_NEXT] = act_thread_next,
    [ACTION_IDLE] = act_idle,
    [ACTION_MERGE] = act_merge,
    [ACTION_SORT_SELF] = act_sort_self,
    [ACTION_SORT_TOTAL] = act_sort_total,
    [ACTION_SORT_SELF_TIME] = act_sort_self_time,
    [ACTION_SORT_TOTAL_TIME] = act_sort_total_time,
    [ACTION_SORT_SAMPLES] = act_sort_samples,
    [ACTION_SORT_PREVIOUS] = act_sort_previous,
    [ACTION_SORT_NEXT] = act_sort_next,
    [ACTION_SORT_MENU] = act_sort_menu,
    [ACTION_REVERSE] = act_reverse,
    [ACTION_INVERT] = act_invert,
    [ACTION_EXPAND_ALL] = act_expand_all,
    [ACTION_COLLAPSE_ALL] = act_collapse_all,
    [ACTION_ZOOM_RESET] = act_zoom_reset,
    [ACTION_LINES] = act_lines,
    [ACTION_VERBOSE] = act_verbose,
    [ACTION_MANGLED] = act_mangled,
};

unsigned app_act(struct app *app, enum action action)
{
    const struct view *shown = views[app->scene->view];
    for (size_t i = 0; i < shown->key_count; i++)
        if (shown->keys[i].action == action)
            return shown->keys[i].act(app);
    if (acts[action])
        return acts[action](app);
    for (int i = 0; i < VIEW_COUNT; i++)
        if (views[i]->action == action)
            return open_view(app, (enum view_id)i);
    return 0;
}
