// SPDX-License-Identifier: MIT
// These actions move the cursor in views that do not override them.
#include "tui/act.h"

#define SCROLL_COLS 8

static size_t clamp(size_t at, long by, size_t count)
{
    long to = (long)at + by;
    return to < 0 ? 0 : to >= (long)count ? count - 1 : (size_t)to;
}

unsigned act_move(struct app *app, int rows)
{
    if (act_has_rows(app))
        scene_select(app->scene, app->state,
                     clamp(act_cursor(app)->at, rows, app->scene->count));
    return 0;
}

unsigned act_scroll(struct app *app, int step)
{
    struct cursor *cursor = act_cursor(app);
    int scroll = cursor->scroll + step * SCROLL_COLS;
    cursor->scroll = scroll > 0 ? scroll : 0;
    return 0;
}

unsigned act_page(struct app *app, int step)
{
    return act_move(app, step * picture_page(app->picture, app->state));
}

unsigned act_select(struct app *app, int row)
{
    scene_select(app->scene, app->state, (size_t)row);
    return 0;
}
