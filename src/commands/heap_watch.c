// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/figures.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "commands/heap.h"

#define OTHER_LINES 6u        // of a screen: title, headings, the two rows below, the cursor's
#define HEAD_LINES 8u         // that the first look has besides, or more

struct heap_looks {
    struct heap_census *first, *last; // the first look's is also the last's until the second
};

// Says whether the screen is drawn anew for each look.
static bool is_screen(const struct heap_run *run)
{
    return !run->path && run->format == HEAP_TABLE && terminal_is(STDOUT_FILENO);
}

// Returns how many rows fit beside so many other lines.
static size_t most_rows(const struct heap_run *run, unsigned others)
{
    unsigned height = is_screen(run) ? terminal_height(STDOUT_FILENO) : 0;
    size_t fit = height > others ? height - others : 1;
    return height && fit < run->options.top ? fit : run->options.top;
}

static enum rc put(struct heap_run *run, const struct buf *text, struct err *err)
{
    AUTO_BUF struct buf screen = {0};
    if (!is_screen(run))
        return heap_put(run, text, err);
    terminal_put_screen(STDOUT_FILENO, text, &screen);
    return heap_put(run, &screen, err);
}

static char *title_of(const struct heap_census *census)
{
    AUTO_FREE char *comm = escape_text_dup(census->comm);
    return xasprintf("heap of %d (%s)", (int)census->pid, comm);
}

static enum rc print_first(struct heap_run *run, const struct heap_census *census,
                           struct err *err)
{
    AUTO_BUF struct buf text = {0};
    if (run->format == HEAP_JSON)
        return RC_OK;
    const struct heap_printing printing = {.census = census, .target = run->target,
                                           .by = run->options.by,
                                           .top = most_rows(run, OTHER_LINES + HEAD_LINES)};
    heap_text(&text, &printing);
    return put(run, &text, err);
}

static enum rc print_growth(struct heap_run *run, const struct heap_looks *looks,
                            const struct heap_census *now, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    AUTO_FREE char *title = title_of(now);
    struct heap_table table;
    heap_table_init(&table, run->options.by);
    heap_table_add_census(&table, now, HEAP_NOW);
    heap_table_add_census(&table, looks->last, HEAP_BEFORE);
    heap_table_add_census(&table, looks->first, HEAP_FIRST);
    const struct heap_growth growth = {
        .table = &table,
        .first = true,
        .since = {[HEAP_BEFORE] = now->time - looks->last->time,
                  [HEAP_FIRST] = now->time - looks->first->time},
        .top = most_rows(run, OTHER_LINES),
        .time = now->time,
        .title = title,
        .incomplete = !now->complete || !looks->last->complete || !looks->first->complete,
    };
    if (run->format == HEAP_JSON) {
        heap_growth_json(&text, &growth);
    } else {
        buf_puts(&text, is_screen(run) ? "" : "\n");
        heap_growth_text(&text, &growth);
    }
    heap_table_fini(&table);
    return put(run, &text, err);
}

static enum rc print_look(struct heap_run *run, struct heap_looks *looks, struct heap_census *now,
                          struct err *err)
{
    enum rc rc = looks->first ? print_growth(run, looks, now, err) : print_first(run, now, err);
    if (looks->last != looks->first)
        heap_census_free(looks->last);
    looks->last = now;
    if (!looks->first)
        looks->first = now;
    return rc;
}

// A look that a signal ended is told of only when it is the first one.
static enum rc look_again(struct heap_run *run, struct heap_looks *looks, struct err *err)
{
    struct heap_census *now;
    enum rc rc = heap_take(run, &now, err);
    if (rc != RC_OK)
        return rc;
    if (looks->first && aside_ending(&run->aside)) {
        heap_census_free(now);
        return RC_OK;
    }
    return print_look(run, looks, now, err);
}

enum rc heap_watch(struct heap_run *run, struct err *err)
{
    struct heap_looks looks = {0};
    int64_t began = clock_now(), next = began;
    int64_t end = run->options.duration ? began + run->options.duration : INT64_MAX;
    enum rc rc;
    do {
        rc = look_again(run, &looks, err);
        next += run->options.watch;
        if (next < clock_now()) // a look takes longer than that
            next = clock_now();
    } while (rc == RC_OK && !run->closed && next <= end &&
             aside_pause_until(&run->aside, next));
    if (rc == RC_GONE && looks.first) // all looks up to then are complete; err says that it ended
        rc = RC_OK;
    if (looks.last != looks.first)
        heap_census_free(looks.last);
    heap_census_free(looks.first);
    return rc;
}
