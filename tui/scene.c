// SPDX-License-Identifier: MIT
#include "tui/scene.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FORK_SHARE 0.05 // of all: a second child that has so much makes a fork

static uint64_t id_of(uint64_t id)
{
    return id ? id : UINT64_MAX; // 0 is no row
}

// --- tree ---

bool scene_is_open(const struct state *state, const struct tree_node *node)
{
    uint32_t fold = map_get(&state->folds, node->id, 0);
    return node->children && (fold ? fold == FOLD_OPEN : state->all_open);
}

static uint64_t weight(struct cost cost)
{
    return cost_ns(cost) ? cost_ns(cost) : cost.samples;
}

// Opens the heaviest path down to where it forks.
static void open_heaviest(const struct scene *scene, struct state *state)
{
    const struct tree *tree = &scene->tree;
    if (state->tree_known || !tree->count)
        return;
    state->tree_known = true;
    double fork = FORK_SHARE * (double)weight(tree->all);
    for (uint32_t at = 0; tree->nodes[at].children; at++) {
        map_put(&state->folds, tree->nodes[at].id, FOLD_OPEN);
        uint32_t second = tree->nodes[at + 1].next;
        if (second < tree->nodes[at].next && (double)weight(tree->nodes[second].total) >= fork)
            return;
    }
}

void scene_fold(struct scene *scene, struct state *state)
{
    const struct tree *tree = &scene->tree;
    scene->visible_count = 0;
    for (uint32_t at = 0; at < tree->count;) {
        ARRAY_RESERVE(scene->visible, scene->visible_count, scene->visible_capacity);
        scene->visible[scene->visible_count++] = at;
        at = scene_is_open(state, &tree->nodes[at]) ? at + 1 : tree->nodes[at].next;
    }
}

// --- rows of each view ---

typedef enum rc update_rows(struct scene *scene, struct state *state,
                            const struct rows_query *query, struct err *err);

static enum rc update_top(struct scene *scene, struct state *state, const struct rows_query *query,
                          struct err *err)
{
    (void)state;
    return rows_functions(&scene->snapshot->moment, query, &scene->functions, err);
}

static enum rc update_tree(struct scene *scene, struct state *state,
                           const struct rows_query *query, struct err *err)
{
    enum rc rc = rows_tree(&scene->snapshot->moment, query, &scene->tree, err);
    open_heaviest(scene, state);
    scene_fold(scene, state);
    return rc;
}

static enum rc update_flame(struct scene *scene, struct state *state,
                            const struct rows_query *query, struct err *err)
{
    enum rc rc = rows_tree(&scene->snapshot->moment, query, &scene->tree, err);
    uint32_t zoom = state->zoom ? tree_find(&scene->tree, state->zoom) : UINT32_MAX;
    if (zoom == UINT32_MAX)
        state->zoom = 0;
    rows_flame(&scene->tree, zoom, &scene->flame);
    return rc;
}

static enum rc update_threads(struct scene *scene, struct state *state,
                              const struct rows_query *query, struct err *err)
{
    (void)state;
    return rows_threads(&scene->snapshot->moment, query, &scene->threads, err);
}

static enum rc update_calls(struct scene *scene, struct state *state,
                            const struct rows_query *query, struct err *err)
{
    (void)err;
    uint64_t function = state->path[state->path_length - 1];
    enum rc rc = rows_calls(&scene->snapshot->moment, query, function, &scene->calls, NULL);
    scene->calls_known = rc == RC_OK;
    return RC_OK;
}

static enum rc update_stack(struct scene *scene, struct state *state,
                            const struct rows_query *query, struct err *err)
{
    (void)query, (void)err;
    rows_stack(&scene->snapshot->moment, &state->query, state->stack_tid, &scene->stack);
    return RC_OK;
}

static size_t count_top(const struct scene *scene)
{
    return scene->functions.count;
}

static struct item item_top(const struct scene *scene, size_t row)
{
    const struct function_row *at = &scene->functions.rows[row];
    return (struct item){id_of(at->id), at->function->name, at->function};
}

