// SPDX-License-Identifier: MIT
#include "tui/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "profile/measure.h"
#include "tui/view.h"

void state_init(struct state *state, enum rows_sort sort, int64_t delay, bool bar)
{
    *state = (struct state){
        .query = {.window = WINDOW_5S},
        .wanted = {.bar = bar, .delay = delay},
    };
    for (int i = 0; i < VIEW_COUNT; i++)
        state->sortings[i].by = views[i]->sort;
    state->sortings[state->view].by = sort;
}

void state_fini(struct state *state)
{
    char *owned[] = {state->filters[CRUMB_THREAD], state->filters[CRUMB_MODULE],
                     state->filters[CRUMB_TERMS],  state->text,
                     state->message.text,          state->search,
                     state->file.label};
    for (size_t i = 0; i < ARRAY_LENGTH(owned); i++)
        free(owned[i]);
    map_fini(&state->tree.folds);
    *state = (struct state){0};
}

void state_say(struct state *state, bool bad, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (format && vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    free(state->message.text);
    state->message.text = text;
    state->message.bad = bad;
}

struct rows_query state_query(const struct state *state)
{
    struct rows_query query = state->query;
    query.sort = state->sortings[state->view].by;
    query.reversed = state->sortings[state->view].reversed;
    return query;
}

void state_forget_tree(struct state *state)
{
    state->tree.known = false;
    state->zoom = 0;
}

static bool can_sort_by(enum rows_sort by, const struct table *table)
{
    enum rows_sort sorts[SORT_COUNT];
    size_t count = table_sorts(table, sorts), at = 0;
    while (at < count && sorts[at] != by)
        at++;
    return at < count;
}

void state_measure(struct state *state, enum profile_kind kind)
{
    state->query.filter.type = kind == PROFILE_CPU ? NULL : profile_types[kind].name;
    for (enum view_id view = 0; view < VIEW_COUNT; view++) {
        const struct table *table = view_table(view, state);
        struct sorting *sorting = &state->sortings[view];
        if (sorting->by == views[view]->sort && can_sort_by(SORT_DELAY, table))
            *sorting = (struct sorting){SORT_DELAY, false};
        else if (table && !can_sort_by(sorting->by, table))
            *sorting = (struct sorting){views[view]->sort, false};
    }
    state_forget_tree(state);
}

void state_value(struct state *state, const struct plain_profile *profile, size_t number)
{
    struct measure measure = measure_numbered(profile, number);
    enum profile_kind kind = measure.of ? (enum profile_kind)(measure.of - profile_types)
                                        : PROFILE_CPU;
    bool known = kind == PROFILE_WALL || kind == PROFILE_BLOCK || kind == PROFILE_MUTEX;
    state_measure(state, known ? kind : PROFILE_CPU);
    state->query.filter.value = number + 1;
}

// --- filters ---

void state_filter(struct state *state, enum crumb crumb, const char *text, pid_t tid)
{
    struct filter *filter = &state->query.filter;
    char *copy = text && *text ? xstrdup(text) : NULL;
    size_t kept = 0;
    free(state->filters[crumb]);
    state->filters[crumb] = copy;
    filter->thread = state->filters[CRUMB_THREAD];
    filter->module = state->filters[CRUMB_MODULE];
    filter->terms = state->filters[CRUMB_TERMS];
    if (crumb == CRUMB_THREAD)
        filter->tid = tid;
    for (size_t i = 0; i < state->crumb_count; i++)
        if (state->crumbs[i] != crumb)
            state->crumbs[kept++] = state->crumbs[i];
    if (copy || tid)
        state->crumbs[kept++] = crumb;
    state->crumb_count = kept;
}

void state_label(struct state *state, const char *key)
{
    char *copy = key ? xstrdup(key) : NULL;
    free(state->file.label);
    state->file.label = copy;
    state_filter(state, CRUMB_THREAD, NULL, 0);
}

bool state_drop_filter(struct state *state)
{
    if (!state->crumb_count)
        return false;
    state_filter(state, state->crumbs[state->crumb_count - 1], NULL, 0);
    return true;
}

void state_prompt(struct state *state, enum prompt prompt, const char *text)
{
    char *copy = prompt ? xstrdup(text) : NULL;
    free(state->text);
    state->text = copy;
    state->prompt = prompt;
}
