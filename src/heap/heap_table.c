// SPDX-License-Identifier: MIT
#include "heap/heap_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/census_words.h"
#include "profile/block_profile.h"
#include "profile/size_class.h"

const char *const heap_by_words[] = {
#define X(name, word) [HEAP_BY_##name] = word,
    HEAP_BY(X)
#undef X
    NULL,
};

void heap_table_init(struct heap_table *table, unsigned by)
{
    *table = (struct heap_table){
        .asked = by,
        .by = by ? by
                 : HEAP_BIT(HEAP_BY_KIND) | HEAP_BIT(HEAP_BY_WHAT) | HEAP_BIT(HEAP_BY_ALLOCATOR)};
    if (table->by & HEAP_BIT(HEAP_BY_WHAT)) // which says little without its kind
        table->by |= HEAP_BIT(HEAP_BY_KIND);
    strtab_init(&table->texts);
}

void heap_table_fini(struct heap_table *table)
{
    strtab_fini(&table->texts);
    map_fini(&table->ids);
    free(table->rows);
    *table = (struct heap_table){0};
}

static uint64_t key_of(const uint32_t texts[HEAP_BY_COUNT])
{
    uint64_t key = 0;
    for (size_t i = 0; i < HEAP_BY_COUNT; i++)
        key = map_hash(key ^ texts[i]);
    return key;
}

// Two rows of one key are rare: the later one has the next key that is free.
static struct heap_row *row_with(struct heap_table *table, const uint32_t texts[HEAP_BY_COUNT])
{
    for (uint64_t key = key_of(texts);; key++) {
        uint32_t at = map_get(&table->ids, key, UINT32_MAX);
        if (at != UINT32_MAX &&
            memcmp(table->rows[at].texts, texts, sizeof table->rows[at].texts) == 0)
            return &table->rows[at];
        if (at != UINT32_MAX)
            continue;
        map_put(&table->ids, key, (uint32_t)table->count);
        ARRAY_RESERVE(table->rows, table->count, table->capacity);
        struct heap_row *row = &table->rows[table->count++];
        *row = (struct heap_row){0};
        memcpy(row->texts, texts, sizeof row->texts);
        return row;
    }
}

static void add_amount(struct heap_amount *to, uint64_t blocks, uint64_t bytes)
{
    if (__builtin_add_overflow(to->blocks, blocks, &to->blocks))
        to->blocks = UINT64_MAX;
    if (__builtin_add_overflow(to->bytes, bytes, &to->bytes))
        to->bytes = UINT64_MAX;
}

static struct heap_row *add(struct heap_table *table, const struct block_count *count,
                            enum heap_time time)
{
    char size[CENSUS_SIZE_TEXT];
    const char *const words[HEAP_BY_COUNT] = {
        [HEAP_BY_KIND] = count->kind,
        [HEAP_BY_WHAT] = count->what,
        [HEAP_BY_SIZE] = count->size ? census_size_text(count->size, size) : "",
        [HEAP_BY_ALLOCATOR] = count->allocator,
        [HEAP_BY_ARENA] = count->arena,
    };
    uint32_t texts[HEAP_BY_COUNT] = {0};
    for (size_t i = 0; i < HEAP_BY_COUNT; i++)
        if (table->by & HEAP_BIT(i))
            texts[i] = strtab_add(&table->texts, words[i]);
    struct heap_row *row = row_with(table, texts);
    row->size = table->by & HEAP_BIT(HEAP_BY_SIZE) ? count->size : 0;
    row->unknown |= strcmp(count->kind, block_kind_words[BLOCK_UNKNOWN]) == 0;
    add_amount(&row->at[time], count->blocks, count->bytes);
    add_amount(&table->total[time], count->blocks, count->bytes);
    return row;
}

static void add_examples(struct heap_row *row, const struct heap_census_row *from)
{
    size_t have = 0;
    while (have < HEAP_EXAMPLES && row->examples[have])
        have++;
    for (size_t i = 0; i < HEAP_EXAMPLES && i < from->count && have < HEAP_EXAMPLES; i++)
        row->examples[have++] = from->examples[i];
}

void heap_table_add_census(struct heap_table *table, const struct heap_census *census,
                           enum heap_time time)
{
    for (size_t i = 0; i < census->count; i++) {
        struct census_texts texts;
        struct block_count count = census_count_of(census, &census->rows[i], &texts);
        struct heap_row *row = add(table, &count, time);
        if (time == HEAP_NOW)
            add_examples(row, &census->rows[i]);
    }
}

// --- profiles ---

static const char *text_label(const struct plain_profile *profile, uint32_t set, const char *key)
{
    const struct plain_label *label = plain_label(profile, set, key);
    return label ? plain_string(profile, label->text) : "";
}

static const char *leaf_of(const struct plain_profile *profile, uint32_t stack)
{
    if (!stack)
        return "";
    const struct plain_location *location =
        &profile->code.locations[profile->stacks.nodes[stack].location];
    if (!location->count)
        return location->mapping == PLAIN_NONE
                   ? ""
                   : plain_string(profile, profile->code.mappings[location->mapping].placeholder);
    const struct plain_line *line = &profile->code.lines[location->first];
    return plain_string(profile, profile->code.functions[line->function].name);
}

