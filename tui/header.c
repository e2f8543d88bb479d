// SPDX-License-Identifier: MIT
// This file draws the lines above the table: the process, its CPU time, the cost and quality of
// sampling, and which part of the profile is shown. What differs for a file, header_file.c has.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tui/header_line.h"
#include "tui/label.h"
#include "tui/view.h"

#define LEVELS 4 // how much a line may be abbreviated

// --- the process and the views ---

// Draws the tabs so that they end at the right edge and returns where they begin.
static int draw_tabs(struct picture *picture, int row, const struct state *state)
{
    struct canvas *canvas = &picture->canvas;
    int cols = canvas->cols, level = cols >= 80 ? 0 : cols >= 50 ? 1 : 2, col = cols;
    for (int i = VIEW_COUNT - 1; i >= 0; i--) {
        bool active = (enum view_id)i == state->tab;
        char text[24];
        if (views[i]->pane || (level == 2 && !active))
            continue;
        snprintf(text, sizeof text, active ? "[%d]%s" : level ? "%d" : "%d:%s", i + 1,
                 views[i]->title);
        int width = (int)strlen(text);
        col -= width;
        canvas_text(canvas, row, col, width, active ? ROLE_TAB_ACTIVE : ROLE_TAB, text);
        picture_add_zone(picture, (struct box){row, col, 1, width}, views[i]->action, 0);
        col--;
    }
    return col;
}

static void draw_title(struct picture *picture, int row, const struct snapshot *snapshot,
                       const struct state *state)
{
    struct canvas *canvas = &picture->canvas;
    char up[FIGURES_MOST], view[FIGURES_MOST], pid[16];
    AUTO_BUF struct buf left = {0};
    int end = draw_tabs(picture, row, state) - 1;
    bool run = state->file.subject == SUBJECT_RUN;
    if (run && canvas->cols >= 60) {
        struct header_line line = {.count = 0};
        if (canvas->cols >= 100)
            header_add(&line, ROLE_DIM, "up %s  ", figures_clock(snapshot->uptime, up));
        header_add(&line, ROLE_DIM, "view %s  ", figures_clock(snapshot->elapsed, view));
        int width = header_width(canvas, &line);
        end -= width;
        header_put(canvas, row, end, width, &line);
        end -= 2;
    }
    int col = 0;
    if (canvas->cols >= 60)
        col = canvas_text(canvas, row, 0, end, ROLE_DIM, "ptprof ");
    snprintf(pid, sizeof pid, "%d ", (int)snapshot->pid);
    if (run)
        col += canvas_text(canvas, row, col, end - col, ROLE_TITLE, pid);
    buf_puts(&left, *snapshot->command_line ? snapshot->command_line : snapshot->comm);
    if (snapshot->process_count > 1)
        buf_printf(&left, " and %zu more", snapshot->process_count - 1);
    canvas_squeezed(canvas, row, col, end - col, ROLE_STRONG, left.data);
}

// --- CPU time, threads, memory ---

static int draw_chart(struct canvas *canvas, int row, int col, const struct snapshot *snapshot,
                      size_t width)
{
    size_t count = snapshot->cpu_count < width ? snapshot->cpu_count : width;
    const float *cpu = snapshot->cpu + snapshot->cpu_count - count;
    float most = 100;
    for (size_t i = 0; i < count; i++)
        most = cpu[i] > most ? cpu[i] : most;
    most = 100 * ceilf(most / 100); // a whole number of busy CPUs
    col += (int)(width - count);
    for (size_t i = 0; i < count; i++)
        col += canvas_text(canvas, row, col, 1, ROLE_CHART,
                           theme_block(canvas->utf8, cpu[i] / most));
    return col;
}

static void add_states(struct header_line *line, const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->state_count; i++) {
        char state = snapshot->states[i].state;
        header_add(line, state == 'R' ? ROLE_GOOD : state == 'D' ? ROLE_WARN : ROLE_DEFAULT,
            "%s%c %zu", i ? "  " : " ", state, snapshot->states[i].count);
    }
}

static void draw_cpu(struct canvas *canvas, int row, const struct snapshot *snapshot)
{
    struct header_line line = {.count = 0}, right = {.count = 0};
    char rss[FIGURES_MOST];
    int cols = canvas->cols;
    size_t width = cols >= 140 ? 60 : cols >= 100 ? 22 : cols >= 80 ? 12 : 0;
    header_add(&right, ROLE_DEFAULT, "rss %s", figures_bytes(snapshot->rss, 'B', rss));
    int end = cols - header_width(canvas, &right);
    header_put(canvas, row, end, cols - end, &right);
    int col = canvas_text(canvas, row, 0, cols, ROLE_DIM, "cpu ");
    if (width)
        col = draw_chart(canvas, row, col, snapshot, width) + 1;
    header_add(&line, ROLE_STRONG, "%3.0f%%", snapshot->cpu_percent); // fixed width
    if (width)
        header_add(&line, ROLE_DIM, "  %zus", width);
    header_add(&line, ROLE_DIM, cols >= 60 ? "    threads " : "  thr ");
    header_add(&line, ROLE_DEFAULT, snapshot->state_count ? "%zu:" : "%zu", snapshot->threads);
    add_states(&line, snapshot);
    header_put(canvas, row, col, end - 1 - col, &line);
}

