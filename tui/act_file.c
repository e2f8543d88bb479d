// SPDX-License-Identifier: MIT
// These actions are about what only files have.
#include "tui/act.h"

#include "base/figures.h"
#include "base/mem.h"
#include "profile/measure.h"
#include "tui/view.h"

// Goes on to another value of the profile; of two profiles to one that both have.
unsigned act_step_value(struct app *app, int step)
{
    const struct moment *moment = &app->scene->snapshot->moment;
    int pair = (int)moment_pair(moment), all = (int)moment->profile->type_count;
    int count = pair ? pair : all;
    if (!count) {
        state_say(app->state, true, "the profile has no values");
        return 0;
    }
    size_t value = (size_t)(((int)app->scene->measure.main + step + count) % count);
    struct measure measure = measure_numbered(moment->profile, value);
    state_value(app->state, moment->profile, value);
    state_say(app->state, false, "%s, in %s", measure.type, measure.unit);
    return EFFECT_ROWS;
}

unsigned act_label(struct app *app)
{
    app->state->overlay = OVERLAY_LABELS;
    app->state->menu = (struct cursor){0};
    return EFFECT_ROWS;
}

unsigned act_choose_label(struct app *app, size_t row)
{
    const struct plain_keys *keys = &app->scene->keys;
    const struct plain_profile *profile = app->scene->snapshot->moment.profile;
    const char *key =
        row && row <= keys->count ? plain_string(profile, keys->list[row - 1].key) : NULL;
    state_label(app->state, key);
    act_show(app, VIEW_THREADS);
    return EFFECT_LABEL | EFFECT_ROWS;
}

unsigned act_equal(struct app *app)
{
    bool *equal = &app->state->query.filter.equal;
    *equal = !*equal;
    state_say(app->state, false,
              *equal ? "the new profile is scaled to the total of the old one"
                     : "both profiles as they are");
    return EFFECT_ROWS;
}
