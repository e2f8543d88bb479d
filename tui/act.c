// SPDX-License-Identifier: MIT
// What each action does; one function each, found by a table.
#include "tui/act.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

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

// A part of a file name that can be typed.
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

static unsigned show(struct app *app, enum view view)
{
    app->state->view = view;
    if (view < VIEW_TABS)
        app->state->tab = view;
    return EFFECT_ROWS;
}

static unsigned act_view_top(struct app *app)
{
    return show(app, VIEW_TOP);
}

static unsigned act_view_tree(struct app *app)
{
    return show(app, VIEW_TREE);
}

static unsigned act_view_flame(struct app *app)
{
    return show(app, VIEW_FLAME);
}

static unsigned act_view_threads(struct app *app)
{
    return show(app, VIEW_THREADS);
}

static unsigned act_view_next(struct app *app)
{
    return show(app, (enum view)((app->state->tab + 1) % VIEW_TABS));
}

static unsigned act_view_previous(struct app *app)
{
    return show(app, (enum view)((app->state->tab + VIEW_TABS - 1) % VIEW_TABS));
}

static unsigned show_calls(struct app *app, const struct function *function)
{
    struct state *state = app->state;
    if (!function) {
        state_say(state, true, "there is no function in this row");
        return 0;
    }
    if (state->view != VIEW_CALLS)
        state->path_length = 0;
    if (state->path_length == PATH_MOST)
        memmove(state->path, state->path + 1, --state->path_length * sizeof *state->path);
    state->path[state->path_length++] = function->id;
    state->cursors[VIEW_CALLS] = (struct cursor){0};
    return show(app, VIEW_CALLS);
}

static unsigned act_callers(struct app *app)
{
    return show_calls(app, act_item(app).function);
}

static unsigned act_stacks(struct app *app)
{
    struct state *state = app->state;
    pid_t tid = state->query.filter.tid;
    if (state->view == VIEW_THREADS && act_has_rows(app))
        tid = app->scene->threads.rows[act_cursor(app)->at].tid;
    else if (!tid)
        tid = scene_busiest(app->scene, state);
    if (!tid) {
        state_say(state, true, "there is no thread");
        return 0;
    }
    state->stack_tid = tid;
    state->cursors[VIEW_STACK] = (struct cursor){0};
    return show(app, VIEW_STACK);
}

// --- Enter and Esc ---

static const struct tree_node *tree_node(struct app *app)
{
    const struct scene *scene = app->scene;
    if (app->state->view != VIEW_TREE || !scene->visible_count)
        return NULL;
    return &scene->tree.nodes[scene->visible[act_cursor(app)->at]];
}

static unsigned fold(struct app *app, enum fold fold)
{
    const struct tree_node *node = tree_node(app);
    if (node && node->children) {
        map_put(&app->state->folds, node->id, fold);
        scene_fold(app->scene, app->state);
    }
    return 0;
}

static unsigned act_toggle(struct app *app)
{
    const struct tree_node *node = tree_node(app);
    return node ? fold(app, scene_is_open(app->state, node) ? FOLD_CLOSED : FOLD_OPEN) : 0;
}

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
    struct state *state = app->state;
    uint32_t number;
    if (!act_has_rows(app))
        return 0;
    switch (state->view) {
    case VIEW_TREE:
        return act_toggle(app);
    case VIEW_FLAME:
        state->zoom = act_flame_node(app, &number)->id;
        return EFFECT_ROWS;
    case VIEW_THREADS:
        act_only_thread(app, &app->scene->threads.rows[act_cursor(app)->at]);
        return show(app, VIEW_TOP);
    default:
        return act_callers(app);
    }
}

static unsigned act_back(struct app *app)
{
    struct state *state = app->state;
    if (state->view == VIEW_CALLS && state->path_length > 1) {
        state->path_length--;
        state->cursors[VIEW_CALLS] = (struct cursor){0};
        return EFFECT_ROWS;
    }
    if (state->view >= VIEW_TABS)
        return show(app, state->tab);
    if (state->view == VIEW_FLAME && state->zoom) {
        state->zoom = 0;
        return EFFECT_ROWS;
    }
    if (state->search) {
        free(state->search);
        state->search = NULL;
        return 0;
    }
    return state_drop_filter(state) ? EFFECT_ROWS : 0;
}

static unsigned act_mouse(struct app *app)
{
    (void)app;
    return 0;
}

// --- display ---

static unsigned act_invert(struct app *app)
{
    app->state->query.inverted = !app->state->query.inverted;
    app->state->tree_known = false;
    app->state->zoom = 0;
    return EFFECT_ROWS;
}

static unsigned act_expand(struct app *app)
{
    return fold(app, FOLD_OPEN);
}

static unsigned act_collapse(struct app *app)
{
    return fold(app, FOLD_CLOSED);
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

static unsigned (*const acts[ACTION_COUNT])(struct app *app) = {
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
    [ACTION_VIEW_TOP] = act_view_top,
    [ACTION_VIEW_TREE] = act_view_tree,
    [ACTION_VIEW_FLAME] = act_view_flame,
    [ACTION_VIEW_THREADS] = act_view_threads,
    [ACTION_VIEW_NEXT] = act_view_next,
    [ACTION_VIEW_PREVIOUS] = act_view_previous,
    [ACTION_CALLERS] = act_callers,
    [ACTION_STACKS] = act_stacks,
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
    [ACTION_MOUSE] = act_mouse,
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
    [ACTION_EXPAND] = act_expand,
    [ACTION_COLLAPSE] = act_collapse,
    [ACTION_TOGGLE] = act_toggle,
    [ACTION_EXPAND_ALL] = act_expand_all,
    [ACTION_COLLAPSE_ALL] = act_collapse_all,
    [ACTION_ZOOM_RESET] = act_zoom_reset,
    [ACTION_LINES] = act_lines,
    [ACTION_VERBOSE] = act_verbose,
    [ACTION_MANGLED] = act_mangled,
};

unsigned app_act(struct app *app, enum action action)
{
    return acts[action](app);
}