static size_t count_tree(const struct scene *scene)
{
    return scene->visible_count;
}

static struct item item_of_node(const struct tree_node *node)
{
    const char *text = node->function ? node->function->name : node->label ? node->label : "";
    return (struct item){id_of(node->id), text, node->function};
}

static struct item item_tree(const struct scene *scene, size_t row)
{
    return item_of_node(&scene->tree.nodes[scene->visible[row]]);
}

static size_t count_flame(const struct scene *scene)
{
    return scene->flame.count;
}

static struct item item_flame(const struct scene *scene, size_t row)
{
    return item_of_node(&scene->tree.nodes[scene->flame.cells[row].node]);
}

static size_t count_threads(const struct scene *scene)
{
    return scene->threads.count;
}

static struct item item_threads(const struct scene *scene, size_t row)
{
    const struct thread_row *at = &scene->threads.rows[row];
    return (struct item){(uint64_t)at->tid, at->name, at->where};
}

static size_t count_calls(const struct scene *scene)
{
    const struct call_rows *calls = &scene->calls;
    return scene->calls_known ? calls->caller_count + 1 + calls->callee_count : 0;
}

// Callers, the function, callees.
static struct item item_calls(const struct scene *scene, size_t row)
{
    const struct call_rows *calls = &scene->calls;
    const struct function *function = calls->function.function;
    uint64_t id = calls->function.id, part = 0; // the same function may be in all three parts
    if (row < calls->caller_count)
        function = calls->callers[row].function, id = calls->callers[row].id, part = 1;
    else if (row > calls->caller_count) {
        const struct call_row *callee = &calls->callees[row - calls->caller_count - 1];
        function = callee->function, id = callee->id, part = 2;
    }
    return (struct item){id_of(map_hash(id + part)), function ? function->name : "", function};
}

static size_t count_stack(const struct scene *scene)
{
    return scene->stack.count;
}

static struct item item_stack(const struct scene *scene, size_t row)
{
    const struct stack_row *at = &scene->stack.rows[row];
    return (struct item){row + 1, at->function->name, at->function};
}

static const struct {
    update_rows *update;
    size_t (*count)(const struct scene *scene);
    struct item (*item)(const struct scene *scene, size_t row);
} kinds[VIEW_COUNT] = {
    [VIEW_TOP] = {update_top, count_top, item_top},
    [VIEW_TREE] = {update_tree, count_tree, item_tree},
    [VIEW_FLAME] = {update_flame, count_flame, item_flame},
    [VIEW_THREADS] = {update_threads, count_threads, item_threads},
    [VIEW_CALLS] = {update_calls, count_calls, item_calls},
    [VIEW_STACK] = {update_stack, count_stack, item_stack},
};

struct cost scene_all(const struct scene *scene)
{
    switch (scene->view) {
    case VIEW_TREE:
    case VIEW_FLAME:
        return scene->tree.all;
    case VIEW_THREADS:
        return scene->threads.all;
    case VIEW_CALLS:
        return scene->calls.all;
    default:
        return scene->functions.all;
    }
}

size_t scene_count(const struct scene *scene)
{
    return kinds[scene->view].count(scene);
}

struct item scene_item(const struct scene *scene, size_t row)
{
    return kinds[scene->view].item(scene, row);
}

// --- making them ---

static void drop_rows(struct scene *scene)
{
    function_rows_fini(&scene->functions);
    tree_fini(&scene->tree);
    flame_fini(&scene->flame);
    thread_rows_fini(&scene->threads);
    thread_rows_fini(&scene->choices);
    call_rows_fini(&scene->calls);
    stack_rows_fini(&scene->stack);
    uint32_t *visible = scene->visible;
    size_t capacity = scene->visible_capacity;
    *scene = (struct scene){.visible = visible, .visible_capacity = capacity};
}

// Where the cursor is until the user moves it.
static size_t first_row(const struct scene *scene)
{
    const struct flame *flame = &scene->flame;
    size_t widest = 0;
    if (scene->view == VIEW_CALLS)
        return scene->calls.caller_count;
    for (size_t i = 0; i < flame->count && flame->cells[i].depth == 0; i++)
        if (flame->cells[i].width > flame->cells[widest].width)
            widest = i;
    return widest;
}

