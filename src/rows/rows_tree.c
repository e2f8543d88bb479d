// SPDX-License-Identifier: MIT
#include "rows/rows_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "rows/selection.h"

#define NONE UINT32_MAX
#define LEAST_SHARE 10000 // of an inverted tree: nodes below one part in so many are left out

struct growing { // a node while the tree is made: in no order but parents first
    struct tree_node node;
    uint32_t function; // number, NONE of a group
    int64_t hottest;   // cost of the line that the node names, + 1; 0: none yet
};

struct planter {
    const struct moment *moment;
    const struct rows_query *query;
    const struct selection *selection;
    struct growing *nodes;
    size_t count, capacity;
    struct map ids;    // id -> node
    struct map places; // group << 32 | node of the profile -> struct tree_place
    struct tree_place {
        uint32_t at;  // node of the tree
        uint32_t run; // how often its function directly called itself on the way here
    } *known;
    size_t known_count, known_capacity;
    struct map roots;  // thread -> group's node
    struct cost all;
};

static uint64_t child_id(uint64_t parent, uint64_t child)
{
    uint64_t id = map_hash(parent * 31 + map_hash(child));
    return id ? id : 1;
}

// Returns the child of a node, which is added when it is new.
static uint32_t add_node(struct planter *planter, uint32_t parent, uint64_t key)
{
    uint64_t id = child_id(parent == NONE ? 0 : planter->nodes[parent].node.id, key);
    uint32_t at = map_get(&planter->ids, id, NONE);
    if (at != NONE)
        return at;
    ARRAY_RESERVE(planter->nodes, planter->count, planter->capacity);
    at = (uint32_t)planter->count++;
    planter->nodes[at] = (struct growing){
        .node = {.id = id, .parent = parent, .repeat = 1, .file = ""},
        .function = NONE,
    };
    map_put(&planter->ids, id, at);
    return at;
}

static void note_frame(struct growing *growing, const struct name_frame *frame, int64_t cost)
{
    bool seen = growing->hottest > 0;
    growing->node.inlined = frame->inlined && (growing->node.inlined || !seen);
    if (growing->hottest > cost)
        return;
    growing->hottest = cost + 1;
    growing->node.file = frame->file;
    growing->node.line = frame->line;
}

// Goes one step down. A function that calls itself stays where it is.
static struct tree_place step(struct planter *planter, struct tree_place from,
                              const struct name_frame *frame, int64_t cost)
{
    struct growing *here = from.at == NONE ? NULL : &planter->nodes[from.at];
    if (here && here->function == frame->function) {
        if (++from.run > here->node.repeat)
            here->node.repeat = from.run;
        note_frame(here, frame, cost);
        return from;
    }
    const struct function *function = names_function(planter->moment->names, frame->function);
    uint32_t at = add_node(planter, from.at, function->id);
    planter->nodes[at].function = frame->function;
    planter->nodes[at].node.function = function;
    note_frame(&planter->nodes[at], frame, cost);
    return (struct tree_place){at, 1};
}

// Returns the node below which the stacks of a thread hang; NONE without groups.
static uint32_t group_of(struct planter *planter, uint32_t thread)
{
    const struct moment *moment = planter->moment;
    if (planter->query->group == GROUP_ALL)
        return NONE;
    uint32_t group = map_get(&planter->roots, thread, NONE);
    if (group != NONE)
        return group;
    const struct plain_thread *facts = &moment->sampled.list[thread];
    const char *name = plain_string(moment->profile, facts->name);
    bool apart = planter->query->group == GROUP_TID;
    uint64_t key = apart && facts->tid ? (uint64_t)facts->tid : map_hash_text(name);
    group = add_node(planter, NONE, key);
    planter->nodes[group].node.label = name;
    planter->nodes[group].node.tid = apart ? facts->tid : 0;
    map_put(&planter->roots, thread, group);
    return group;
}

static struct name_span frames_of(const struct planter *planter, uint32_t node)
{
    const struct moment *moment = planter->moment;
    return names_frames(moment->names, moment->profile->stacks.nodes[node].location);
}

static uint64_t place_key(uint32_t group, uint32_t node)
{
    return (uint64_t)(group + 1) << 32 | node; // NONE becomes 0
}

