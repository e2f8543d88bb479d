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
        .bar = bar,
    };
    for (int i = 0; i < VIEW_COUNT; i++)
        state->sortings[i].by = views[i]->sort;
    state->sortings[state->view].by = sort;
}

void state_fini(struct state *state)
{
    char *owned[] = {state->thread, state->module,  state->terms,
                     state->text,   state->message, state->search};
    for (size_t i = 0; i < ARRAY_LENGTH(owned); i++)
        free(owned[i]);
    map_fini(&state->folds);
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
    free(state->message);
    state->message = text;
    state->message_bad = bad;
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
    state->tree_known = false;
    state->zoom = 0;
}

// --- filters ---

static void forget_crumb(struct state *state, enum crumb crumb)
{
    size_t kept = 0;
    for (size_t i = 0; i < state->crumb_count; i++)
        if (state->crumbs[i] != crumb)
            state->crumbs[kept++] = state->crumbs[i];
    state->crumb_count = kept;
}

static void set_crumb(struct state *state, enum crumb crumb, bool there)
{
    forget_crumb(state, crumb);
    if (there)
        state->crumbs[state->crumb_count++] = crumb;
    state->query.filter.thread = state->thread;
    state->query.filter.module = state->module;
    state->query.filter.terms = state->terms;
}

static void set_text(char **text, const char *value)
{
    char *copy = value && *value ? xstrdup(value) : NULL;
    free(*text);
    *text = copy;
}

void state_filter_thread(struct state *state, pid_t tid, const char *name)
{
    set_text(&state->thread, name);
    state->query.filter.tid = tid;
    set_crumb(state, CRUMB_THREAD, tid || state->thread);
}

void state_filter_module(struct state *state, const char *module)
{
    set_text(&state->module, module);
    set_crumb(state, CRUMB_MODULE, state->module);
}

void state_filter_terms(struct state *state, const char *terms)
{
    set_text(&state->terms, terms);
    set_crumb(state, CRUMB_TERMS, state->terms);
}

bool state_drop_filter(struct state *state)
{
    if (!state->crumb_count)
        return false;
    switch (state->crumbs[state->crumb_count - 1]) {
    case CRUMB_THREAD:
        state_filter_thread(state, 0, NULL);
        break;
    case CRUMB_MODULE:
        state_filter_module(state, NULL);
        break;
    default:
        state_filter_terms(state, NULL);
    }
    return true;
}

void state_prompt(struct state *state, enum prompt prompt, const char *text)
{
    char *copy = prompt ? xstrdup(text) : NULL;
    free(state->text);
    state->text = copy;
    state->prompt = prompt;
}