static void follow(const struct scene *scene, struct state *state)
{
    struct cursor *cursor = &state->cursors[scene->view];
    size_t count = scene_count(scene);
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

pid_t scene_busiest(const struct scene *scene, const struct state *state)
{
    struct rows_query query = {.window = state->query.window, .sort = SORT_CPU};
    struct thread_rows threads = {0};
    pid_t tid = 0;
    if (rows_threads(&scene->snapshot->moment, &query, &threads, NULL) == RC_OK && threads.count)
        tid = threads.rows[0].tid;
    thread_rows_fini(&threads);
    return tid;
}

void scene_load_choices(struct scene *scene, const struct state *state)
{
    thread_rows_fini(&scene->choices);
    struct rows_query query = {
        .window = state->query.window,
        .group = state->query.group == GROUP_NAME ? GROUP_NAME : GROUP_TID,
        .sort = SORT_TID,
    };
    if (rows_threads(&scene->snapshot->moment, &query, &scene->choices, NULL) != RC_OK)
        thread_rows_fini(&scene->choices);
}

void scene_update(struct scene *scene, struct state *state, const struct snapshot *snapshot)
{
    struct err err = {0};
    struct rows_query query = state_query(state);
    drop_rows(scene);
    scene->snapshot = snapshot;
    scene->view = state->view;
    if (kinds[scene->view].update(scene, state, &query, &err) != RC_OK)
        state_say(state, true, "%s", err.text);
    if (state->overlay == OVERLAY_THREADS)
        scene_load_choices(scene, state);
    follow(scene, state);
}

void scene_fini(struct scene *scene)
{
    drop_rows(scene);
    free(scene->visible);
    *scene = (struct scene){0};
}

void scene_select(const struct scene *scene, struct state *state, size_t row)
{
    struct cursor *cursor = &state->cursors[scene->view];
    size_t count = scene_count(scene);
    cursor->at = row < count ? row : count ? count - 1 : 0;
    bool stays = cursor->at == 0 && first_row(scene) == 0;
    cursor->id = count && !stays ? scene_item(scene, cursor->at).id : 0;
}

size_t scene_cell(const struct scene *scene, uint64_t id)
{
    for (size_t i = 0; i < scene->flame.count; i++)
        if (scene->tree.nodes[scene->flame.cells[i].node].id == id)
            return i;
    return SIZE_MAX;
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
    for (size_t i = 0; i < scene_count(scene); i++)
        matches += scene_match(state, scene_item(scene, i).text) != NULL;
    return matches;
}

// A tree is searched with what is folded in it.
static bool search_tree(struct scene *scene, struct state *state, size_t from, int step, bool here)
{
    const struct tree *tree = &scene->tree;
    size_t start = from < scene->visible_count ? scene->visible[from] : 0;
    for (size_t i = !here; i < tree->count + !here; i++) {
        size_t at = (start + (step > 0 ? i : tree->count - i % tree->count)) % tree->count;
        if (!scene_match(state, item_of_node(&tree->nodes[at]).text))
            continue;
        for (uint32_t up = tree->nodes[at].parent; up != UINT32_MAX; up = tree->nodes[up].parent)
            map_put(&state->folds, tree->nodes[up].id, FOLD_OPEN);
        scene_fold(scene, state);
        for (size_t row = 0; row < scene->visible_count; row++)
            if (scene->visible[row] == at)
                scene_select(scene, state, row);
        return true;
    }
    return false;
}

bool scene_search(struct scene *scene, struct state *state, size_t from, int step, bool here)
{
    size_t count = scene_count(scene);
    if (scene->view == VIEW_TREE)
        return search_tree(scene, state, from, step, here);
    for (size_t i = !here; i < count + !here; i++) {
        size_t at = (from + (step > 0 ? i : count - i % count)) % count;
        if (scene_match(state, scene_item(scene, at).text)) {
            scene_select(scene, state, at);
            return true;
        }
    }
    return false;
}
