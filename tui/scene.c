// SPDX-License-Identifier: MIT
#include "tui/scene.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tui/view.h"

uint64_t scene_item_id(uint64_t id)
{
    return id ? id : UINT64_MAX; // 0 is no row
}

struct item scene_node_item(const struct tree_node *node)
{
    const char *text = node->function ? node->function->name : node->label ? node->label : "";
    return (struct item){scene_item_id(node->id), text, node->function, 0};
}

static const struct view_rows *rows_of(const struct scene *scene)
{
    return &views[scene->view]->rows;
}

struct item scene_item(const struct scene *scene, size_t row)
{
    return rows_of(scene)->item(scene, row);
}

// --- making them ---

static void drop_rows(struct scene *scene)
{
    if (scene->rows)
        rows_of(scene)->free(scene->rows);
    free(scene->rows);
    thread_rows_fini(&scene->choices);
    plain_keys_fini(&scene->keys);
    *scene = (struct scene){0};
}

// Returns the row in which the cursor is until the user moves it.
static size_t first_row(const struct scene *scene)
{
    return scene->rows && rows_of(scene)->first ? rows_of(scene)->first(scene) : 0;
}

void scene_follow(const struct scene *scene, struct state *state)
{
    struct cursor *cursor = &state->cursors[scene->view];
    size_t count = scene->count;
    if (!cursor->id) {
        cursor->at = first_row(scene);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (scene_item(scene, i).id == cursor->id) {
            cursor->at = i;
            return;
        }
    if (cursor->at >= count)
        cursor->at = count ? count - 1 : 0;
}

// What has neither a number nor a name cannot be asked for.
static void drop_nameless(struct thread_rows *choices)
{
    size_t kept = 0;
    for (size_t i = 0; i < choices->count; i++)
        if (choices->rows[i].tid || *choices->rows[i].name)
            choices->rows[kept++] = choices->rows[i];
    choices->count = kept;
}

void scene_load_choices(struct scene *scene, const struct state *state)
{
    thread_rows_fini(&scene->choices);
    struct rows_query query = {
        .window = state->query.window,
        .group = state->query.group == GROUP_NAME ? GROUP_NAME : GROUP_TID,
        .sort = SORT_TID,
        .filter = {.value = state->query.filter.value,
                   .idle_waits = state->query.filter.idle_waits,
                   .equal = state->query.filter.equal},
    };
    if (rows_threads(&scene->snapshot->moment, &query, &scene->choices, NULL) != RC_OK)
        thread_rows_fini(&scene->choices);
    drop_nameless(&scene->choices);
}

// Says which value of a file the query shows.
static void measure_file(struct scene *scene, const struct filter *filter)
{
    const struct plain_profile *profile = scene->snapshot->moment.profile;
    bool numbered = filter->value && filter->value <= profile->type_count;
    struct measure measure =
        numbered ? measure_numbered(profile, filter->value - 1) : measure_of(profile);
    scene->total = measure_all(&measure);
    scene->measure = measure;
    scene->measure.pair = moment_pair(&scene->snapshot->moment);
    measure.main += scene->measure.pair;
    measure.count += scene->measure.pair;
    scene->old_total = scene->measure.pair ? measure_all(&measure) : (struct cost){0};
}

void scene_update(struct scene *scene, struct state *state, const struct snapshot *snapshot)
{
    struct err err = {0};
    struct rows_query query = state_query(state);
    drop_rows(scene);
    scene->snapshot = snapshot;
    scene->view = state->view;
    if (state->file.subject != SUBJECT_RUN)
        measure_file(scene, &query.filter);
    scene->rows = xcalloc(1, rows_of(scene)->size);
    if (rows_of(scene)->make(scene, state, &query, &err) != RC_OK)
        state_say(state, true, "%s", err.text);
    if (state->overlay == OVERLAY_THREADS)
        scene_load_choices(scene, state);
    if (state->overlay == OVERLAY_LABELS)
        plain_keys_init(&scene->keys, snapshot->moment.profile);
    scene_follow(scene, state);
}

void scene_fini(struct scene *scene)
{
    drop_rows(scene);
}

void scene_select(const struct scene *scene, struct state *state, size_t row)
{
    struct cursor *cursor = &state->cursors[scene->view];
    size_t count = scene->count;
    cursor->at = row < count ? row : count ? count - 1 : 0;
    bool stays = cursor->at == 0 && first_row(scene) == 0;
    cursor->id = count && !stays ? scene_item(scene, cursor->at).id : 0;
}

// --- searching ---

const char *scene_match(const struct state *state, const char *text)
{
    const char *search = state->search;
    if (!search || !*search)
        return NULL;
    for (const char *at = search; *at; at++)
        if (isupper((unsigned char)*at))
            return strstr(text, search);
    return strcasestr(text, search);
}

size_t scene_match_count(const struct scene *scene, const struct state *state)
{
    size_t matches = 0;
    for (size_t i = 0; i < scene->count; i++)
        matches += scene_match(state, scene_item(scene, i).text) != NULL;
    return matches;
}

bool scene_search(struct scene *scene, struct state *state, size_t from, int step, bool here)
{
    size_t count = scene->count;
    if (scene->rows && views[scene->view]->search)
        return views[scene->view]->search(scene, state, from, step, here);
    for (size_t i = !here; i < count + !here; i++) {
        size_t at = (from + (step > 0 ? i : count - i % count)) % count;
        if (scene_match(state, scene_item(scene, at).text)) {
            scene_select(scene, state, at);
            return true;
        }
    }
    return false;
}