static uint64_t value_of(const struct plain_profile *profile, uint32_t sample, size_t value)
{
    int64_t number = value == SIZE_MAX ? 0 : plain_values(profile, sample)[value];
    return number > 0 ? (uint64_t)number : 0;
}

void heap_table_add_profile(struct heap_table *table, const struct plain_profile *profile,
                            size_t objects, size_t space, enum heap_time time)
{
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        const struct plain_sample *sample = &profile->samples.list[i];
        const struct plain_label *size = plain_label(profile, sample->labels, BLOCK_USABLE);
        if (!size) // it is of another program, or of ptprof when it had one size only
            size = plain_label(profile, sample->labels, BLOCK_SIZE);
        struct block_count count = {
            .allocator = text_label(profile, sample->labels, BLOCK_ALLOCATOR),
            .arena = text_label(profile, sample->labels, BLOCK_ARENA),
            .kind = text_label(profile, sample->labels, BLOCK_KIND),
            .what = leaf_of(profile, sample->stack),
            .size = size && size->number > 0 ? size_class_of((uint64_t)size->number) : 0,
            .blocks = value_of(profile, i, objects),
            .bytes = value_of(profile, i, space),
        };
        if (strcmp(count.what, count.kind) == 0) // what has no name ends in its kind
            count.what = "";
        if (count.blocks || count.bytes)
            add(table, &count, time);
    }
}

// --- rows ---

const char *heap_table_text(const struct heap_table *table, const struct heap_row *row,
                            enum heap_by by)
{
    return strtab_get(&table->texts, row->texts[by]);
}

static int64_t grown(uint64_t now, uint64_t before)
{
    uint64_t distance = now > before ? now - before : before - now;
    int64_t most = distance < INT64_MAX ? (int64_t)distance : INT64_MAX;
    return now > before ? most : -most;
}

int64_t heap_grown_bytes(const struct heap_amount *at, enum heap_time since)
{
    return grown(at[HEAP_NOW].bytes, at[since].bytes);
}

int64_t heap_grown_blocks(const struct heap_amount *at, enum heap_time since)
{
    return grown(at[HEAP_NOW].blocks, at[since].blocks);
}

// Puts rows that are equal otherwise in the order of their texts, so that it never depends on where
// blocks lie.
static int by_texts(const void *left, const void *right, void *context)
{
    const struct heap_row *a = left, *b = right;
    const struct heap_table *table = context;
    int order = 0;
    for (size_t i = 0; i < HEAP_BY_COUNT && !order; i++)
        order = strcmp(strtab_get(&table->texts, a->texts[i]),
                       strtab_get(&table->texts, b->texts[i]));
    return order;
}

static int by_bytes(const void *left, const void *right, void *table)
{
    const struct heap_row *a = left, *b = right;
    if (a->at[HEAP_NOW].bytes != b->at[HEAP_NOW].bytes)
        return a->at[HEAP_NOW].bytes > b->at[HEAP_NOW].bytes ? -1 : 1;
    return by_texts(a, b, table);
}

static int by_growth(struct heap_table *table, const struct heap_row *a, const struct heap_row *b,
                     enum heap_time since)
{
    int64_t left = heap_grown_bytes(a->at, since), right = heap_grown_bytes(b->at, since);
    if (left != right)
        return left > right ? -1 : 1;
    return by_texts(a, b, table);
}

static int by_growth_since_before(const void *left, const void *right, void *table)
{
    return by_growth(table, left, right, HEAP_BEFORE);
}

static int by_growth_since_first(const void *left, const void *right, void *table)
{
    return by_growth(table, left, right, HEAP_FIRST);
}

// From here on the map would find other rows.
static void sort(struct heap_table *table, int (*compare)(const void *, const void *, void *))
{
    if (table->count)
        qsort_r(table->rows, table->count, sizeof *table->rows, compare, table);
    map_fini(&table->ids);
    table->ids = (struct map){0};
}

void heap_table_sort_texts(struct heap_table *table)
{
    sort(table, by_texts);
}

void heap_table_sort(struct heap_table *table)
{
    sort(table, by_bytes);
}

void heap_table_sort_grown(struct heap_table *table, enum heap_time since)
{
    sort(table, since == HEAP_FIRST ? by_growth_since_first : by_growth_since_before);
}

static void add_moves(uint64_t *larger, uint64_t *moved, uint64_t before, uint64_t now)
{
    *larger += before > now ? before : now;
    *moved += before > now ? before - now : now - before;
}

struct heap_moves heap_moves_between(const struct heap_census *before,
                                     const struct heap_census *now)
{
    struct heap_moves moves = {0};
    struct heap_table table;
    heap_table_init(&table, HEAP_BY_ALL);
    heap_table_add_census(&table, before, HEAP_BEFORE);
    heap_table_add_census(&table, now, HEAP_NOW);
    for (size_t i = 0; i < table.count; i++) {
        const struct heap_amount *at = table.rows[i].at;
        add_moves(&moves.blocks, &moves.moved_blocks, at[HEAP_BEFORE].blocks,
                  at[HEAP_NOW].blocks);
        add_moves(&moves.bytes, &moves.moved_bytes, at[HEAP_BEFORE].bytes, at[HEAP_NOW].bytes);
    }
    heap_table_fini(&table);
    return moves;
}
