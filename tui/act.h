// SPDX-License-Identifier: MIT
// Functions that the files of actions and the views share. Other code calls app_act.
#pragma once

#include "tui/app.h"

typedef unsigned act_function(struct app *app); // returns enum effect bits
typedef unsigned act_by_function(struct app *app, int by);

struct act { // what an action does
    act_function *act;
    act_by_function *act_by; // or that much, to that side, that one
    int by;
};

// The cursor of the shown view, and the row under it, which is zeroed when there are no rows.
struct cursor *act_cursor(struct app *app);
struct item act_item(struct app *app);
bool act_has_rows(const struct app *app);

// Switches to a view without preparing anything for it.
unsigned act_show(struct app *app, enum view_id view);

// Sets the thread filter to the thread of the row, or to its group of threads.
unsigned act_only_thread(struct app *app, const struct thread_row *row);

act_function act_search, act_filter, act_module, act_threads, act_idle_waits, act_merge,
    act_sort_menu, act_reverse, act_back, act_label, act_equal;
act_by_function act_search_again, act_step_thread, act_step_measure, act_sort_by, act_step_sort;
act_by_function act_move, act_scroll, act_page;
act_by_function act_select; // a row; -1: the last one
act_by_function act_step_value;
unsigned act_choose_label(struct app *app, size_t row); // of the menu