static void remember(struct planter *planter, uint64_t key, struct tree_place place)
{
    ARRAY_RESERVE(planter->known, planter->known_count, planter->known_capacity);
    map_put(&planter->places, key, (uint32_t)planter->known_count);
    planter->known[planter->known_count++] = place;
}

// Returns where a stack ends in the tree, starting from the nearest caller whose place is known.
static struct tree_place place_of(struct planter *planter, uint32_t group, uint32_t stack,
                                  int64_t cost)
{
    const struct plain_node *nodes = planter->moment->profile->stacks.nodes;
    struct tree_place place = {group, 0};
    AUTO_FREE uint32_t *path = NULL;
    size_t depth = 0, capacity = 0;
    for (uint32_t at = stack; at; at = nodes[at].parent) {
        uint32_t known = map_get(&planter->places, place_key(group, at), NONE);
        if (known != NONE) {
            place = planter->known[known];
            break;
        }
        ARRAY_RESERVE(path, depth, capacity);
        path[depth++] = at;
    }
    while (depth-- > 0) {
        struct name_span span = frames_of(planter, path[depth]);
        for (size_t i = span.count; i-- > 0;)
            place = step(planter, place, &span.frames[i], path[depth] == stack ? cost : 0);
        remember(planter, place_key(group, path[depth]), place);
    }
    return place;
}

// Returns the node of stacks of which the store kept nothing.
static uint32_t folded_node(struct planter *planter, uint32_t group)
{
    struct name_frame frame = {.function = NAMES_FOLDED, .file = ""};
    return step(planter, (struct tree_place){group, 0}, &frame, 0).at;
}

static void plant(void *context, const struct pick *pick)
{
    struct planter *planter = context;
    uint32_t group = group_of(planter, pick->thread);
    int64_t line = sums_line(planter->selection, pick->cost);
    uint32_t at = pick->stack ? place_of(planter, group, pick->stack, line).at
                              : folded_node(planter, group);
    cost_add(&planter->nodes[at].node.self, pick->cost);
    cost_add(&planter->all, pick->cost);
}

static void plant_inverted(void *context, const struct pick *pick)
{
    struct planter *planter = context;
    const struct plain_node *nodes = planter->moment->profile->stacks.nodes;
    struct tree_place place = {group_of(planter, pick->thread), 0};
    int64_t line = sums_line(planter->selection, pick->cost);
    if (!pick->stack)
        place.at = folded_node(planter, place.at);
    for (uint32_t at = pick->stack; at; at = nodes[at].parent) {
        struct name_span span = frames_of(planter, at);
        for (size_t i = 0; i < span.count; i++)
            place = step(planter, place, &span.frames[i], line);
    }
    cost_add(&planter->nodes[place.at].node.self, pick->cost);
    cost_add(&planter->all, pick->cost);
}

// --- into order ---

struct node_order {
    const struct growing *nodes;
    enum rows_measure measure;
};

static const char *name_of(const struct tree_node *node)
{
    return node->function ? node->function->name : node->label;
}

static int compare_nodes(const void *left, const void *right, void *context)
{
    const struct node_order *order = context;
    const struct tree_node *a = &order->nodes[*(const uint32_t *)left].node;
    const struct tree_node *b = &order->nodes[*(const uint32_t *)right].node;
    int64_t a_cost = sums_rank(a->total, order->measure);
    int64_t b_cost = sums_rank(b->total, order->measure);
    if (a_cost != b_cost)
        return a_cost > b_cost ? -1 : 1;
    int names = strcmp(name_of(a), name_of(b));
    return names ? names : (a->id > b->id) - (a->id < b->id);
}

static void accumulate(struct planter *planter)
{
    for (size_t i = planter->count; i-- > 0;) {
        struct tree_node *node = &planter->nodes[i].node;
        cost_add(&node->total, node->self);
        if (node->parent == NONE)
            continue;
        cost_add(&planter->nodes[node->parent].node.total, node->total);
        planter->nodes[node->parent].node.children++;
    }
}

