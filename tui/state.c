// SPDX-License-Identifier: MIT
#include "tui/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tui/view.h"

void state_init(struct state *state, enum rows_sort sort, int64_t delay, bool bar)
{
    *state = (struct state){
        .query = {.window = WINDOW_5S},
        .delay = delay,
        .wanted.bar = bar,
    };
    for (int i = 0; i < VIEW_COUNT; i++)
        state->sortings[i].by = views[i]->sort;
    state->sortings[state->view].by = sort;
}

void state_fini(struct state *state)
{
    char *owned[] = {state->filters[CRUMB_THREAD], state->filters[CRUMB_MODULE],
                     state->filters[CRUMB_TERMS],  state->text,
                     state->message.text,               state->search};
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
