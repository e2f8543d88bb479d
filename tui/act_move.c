// SPDX-License-Identifier: MIT
// Moving the cursor.
#include "tui/act.h"

#define SCROLL_COLS 8

static size_t clamp(size_t at, long by, size_t count)
{
    long to = (long)at + by;
    return to < 0 ? 0 : to >= (long)count ? count - 1 : (size_t)to;
}

void app_move(struct app *app, long rows)
{
    if (act_has_rows(app))
        scene_select(app->scene, app->state,
                     clamp(act_cursor(app)->at, rows, scene_count(app->scene)));
}

static void select_node(struct app *app, uint32_t node)
{
    size_t cell = node < app->scene->tree.count
                      ? scene_cell(app->scene, app->scene->tree.nodes[node].id) : SIZE_MAX;
    if (cell != SIZE_MAX)
        scene_select(app->scene, app->state, cell);
}

const struct tree_node *act_flame_node(struct app *app, uint32_t *number)
{
    *number = app->scene->flame.cells[act_cursor(app)->at].node;
    return &app->scene->tree.nodes[*number];
}

// To the next cell of the same depth that can be seen.
static void move_sibling(struct app *app, int step)
{
    const struct flame *flame = &app->scene->flame;
    size_t at = act_cursor(app)->at;
    uint32_t depth = flame->cells[at].depth;
    for (size_t to = at + (size_t)step; to < flame->count && flame->cells[to].depth == depth;
         to += (size_t)step)
        if (flame->cells[to].width * app->picture->canvas.cols >= 1) {
            scene_select(app->scene, app->state, to);
            return;
        }
}

static bool in_flame(const struct app *app)
{
    return app->state->view == VIEW_FLAME && act_has_rows(app);
}

unsigned act_up(struct app *app)
{
    uint32_t number;
    if (in_flame(app))
        select_node(app, act_flame_node(app, &number)->parent);
    else
        app_move(app, -1);
    return 0;
}

unsigned act_down(struct app *app)
{
    uint32_t number;
    if (!in_flame(app))
        app_move(app, 1);
    else if (act_flame_node(app, &number)->children)
        select_node(app, number + 1);
    return 0;
}

static unsigned scroll(struct app *app, int cols)
{
    struct cursor *cursor = act_cursor(app);
    cursor->scroll = cursor->scroll + cols > 0 ? cursor->scroll + cols : 0;
    return 0;
}

unsigned act_left(struct app *app)
{
    if (!in_flame(app))
        return scroll(app, -SCROLL_COLS);
    move_sibling(app, -1);
    return 0;
}

unsigned act_right(struct app *app)
{
    if (!in_flame(app))
        return scroll(app, SCROLL_COLS);
    move_sibling(app, 1);
    return 0;
}

unsigned act_page_up(struct app *app)
{
    app_move(app, -picture_page(app->picture, app->state));
    return 0;
}

unsigned act_page_down(struct app *app)
{
    app_move(app, picture_page(app->picture, app->state));
    return 0;
}

unsigned act_home(struct app *app)
{
    scene_select(app->scene, app->state, 0);
    return 0;
}

unsigned act_end(struct app *app)
{
    scene_select(app->scene, app->state, SIZE_MAX);
    return 0;
}
