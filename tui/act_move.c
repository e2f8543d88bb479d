// SPDX-License-Identifier: MIT
// These actions move the cursor in views that do not override them.
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

unsigned act_up(struct app *app)
{
    app_move(app, -1);
    return 0;
}

unsigned act_down(struct app *app)
{
    app_move(app, 1);
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
    return scroll(app, -SCROLL_COLS);
}

unsigned act_right(struct app *app)
{
    return scroll(app, SCROLL_COLS);
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