// --- cost and quality of sampling ---

static enum role role_of_share(double percent, double warn, double bad)
{
    return percent >= bad ? ROLE_BAD : percent >= warn ? ROLE_WARN : ROLE_DEFAULT;
}

static void add_held(struct header_line *line, const struct snapshot *snapshot, int level)
{
    static const enum role roles[] = {
        [OVERHEAD_OK] = ROLE_GOOD, [OVERHEAD_HIGH] = ROLE_WARN, [OVERHEAD_TOO_HIGH] = ROLE_BAD};
    char p50[FIGURES_MOST], p99[FIGURES_MOST];
    label_hold((int64_t)snapshot->counts[COUNTER_HELD_P50], p50);
    label_hold((int64_t)snapshot->counts[COUNTER_HELD_P99], p99);
    if (level == 0)
        header_add(line, ROLE_DEFAULT, "held %s p50 %s p99  ", p50, p99);
    else
        header_add(line, ROLE_DEFAULT, level < 3 ? "held %s/%s  " : "%s/%s ", p50, p99);
    header_add(line, ROLE_DIM, level == 0 ? "overhead " : level == 1 ? "over " : "");
    header_add(line, roles[snapshot->verdict], "%.1f%% %s", snapshot->overhead,
        overhead_names[snapshot->verdict]);
    if (snapshot->verdict == OVERHEAD_TOO_HIGH && level == 0)
        header_add(line, ROLE_BAD, ": lower -r");
}

static void add_quality(struct header_line *line, const struct snapshot *snapshot, int level)
{
    static const char *const names[LEVELS][3] = {
        {"  late ", "  failed ", "  cut "},
        {" late ", " fail ", " cut "},
        {" l ", " f ", " c "},
        {"l ", " f ", " c "},
    };
    double values[] = {snapshot->late, snapshot->failed, snapshot->cut};
    static const double warn[] = {0.5, 1, 5}, bad[] = {10, 10, 20};
    if (level < 3)
        header_add(line, ROLE_DEFAULT, level ? "%.0f/%.0fHz" : "%3.0f/%.0f Hz", snapshot->achieved,
            snapshot->rate);
    if (level < 2)
        header_add(line, ROLE_DEFAULT, level ? " %" PRIu64 " smp" : "  samples %" PRIu64,
            snapshot->counts[COUNTER_SAMPLES]);
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        header_add(line, ROLE_DIM, "%s", names[level][i]);
        header_add(line, role_of_share(values[i], warn[i], bad[i]), "%.1f%%", values[i]);
    }
}

static void add_behind(struct header_line *line, const struct snapshot *snapshot, int level)
{
    char text[FIGURES_MOST];
    header_add(line, ROLE_BAD, "%s behind", figures_seconds(snapshot->behind, text));
    if (level < 2)
        header_add(line, ROLE_WARN, level ? ": lower --rate"
                                   : "; results may be inaccurate: lower --rate");
}

// Rates are at the left and stop times at the right, so neither moves when the other gets longer.
static void draw_quality(struct canvas *canvas, int row, const struct snapshot *snapshot)
{
    for (int level = 0; level < LEVELS; level++) {
        struct header_line left = {.count = 0}, right = {.count = 0};
        if (snapshot->behind)
            add_behind(&left, snapshot, level);
        else
            add_quality(&left, snapshot, level);
        add_held(&right, snapshot, level);
        int width = header_width(canvas, &right), end = canvas->cols - width;
        if (level + 1 < LEVELS && header_width(canvas, &left) >= end)
            continue;
        header_put(canvas, row, 0, end - 1, &left);
        header_put(canvas, row, end > 0 ? end : 0, width, &right);
        return;
    }
}

// --- what is shown ---

static int draw_crumb(struct canvas *canvas, int row, int col, int end, enum role role,
                      const char *text)
{
    if (col)
        col += canvas_text(canvas, row, col, end - col, ROLE_DIM, " > ");
    return col + canvas_clipped(canvas, row, col, end - col, role, text);
}

