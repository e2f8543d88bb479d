// SPDX-License-Identifier: MIT
// Functions that the files of actions and the views share. Other code calls app_act.
#pragma once

#include "tui/app.h"

typedef unsigned act_function(struct app *app); // returns enum effect bits

// The cursor of the shown view, and the row under it, which is zeroed when there are no rows.
struct cursor *act_cursor(struct app *app);
struct item act_item(struct app *app);
bool act_has_rows(const struct app *app);

// Switches to a view without preparing anything for it.
unsigned act_show(struct app *app, enum view_id view);

// Sets the thread filter to the thread of the row, or to its group of threads.
unsigned act_only_thread(struct app *app, const struct thread_row *row);

act_function act_search, act_search_next, act_search_previous, act_filter, act_module,
    act_threads, act_thread_previous, act_thread_next, act_idle, act_merge, act_sort_self,
    act_sort_total, act_sort_self_time, act_sort_total_time, act_sort_samples, act_sort_previous,
    act_sort_next, act_sort_menu, act_reverse;
act_function act_up, act_down, act_left, act_right, act_page_up, act_page_down, act_home, act_end;
act_function act_back;
