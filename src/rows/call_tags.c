// SPDX-License-Identifier: MIT
#include "rows/call_tags.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/units.h"
#include "rows/call_parts.h"

#define BYTES "bytes"        // the only number that pprof shows
#define BASE "pprof::base"   // label of what a difference was taken from

// A tag has a few lines of moderate length, however much a file would have it hold.
#define LABELS_MAX 16
#define TEXT_MAX 100

struct set_tags { // of a label set
    bool known;
    uint32_t text, number;
    int64_t value;
    const char *unit;
};

struct tagging {
    const struct call_graph *graph;
    struct call_tags *tags;
    struct set_tags *sets;      // [label set]
    struct map texts, numbers;  // function << 32 | text -> pair; pair << 32 | number -> tag
    struct call_tag *list;
    uint32_t *functions;        // [tag]
    size_t count, capacity, function_capacity;
    uint32_t *seen;             // [function]: number of the last sample that it was met in, + 1
};

// --- what label sets say ---

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static uint32_t join(struct tagging *tagging, char **parts, size_t count)
{
    AUTO_BUF struct buf text = {0};
    if (!count)
        return 0;
    qsort(parts, count, sizeof *parts, compare_texts);
    for (size_t i = 0; i < count; i++) {
        buf_puts(&text, i ? "\n" : "");
        buf_puts(&text, parts[i]);
        free(parts[i]);
    }
    return strtab_add(&tagging->tags->texts, text.data);
}

static void take_number(struct tagging *tagging, struct set_tags *set,
                        const struct plain_label *label)
{
    AUTO_BUF struct buf text = {0};
    const struct plain_profile *profile = tagging->graph->profile;
    set->value = label->number;
    set->unit = label->unit ? plain_string(profile, label->unit) : BYTES;
    units_label(&text, set->value, set->unit, UNITS_AUTO);
    set->number = strtab_add(&tagging->tags->texts, text.data);
}

static const struct set_tags *set_of(struct tagging *tagging, uint32_t number)
{
    const struct plain_profile *profile = tagging->graph->profile;
    const struct plain_labels *labels = &profile->labels;
    struct set_tags *set = &tagging->sets[number];
    char *parts[LABELS_MAX];
    size_t count = 0;
    for (uint32_t at = set->known ? 0 : number; at; at = labels->sets[at].parent) {
        const struct plain_label *label = &labels->list[labels->sets[at].label];
        const char *key = plain_string(profile, label->key);
        if (label->text && strcmp(key, BASE) != 0 && count < LABELS_MAX)
            parts[count++] = xasprintf("%.*s:%.*s", TEXT_MAX, key, TEXT_MAX,
                                       plain_string(profile, label->text));
        else if (!label->text && strcmp(key, BYTES) == 0)
            take_number(tagging, set, label);
    }
    if (!set->known)
        set->text = join(tagging, parts, count);
    set->known = true;
    return set;
}

// --- what functions have of them ---

static struct call_tag *tag_of(struct tagging *tagging, uint32_t function,
                               const struct set_tags *set, bool number)
{
    uint32_t pair = map_number(&tagging->texts, (uint64_t)function << 32 | set->text);
    uint32_t of = number ? set->number : 0;
    uint32_t tag = map_number(&tagging->numbers, (uint64_t)pair << 32 | of);
    if (tag < tagging->count)
        return &tagging->list[tag];
    ARRAY_RESERVE(tagging->list, tag, tagging->capacity);
    ARRAY_RESERVE(tagging->functions, tag, tagging->function_capacity);
    tagging->functions[tag] = function;
    tagging->list[tagging->count++] = (struct call_tag){
        .text = set->text, .number = of, .value = set->value, .unit = set->unit};
    return &tagging->list[tag];
}

static void add(struct tagging *tagging, uint32_t function, const struct set_tags *set,
                int64_t self, int64_t total)
{
    const bool given[] = {set->text != 0, set->number != 0};
    for (int i = 0; i < 2; i++) {
        if (!given[i])
            continue;
        struct call_tag *tag = tag_of(tagging, function, set, i == 1);
        tag->self = call_add(tag->self, self);
        tag->total = call_add(tag->total, total);
    }
}

static void count_sample(struct tagging *tagging, uint32_t sample, int64_t value)
{
    const struct plain_profile *profile = tagging->graph->profile;
    const struct plain_node *nodes = profile->stacks.nodes;
    const struct set_tags *set = set_of(tagging, profile->samples.list[sample].labels);
    uint32_t leaf = profile->samples.list[sample].stack;
    for (uint32_t at = leaf; at && (set->text || set->number); at = nodes[at].parent) {
        struct call_span span = call_graph_location(tagging->graph, nodes[at].location);
        for (size_t i = span.count; i > 0; i--) {
            uint32_t function = span.functions[i - 1];
            if (!tagging->graph->functions[function].shown)
                continue;
            bool again = tagging->seen[function] == sample + 1;
            tagging->seen[function] = sample + 1;
            add(tagging, function, set, at == leaf && i == span.count ? value : 0,
                again ? 0 : value);
        }
    }
}

static bool is_heavy(const struct call_tag *tag, int64_t least)
{
    return call_magnitude(tag->self) >= least || call_magnitude(tag->total) >= least;
}

// Puts the tags into the order of functions.
static void place(struct tagging *tagging, int64_t least)
{
    struct call_tags *tags = tagging->tags;
    size_t functions = tagging->graph->function_count;
    tags->first = xcalloc(functions + 2, sizeof *tags->first);
    tags->list = xcalloc(tagging->count + 1, sizeof *tags->list);
    uint32_t *next = tags->first + 1; // becomes tags->first once all are placed
    for (size_t i = 0; i < tagging->count; i++)
        if (is_heavy(&tagging->list[i], least))
            next[tagging->functions[i] + 1]++;
    for (size_t i = 1; i <= functions; i++)
        next[i] += next[i - 1];
    for (size_t i = 0; i < tagging->count; i++)
        if (is_heavy(&tagging->list[i], least))
            tags->list[next[tagging->functions[i]]++] = tagging->list[i];
}

void call_tags_init(struct call_tags *tags, const struct call_graph *graph, int64_t least)
{
    const struct plain_profile *profile = graph->profile;
    struct tagging tagging = {
        .graph = graph,
        .tags = tags,
        .sets = xcalloc(profile->labels.set_count + 1, sizeof *tagging.sets),
        .seen = xcalloc(graph->function_count + 1, sizeof *tagging.seen),
    };
    *tags = (struct call_tags){0};
    strtab_init(&tags->texts);
    for (uint32_t i = 0; i < profile->samples.count; i++)
        if (plain_values(profile, i)[graph->value])
            count_sample(&tagging, i, plain_values(profile, i)[graph->value]);
    place(&tagging, least);
    tags->kinds = tags->texts.count - 1; // all but ""
    map_fini(&tagging.texts);
    map_fini(&tagging.numbers);
    free(tagging.sets);
    free(tagging.list);
    free(tagging.functions);
    free(tagging.seen);
}

void call_tags_fini(struct call_tags *tags)
{
    strtab_fini(&tags->texts);
    free(tags->list);
    free(tags->first);
    *tags = (struct call_tags){0};
}

size_t call_tags_count(const struct call_tags *tags, uint32_t function)
{
    size_t count = 0;
    for (uint32_t i = tags->first[function]; i < tags->first[function + 1]; i++)
        count += tags->list[i].self != 0;
    return count;
}