static int draw_crumbs(struct canvas *canvas, int row, int end, const struct state *state)
{
    AUTO_BUF struct buf threads = {0};
    bool one = state->query.filter.tid || state->query.filter.thread;
    label_threads(state, &threads);
    int col = draw_crumb(canvas, row, 0, end, one ? ROLE_CRUMB : ROLE_DIM, threads.data);
    for (size_t i = 0; i < state->crumb_count; i++)
        if (state->crumbs[i] != CRUMB_THREAD)
            col = draw_crumb(canvas, row, col, end, ROLE_CRUMB,
                             state->filters[state->crumbs[i]]);
    if (views[state->view]->pane)
        col = draw_crumb(canvas, row, col, end, ROLE_STRONG, views[state->view]->title);
    return col;
}

// The line says that shares are of wall time, and how much of that is running and waiting.
static void add_wall(struct header_line *line, struct cost all, int cols)
{
    bool wide = cols >= 100;
    const uint64_t parts[] = {all.cpu_ns, all.queued_ns, all.blocked_ns};
    static const char *const names[][2] = {
        {": running ", ": run "}, {" queued ", " que "}, {" blocked ", " blk "}};
    header_add(line, ROLE_CRUMB, wide ? "wall time" : "wall");
    for (size_t i = 0; cost_ns(all) && i < ARRAY_LENGTH(parts); i++) {
        header_add(line, ROLE_DIM, "%s", cols >= 80 ? names[i][!wide] : i ? "/" : ": ");
        header_add(line, ROLE_DEFAULT, wide ? "%.1f%%" : "%.0f%%",
            figures_percent(parts[i], cost_ns(all)));
    }
    header_add(line, ROLE_DEFAULT, "  ");
}

// The line says what shares are of. A mutex profile has each wait twice.
static void add_delay(struct header_line *line, const struct state *state, struct cost all,
                      int cols)
{
    bool mutex = filter_kind(&state->query.filter) == PROFILE_MUTEX, wide = cols >= 100;
    char text[FIGURES_MOST];
    header_add(line, ROLE_CRUMB, "%s", mutex ? "mutex" : "block");
    if (mutex && wide)
        header_add(line, ROLE_DIM, ": waiters and holders");
    else if (!mutex && cols >= 60)
        header_add(line, ROLE_DEFAULT, " %s", figures_three((int64_t)cost_ns(all), text));
    if (!mutex && wide)
        header_add(line, ROLE_DIM, " in %" PRId64 " waits", all.samples);
    if (!mutex && wide && state->query.filter.idle_waits)
        header_add(line, ROLE_DIM, ", idle ones too");
    header_add(line, ROLE_DEFAULT, "  ");
}

static void add_shape(struct header_line *line, const struct state *state)
{
    struct rows_query query = state_query(state);
    const struct view *view = views[state->view];
    if (query.inverted && view->inverts)
        header_add(line, ROLE_DEFAULT, "inverted  ");
    if (query.group != GROUP_ALL)
        header_add(line, ROLE_DEFAULT, "%s  ", rows_group_names[query.group]);
    if (state->file.subject == SUBJECT_RUN) {
        header_add(line, ROLE_DIM, "window ");
        header_add(line, ROLE_DEFAULT, "%s", rows_window_names[query.window]);
    }
    if (table_can_sort(view_table(state->view, state))) {
        header_add(line, ROLE_DIM, "  sorted by ");
        header_add(line, ROLE_DEFAULT, "%s", picture_sort_title(state, query.sort));
    }
}

static void draw_filters(struct canvas *canvas, int row, const struct scene *scene,
                         const struct state *state)
{
    struct header_line line = {.count = 0};
    if (state->file.subject != SUBJECT_RUN)
        header_add_value(&line, scene, state);
    else if (filter_is_wall(&state->query.filter))
        add_wall(&line, scene->all, canvas->cols);
    else if (filter_is_delay(&state->query.filter))
        add_delay(&line, state, scene->all, canvas->cols);
    add_shape(&line, state);
    int width = header_width(canvas, &line), col = canvas->cols - width;
    draw_crumbs(canvas, row, col - 2 > 12 ? col - 2 : 12, state);
    header_put(canvas, row, col > 14 ? col : 14, width, &line);
}

void header_draw(struct picture *picture, const struct layout *layout,
                 const struct snapshot *snapshot, const struct scene *scene,
                 const struct state *state)
{
    struct canvas *canvas = &picture->canvas;
    if (layout->title >= 0)
        draw_title(picture, layout->title, snapshot, state);
    bool run = state->file.subject == SUBJECT_RUN;
    if (layout->cpu >= 0 && run)
        draw_cpu(canvas, layout->cpu, snapshot);
    if (layout->quality >= 0 && run)
        draw_quality(canvas, layout->quality, snapshot);
    if (!run)
        header_draw_file(canvas, layout, scene, state);
    if (layout->crumbs >= 0)
        draw_filters(canvas, layout->crumbs, scene, state);
}