static bool is_too_small(const struct planter *planter, const struct tree_node *node)
{
    enum rows_measure measure = rows_measure(planter->query);
    return planter->query->inverted && node->parent != NONE &&
           (double)sums_size(node->total, measure) * LEAST_SHARE <
               (double)sums_size(planter->all, measure);
}

struct emission {
    const struct planter *planter;
    const uint32_t *sorted; // nodes by parent, then weight
    uint32_t *first;        // [node + 1; 0: the roots]: its children's place in `sorted`
    struct tree *tree;
};

// Copies the children of a node (NONE: the roots), each with all that lies below it. The recursion
// is as deep as the deepest stack, which the session bounds.
static uint32_t emit(struct emission *emission, uint32_t parent, uint32_t parent_row,
                     uint32_t depth)
{
    const struct planter *planter = emission->planter;
    struct tree *tree = emission->tree;
    uint32_t emitted = 0;
    for (uint32_t i = emission->first[parent + 1]; i < emission->first[parent + 2]; i++) {
        const struct tree_node *node = &planter->nodes[emission->sorted[i]].node;
        if (is_too_small(planter, node)) {
            tree->folded++;
            continue;
        }
        uint32_t row = (uint32_t)tree->count++;
        tree->nodes[row] = *node;
        tree->nodes[row].parent = parent_row;
        tree->nodes[row].depth = depth;
        tree->nodes[row].children =
            node->children ? emit(emission, emission->sorted[i], row, depth + 1) : 0;
        tree->nodes[row].next = (uint32_t)tree->count;
        emitted++;
    }
    return emitted;
}

// Puts the children of each node side by side: those of node i from first[i + 1] on up to those of
// the next node, the roots from first[0] on.
static void group_siblings(const struct planter *planter, uint32_t *sorted, uint32_t *first)
{
    uint32_t *next = first + 1; // where the next child goes
    for (size_t i = 0; i < planter->count; i++)
        next[planter->nodes[i].node.parent + 1 + 1]++;
    for (size_t i = 0; i <= planter->count; i++)
        next[i + 1] += next[i];
    for (uint32_t i = 0; i < planter->count; i++)
        sorted[next[planter->nodes[i].node.parent + 1]++] = i;
}

static void put_in_order(const struct planter *planter, struct tree *tree)
{
    size_t count = planter->count;
    struct node_order order = {planter->nodes, rows_measure(planter->query)};
    AUTO_FREE uint32_t *sorted = xcalloc(count + 1, sizeof *sorted);
    AUTO_FREE uint32_t *first = xcalloc(count + 3, sizeof *first);
    group_siblings(planter, sorted, first);
    for (size_t i = 0; i <= count; i++)
        if (first[i + 1] - first[i] > 1)
            qsort_r(&sorted[first[i]], first[i + 1] - first[i], sizeof *sorted, compare_nodes,
                    &order);
    tree->nodes = xcalloc(count + 1, sizeof *tree->nodes);
    struct emission emission = {planter, sorted, first, tree};
    emit(&emission, NONE, NONE, 0);
}

enum rc rows_tree(const struct moment *moment, const struct rows_query *query, struct tree *tree,
                  struct err *err)
{
    struct selection *selection;
    struct planter planter = {.moment = moment, .query = query};
    *tree = (struct tree){0};
    enum rc rc = selection_new(moment, &query->filter, &selection, err);
    if (rc != RC_OK)
        return rc;
    planter.selection = selection;
    selection_each(selection, rows_span(query), query->inverted ? plant_inverted : plant, &planter);
    accumulate(&planter);
    *tree = (struct tree){.all = selection_whole(selection, planter.all),
                          .measure = rows_measure(query)};
    put_in_order(&planter, tree);
    free(planter.nodes);
    free(planter.known);
    map_fini(&planter.ids);
    map_fini(&planter.places);
    map_fini(&planter.roots);
    selection_free(selection);
    return RC_OK;
}

void tree_fini(struct tree *tree)
{
    free(tree->nodes);
    *tree = (struct tree){0};
}

uint32_t tree_find(const struct tree *tree, uint64_t id)
{
    for (uint32_t i = 0; i < tree->count; i++)
        if (tree->nodes[i].id == id)
            return i;
    return NONE;
}
