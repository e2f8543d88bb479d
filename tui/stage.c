// SPDX-License-Identifier: MIT
#include "tui/stage.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tui/view.h"

static void show_file(struct state *state, const struct tui_options *options)
{
    state->file.subject = options->subject;
    state->query.window = WINDOW_ALL;
    state->query.filter.idle_waits = true; // what is in the file was wanted
    state_label(state, options->label);
    if (options->file->type_count)
        state_value(state, options->file, options->value);
}

void stage_init(struct stage *stage, const struct tui_options *options, bool utf8)
{
    *stage = (struct stage){.options = options, .utf8 = utf8};
    state_init(&stage->state, options->sort, options->delay, !options->no_function_bar);
    state_measure(&stage->state, options->type);
    stage->state.query.filter.idle_waits = options->idle_waits;
    feed_want_types(options->feed, PROFILE_BIT(options->type));
    if (options->file)
        show_file(&stage->state, options);
}

static void drop_snapshots(struct stage *stage)
{
    if (stage->shown != stage->latest && stage->shown)
        snapshot_free(stage->shown);
    if (stage->latest)
        snapshot_free(stage->latest);
    stage->shown = stage->latest = NULL;
}

void stage_fini(struct stage *stage)
{
    scene_fini(&stage->scene);
    picture_fini(&stage->picture);
    state_fini(&stage->state);
    drop_snapshots(stage);
}

static int64_t clock_of(const struct stage *stage)
{
    return feed_is_replay(stage->options->feed) ? stage->latest->taken : clock_now();
}

static bool keeps_rows(const struct stage *stage, const struct snapshot *fresh)
{
    const struct state *state = &stage->state;
    const struct view *view = views[state->view];
    return stage->shown && stage->scene.view == state->view && view->rows.keeps &&
           view->rows.keeps(state, fresh->taken - stage->shown->taken);
}

// Shows the newest message of the session, each one once.
static void show_note(struct stage *stage)
{
    if (stage->latest->note_count != stage->notes && *stage->latest->note)
        state_say(&stage->state, false, "%s", stage->latest->note);
    stage->notes = stage->latest->note_count;
}

static void show_failure(struct stage *stage)
{
    struct err err = {0};
    if (feed_error(stage->options->feed, &err) != RC_OK)
        state_say(&stage->state, true, "sampling has ended: %s", err.text);
}

void stage_advance(struct stage *stage)
{
    if (stage->state.frozen && stage->latest) {
        if (feed_refresh(stage->options->feed, stage->latest))
            scene_update(&stage->scene, &stage->state, stage->shown);
        return;
    }
    const struct view *view = views[stage->state.view];
    feed_want_waits(stage->options->feed, view->wants_waits,
                    view->wants_stack ? stage->state.stack_tid : 0);
    struct snapshot *fresh = feed_take(stage->options->feed);
    if (!fresh)
        return; // the replayed profile is empty, or the file has been shown
    if (keeps_rows(stage, fresh)) {
        if (stage->latest != stage->shown)
            snapshot_free(stage->latest);
        stage->latest = fresh;
    } else {
        drop_snapshots(stage);
        stage->latest = stage->shown = fresh;
        scene_update(&stage->scene, &stage->state, stage->shown);
    }
    show_note(stage);
    show_failure(stage);
}

// --- effects ---

static void save_profile(struct stage *stage)
{
    struct state *state = &stage->state;
    struct rows_query query = state_query(state);
    struct err err = {0};
    enum rc rc = stage->options->save(stage->options->context, stage->shown, &query, state->text,
                                      &err);
    if (rc == RC_OK)
        state_say(state, false, "profile written to %s", state->text);
    else
        state_say(state, true, "%s", err.text);
}

// The picture is saved without the prompt that asks for its name.
static void save_screen(struct stage *stage)
{
    struct state *state = &stage->state;
    AUTO_BUF struct buf text = {0};
    AUTO_FREE char *path = xstrdup(state->text);
    state_prompt(state, PROMPT_NONE, NULL);
    stage_draw(stage, stage->picture.canvas.rows, stage->picture.canvas.cols);
    canvas_save(&stage->picture.canvas, &text);
    AUTO_FILE FILE *file = fopen(path, "wxe"); // "x": an existing file is not overwritten
    if (file && fwrite(text.data, 1, text.length, file) == text.length && fflush(file) == 0)
        state_say(state, false, "screen written to %s", path);
    else
        state_say(state, true, "%s: %m", path);
}

// The stamp is UTC time for names of files.
static void stamp_now(char stamp[STAMP_MOST])
{
    time_t now = time(NULL);
    struct tm utc;
    strftime(stamp, STAMP_MOST, "-%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
}

static void pause_sampling(struct stage *stage)
{
    feed_pause(stage->options->feed, stage->state.paused);
    state_say(&stage->state, false,
              stage->state.paused ? "the process is left alone" : "sampling goes on");
}

unsigned stage_input(struct stage *stage, const struct input *input)
{
    struct app app = {&stage->state, &stage->scene, &stage->picture, clock_of(stage), ""};
    if (!feed_is_replay(stage->options->feed))
        stamp_now(app.stamp);
    bool frozen = stage->state.frozen, live = !feed_is_replay(stage->options->feed);
    enum view_id view = stage->state.view;
    unsigned effects = app_input(&app, input);
    if (effects & EFFECT_PAUSE)
        pause_sampling(stage);
    if (effects & EFFECT_TYPE)
        feed_want_types(stage->options->feed,
                        PROFILE_BIT(filter_kind(&stage->state.query.filter)));
    if (effects & EFFECT_RESET)
        feed_reset(stage->options->feed);
    if (effects & EFFECT_SAVE)
        save_profile(stage);
    if (effects & EFFECT_SAVE_SCREEN)
        save_screen(stage);
    if (effects & (EFFECT_SAVE | EFFECT_SAVE_SCREEN))
        state_prompt(&stage->state, PROMPT_NONE, NULL);
    if (effects & EFFECT_LABEL)
        moment_list_by(&stage->shown->moment, stage->state.file.label);
    bool thawed = frozen && !stage->state.frozen && live;
    bool asks = stage->state.view != view && views[stage->state.view]->wants_stack && live;
    if (thawed || asks || effects & EFFECT_RESET)
        stage_advance(stage);
    if (effects & EFFECT_ROWS)
        scene_update(&stage->scene, &stage->state, stage->shown);
    return effects & (EFFECT_QUIT | EFFECT_SUSPEND | EFFECT_REDRAW);
}

void stage_draw(struct stage *stage, int rows, int cols)
{
    canvas_init(&stage->picture.canvas, rows, cols, stage->utf8);
    picture_draw(&stage->picture, stage->latest, &stage->scene, &stage->state, clock_of(stage));
}
