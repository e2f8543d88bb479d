// SPDX-License-Identifier: MIT
// A CPython that this program pretends to be: variables of its names, one arena, some types.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "heap/kinds.h"
#include "heap/pymalloc_pool.h"
#include "heap/python_keys.h"
#include "tests/unit/fixture_books.h"

#define ARENA_BYTES (1u << 20)
#define POOL_BYTES 16384u
#define ENTRIES 64u
#define FLAG_HEAP_TYPE (1u << 9)
#define FLAG_READY (1u << 12)
#define FLAG_COLLECTED (1u << 14)
#define FLAG_MANAGED (1u << 4)
#define FLAG_TYPE (1u << 31)

struct type_object { // PyTypeObject of 3.11, as far as it is looked at
    uint64_t references, type, items, name, basic, rest1[16], flags, rest2[11], dict, rest3[17];
};

_Static_assert(sizeof(struct type_object) == 408, "of 3.11");

struct entry { // struct arena_object
    uint64_t address, pool_address;
    uint32_t free_pools, total_pools;
    uint64_t free, next, previous;
};

struct header { // struct pool_header
    uint64_t count, free, next, previous;
    uint32_t arena, class, next_offset, limit;
};

// By these names they are found.
struct type_object PyType_Type, PyUnicode_Type, PyList_Type;
uint64_t Py_Version = 0x030b02f0;
struct entry *arenas;

static struct heap_target *target; // this process
static unsigned char *arena;
static void *mapped;
static void *books;
static struct buf why;

static uint64_t address_of(const void *thing)
{
    return (uint64_t)(uintptr_t)thing;
}

static void *map(size_t size)
{
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(bytes, MAP_FAILED);
    return bytes;
}

static struct type_object type_object(const char *name, uint64_t basic, uint64_t flags)
{
    return (struct type_object){.references = 1, .type = address_of(&PyType_Type),
                                .name = address_of(name), .basic = basic,
                                .flags = flags | FLAG_READY};
}

// All pools but the first are never used.
static void set_up(void)
{
    mapped = map(ARENA_BYTES + POOL_BYTES);
    arena = (unsigned char *)((address_of(mapped) + POOL_BYTES - 1) & ~(uint64_t)(POOL_BYTES - 1));
    arenas = map(ENTRIES * sizeof *arenas);
    for (size_t i = 0; i < ENTRIES; i++)
        arenas[i].next = i + 1 < ENTRIES ? address_of(&arenas[i + 1]) : 0;
    arenas[0] = (struct entry){.address = address_of(arena),
                               .pool_address = address_of(arena) + POOL_BYTES,
                               .free_pools = 63, .total_pools = 64};
    PyType_Type = type_object("type", 880, FLAG_TYPE);
    PyUnicode_Type = type_object("str", 72, 0);
    PyList_Type = type_object("list", 40, FLAG_COLLECTED);
    target = fixture_books_target();
}

static void tear_down(void)
{
    if (books)
        allocator_pymalloc.free(books);
    books = NULL;
    buf_fini(&why);
    heap_target_close(target);
    munmap(arenas, ENTRIES * sizeof *arenas);
    munmap(mapped, ARENA_BYTES + POOL_BYTES);
}

// --- pools

static struct header *make_pool(unsigned number, uint32_t size, uint32_t carved)
{
    struct header *header = (struct header *)(arena + (uint64_t)number * POOL_BYTES);
    *header = (struct header){.count = carved, .class = size / 16 - 1,
                              .next_offset = POOL_HEAD + carved * size,
                              .limit = POOL_BYTES - size};
    return header;
}

static uint64_t block_at(const struct header *pool, uint32_t number)
{
    return address_of(pool) + POOL_HEAD + number * (pool->class + 1) * 16;
}

// The block becomes the first one of the list.
static void free_block(struct header *pool, uint32_t number)
{
    uint64_t at = block_at(pool, number);
    memcpy((void *)(uintptr_t)at, &pool->free, sizeof pool->free);
    pool->free = at;
    pool->count--;
}

START_TEST(pools_say_their_sizes)
{
    uint32_t bytes, alignment;
    struct header header = {.class = 3, .limit = 4096 - 64};
    ck_assert(pool_learn((void *)&header, &bytes, &alignment));
    ck_assert_uint_eq(bytes, 4096);
    ck_assert_uint_eq(alignment, 16);
    header.limit = 4096 - 32; // of 3.6
    ck_assert(pool_learn((void *)&header, &bytes, &alignment));
    ck_assert_uint_eq(alignment, 8);
    header.limit = 4096 - 65;
    ck_assert(!pool_learn((void *)&header, &bytes, &alignment));
    header.class = UINT32_MAX;
    ck_assert(!pool_learn((void *)&header, &bytes, &alignment));
}
END_TEST

START_TEST(pools_that_do_not_fit_are_none)
{
    struct pool pool = {.bytes = POOL_BYTES, .alignment = 16};
    struct header good = *make_pool(0, 64, 10);
    ck_assert(pool_parse(&pool, (void *)&good));
    ck_assert_uint_eq(pool.carved, 10);
    ck_assert_uint_eq(pool.capacity, (POOL_BYTES - POOL_HEAD) / 64);
    const struct header bad[] = {
        {.count = 11, .class = 3, .next_offset = good.next_offset, .limit = good.limit},
        {.count = 1, .class = 32, .next_offset = good.next_offset, .limit = good.limit},
        {.count = 1, .class = 3, .next_offset = good.next_offset + 1, .limit = good.limit},
        {.count = 1, .class = 3, .next_offset = 0, .limit = good.limit},
        {.count = 1, .class = 3, .next_offset = UINT32_MAX, .limit = good.limit},
        {.count = 1, .class = 3, .next_offset = good.next_offset, .limit = good.limit + 16},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        ck_assert(!pool_parse(&pool, (const void *)&bad[i]));
}
END_TEST

// --- the allocator

struct seen {
    uint64_t list[2048];
    size_t count;
};

static bool note(void *context, const struct block *block)
{
    struct seen *seen = context;
    ck_assert_uint_lt(seen->count, ARRAY_LENGTH(seen->list));
    ck_assert_uint_eq(block->usable, block->taken);
    ck_assert(memcmp(block->bytes, (void *)(uintptr_t)block->address, block->have) == 0);
    seen->list[seen->count++] = block->address;
    return seen->count < ARRAY_LENGTH(seen->list);
}

static struct walk_quality walk(struct seen *seen)
{
    struct walk_quality quality = {0};
    seen->count = 0;
    heap_view_close(&target->view); // the window holds what was before
    ck_assert_int_eq(heap_view_open(&target->view, getpid(), false, NULL), RC_OK);
    ck_assert_int_eq(heap_target_refresh(target), RC_OK);
    if (books)
        allocator_pymalloc.free(books);
    books = allocator_pymalloc.find(target, &why);
    if (books)
        allocator_pymalloc.walk(books, &(struct block_visitor){seen, note}, &quality);
    return quality;
}

static uint64_t figure(enum figure figure)
{
    struct heap_figures figures = {0};
    allocator_pymalloc.count(books, &figures);
    ck_assert(figures.known[figure]);
    return figures.value[figure];
}

START_TEST(blocks_that_are_not_free_are_in_use)
{
    static struct seen seen;
    char version[16];
    struct header *pool = make_pool(0, 64, 10);
    free_block(pool, 2);
    free_block(pool, 9);
    struct walk_quality quality = walk(&seen);
    ck_assert_ptr_nonnull(books);
    ck_assert_uint_eq(seen.count, 8);
    ck_assert_uint_eq(seen.list[2], block_at(pool, 3));
    ck_assert_uint_eq(quality.walked, POOL_BYTES);
    ck_assert_uint_eq(quality.skipped + quality.resyncs, 0);
    ck_assert_uint_eq(figure(FIGURE_ARENAS), 1);
    ck_assert_uint_eq(figure(FIGURE_IN_USE), 8 * 64);
    ck_assert_uint_eq(figure(FIGURE_IN_USE_BLOCKS), 8);
    ck_assert_uint_eq(figure(FIGURE_FREE), (255 - 8) * 64 + 63 * POOL_BYTES);
    ck_assert_uint_eq(figure(FIGURE_SYSTEM), ARENA_BYTES);
    allocator_pymalloc.version(books, version, sizeof version);
    ck_assert_str_eq(version, "3.11.2");
}
END_TEST

// The last block that was given out may end in a page that nobody has touched.
START_TEST(a_page_that_is_not_there_takes_no_block_with_it)
{
    static struct seen seen;
    struct header *pool = make_pool(0, 512, 8); // the last one begins at 3632, and ends in a page
    struct walk_quality quality = walk(&seen);
    ck_assert_uint_eq(seen.count, 8);
    ck_assert_uint_eq(seen.list[7], block_at(pool, 7));
    ck_assert_uint_eq(quality.skipped + quality.resyncs, 0);
}
END_TEST

START_TEST(damaged_pools_are_counted_as_skipped)
{
    static struct seen seen;
    struct header *pool = make_pool(0, 64, 10), *other = make_pool(1, 32, 4);
    arenas[0].pool_address += 2 * POOL_BYTES;
    other->limit = 7;
    for (uint32_t i = 5; i < 8; i++)
        free_block(pool, i);
    memcpy((void *)(uintptr_t)pool->free, &pool->free, 8); // it leads to itself
    struct walk_quality quality = walk(&seen);
    ck_assert_uint_eq(seen.count, 9);
    ck_assert_uint_eq(quality.resyncs, 3); // the third pool is empty
    ck_assert_uint_eq(quality.skipped, 2 * 64 + 2 * POOL_BYTES);
    static const uint64_t wild[] = {1, 8, UINT64_MAX, 1ull << 47, 1ull << 63};
    for (size_t i = 0; i < ARRAY_LENGTH(wild); i++) {
        pool->free = wild[i];
        walk(&seen);
        ck_assert_uint_eq(seen.count, 10);
    }
}
END_TEST

// Each byte is walked once, and only what is mapped.
START_TEST(hostile_tables_are_bounded)
{
    static struct seen seen;
    make_pool(0, 64, 10);
    for (size_t i = 1; i < ENTRIES; i++)
        arenas[i] = arenas[0];
    ck_assert_uint_eq(walk(&seen).walked, POOL_BYTES);
    ck_assert_uint_eq(seen.count, 10);
    arenas[2].address = 1ull << 40; // where nothing is: the table ends here
    ck_assert_uint_eq(walk(&seen).walked, POOL_BYTES);
    arenas[0].pool_address = UINT64_MAX;
    walk(&seen);
    ck_assert_ptr_null(books);
    ck_assert_ptr_nonnull(strstr(why.data, "pymalloc: CPython 3.11.2"));
}
END_TEST

// --- objects

static const char *name_of(struct kinds *kinds, const void *bytes, size_t usable)
{
    size_t have = usable < BLOCK_HEAD ? usable : BLOCK_HEAD;
    uint32_t number = kinds_of(kinds, &(struct block){.address = address_of(bytes),
                                                      .usable = usable, .taken = usable,
                                                      .have = have, .bytes = bytes});
    return kinds_kind(kinds, number) == BLOCK_PYTHON ? kinds_name(kinds, number) : "";
}

START_TEST(objects_have_the_names_of_their_types)
{
    static struct type_object plain, collected, managed, meta, odd;
    plain = type_object("float", 24, 0);
    collected = type_object("set", 32, FLAG_COLLECTED);
    managed = type_object("Point", 24, FLAG_COLLECTED | FLAG_MANAGED);
    meta = type_object("Meta", 880, FLAG_TYPE | FLAG_COLLECTED);
    odd = type_object("Odd", 16, 0);
    odd.type = address_of(&meta);
    const uint64_t blocks[][8] = {
        {1, address_of(&plain), 0},
        {7, 8, 1, address_of(&collected)},
        {7, 8, 0, 0, 1, address_of(&managed)},
        {0xffffffff, address_of(&odd)},
        {0, address_of(&plain)},              // freed
        {1, address_of(&collected)},          // nothing in front of it
        {1, address_of(&plain) + 8},
        {1, 1ull << 47}, {1, UINT64_MAX - 7}, {1ull << 40, address_of(&plain)},
    };
    static const char *const names[] = {"float", "set", "Point", "Odd", "", "", "", "", "", ""};
    struct kinds *kinds = kinds_new(target);
    for (size_t i = 0; i < ARRAY_LENGTH(blocks); i++)
        ck_assert_str_eq(name_of(kinds, blocks[i], sizeof blocks[i]), names[i]);
    ck_assert_str_eq(name_of(kinds, blocks[0], 16), ""); // its type needs more
    kinds_free(kinds);
}
END_TEST

START_TEST(what_is_no_type_names_nothing)
{
    static struct type_object types[6];
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++)
        types[i] = type_object("class", 16, 0);
    types[0].type = address_of(&types[0]);         // a circle of its own
    types[1].type = address_of(&PyUnicode_Type);   // whose type does not make types
    types[2].name = 8;
    types[3].basic = 0;
    types[4].flags = 0;
    types[5].references = 0;
    struct kinds *kinds = kinds_new(target);
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        const uint64_t block[4] = {1, address_of(&types[i])};
        ck_assert_str_eq(name_of(kinds, block, sizeof block), "");
    }
    kinds_free(kinds);
}
END_TEST

struct ascii { // a str of ASCII, of 3.11
    uint64_t references, type, length, hash, state, wide;
    char text[32];
};

static struct ascii ascii(const char *text)
{
    struct ascii made = {.references = 1, .type = address_of(&PyUnicode_Type),
                         .length = strlen(text), .state = 0xe4};
    strcpy(made.text, text);
    return made;
}

struct keys { // of eight slots, with texts as keys
    uint64_t references;
    uint8_t slots, index, kind, rest;
    uint32_t version;
    uint64_t usable, used;
    char indices[8];
    uint64_t entries[5][2];
};

START_TEST(classes_have_their_module)
{
    static struct {
        struct type_object type;
        uint64_t tables[57], qualified; // ht_qualname
    } class;
    static struct ascii qualified, module, key;
    static struct keys keys = {.references = 1, .slots = 3, .index = 3, .kind = 1, .usable = 4,
                               .used = 1};
    static uint64_t dict[6];
    const uint64_t object[4] = {1, address_of(&class)};
    qualified = ascii("Outer.Inner");
    module = ascii("zoo.cage");
    key = ascii("__module__");
    keys.entries[0][0] = address_of(&key);
    keys.entries[0][1] = address_of(&module);
    dict[4] = address_of(&keys);
    class.type = type_object("Inner", 16, FLAG_HEAP_TYPE);
    class.type.dict = address_of(dict);
    class.qualified = address_of(&qualified);
    struct kinds *kinds = kinds_new(target);
    ck_assert_str_eq(name_of(kinds, object, sizeof object), "zoo.cage.Outer.Inner");
    ck_assert_str_eq(name_of(kinds, &keys, sizeof keys), "dict keys");
    keys.used = UINT64_MAX; // no such table any more
    ck_assert_int_eq(heap_target_refresh(target), RC_OK);
    ck_assert_str_eq(name_of(kinds, object, sizeof object), "Outer.Inner");
    ck_assert_str_eq(name_of(kinds, &keys, sizeof keys), "");
    qualified.length = UINT64_MAX;
    ck_assert_int_eq(heap_target_refresh(target), RC_OK);
    ck_assert_str_eq(name_of(kinds, object, sizeof object), "Inner");
    kinds_free(kinds);
}
END_TEST

START_TEST(items_of_a_list_are_known_as_long_as_it_has_them)
{
    static uint64_t items[100], list[7];
    struct kinds *kinds = kinds_new(target);
    ck_assert_str_eq(name_of(kinds, items, sizeof items), "");
    list[2] = 1;
    list[3] = address_of(&PyList_Type);
    list[5] = address_of(items);
    list[6] = ARRAY_LENGTH(items);
    ck_assert_str_eq(name_of(kinds, list, sizeof list), "list");
    ck_assert_str_eq(name_of(kinds, items, sizeof items), "list items");
    list[5] = 0;
    ck_assert_str_eq(name_of(kinds, items, sizeof items), "");
    kinds_free(kinds);
}
END_TEST

START_TEST(debugging_heads_are_looked_behind)
{
    const uint64_t block[8] = {24ull << 56, 0xfdfdfdfdfdfdfd00 | 'o', 1,
                               address_of(&PyUnicode_Type)};
    const uint64_t twice[8] = {48ull << 56, 0xfdfdfdfdfdfdfd00 | 'r', 24ull << 56,
                               0xfdfdfdfdfdfdfd00 | 'o', 1, address_of(&PyUnicode_Type)};
    const uint64_t small[8] = {8ull << 56, 0xfdfdfdfdfdfdfd00 | 'o', 1,
                               address_of(&PyUnicode_Type)};
    struct kinds *kinds = kinds_new(target);
    ck_assert_str_eq(name_of(kinds, block, sizeof block), "str");
    ck_assert_str_eq(name_of(kinds, twice, sizeof twice), "str");
    ck_assert_str_eq(name_of(kinds, small, sizeof small), "");
    kinds_free(kinds);
}
END_TEST

START_TEST(values_are_known_by_their_order)
{
    uint64_t block[4] = {0x0802010000000000, 0x10000, 0x10008, 0};
    const unsigned char *bytes = (const unsigned char *)block;
    ck_assert(python_values_fit(11, bytes, sizeof block, sizeof block));
    ck_assert(!python_values_fit(10, bytes, sizeof block, sizeof block));
    ck_assert(!python_values_fit(11, bytes, 8, 8));
    block[1] = 0; // its number is in the order
    ck_assert(!python_values_fit(11, bytes, sizeof block, sizeof block));
    block[0] = 0x0802010100000000; // two of one number
    ck_assert(!python_values_fit(11, bytes, sizeof block, sizeof block));
    block[0] = 0x08ff010000000000;
    ck_assert(!python_values_fit(11, bytes, sizeof block, sizeof block));
}
END_TEST

Suite *suite_heap_python(void);

Suite *suite_heap_python(void)
{
    Suite *suite = suite_create("heap_python");
    TCase *found = tcase_create("found");
    tcase_add_checked_fixture(found, set_up, tear_down);
    tcase_add_test(found, pools_say_their_sizes);
    tcase_add_test(found, pools_that_do_not_fit_are_none);
    tcase_add_test(found, blocks_that_are_not_free_are_in_use);
    tcase_add_test(found, a_page_that_is_not_there_takes_no_block_with_it);
    tcase_add_test(found, damaged_pools_are_counted_as_skipped);
    tcase_add_test(found, hostile_tables_are_bounded);
    tcase_add_test(found, objects_have_the_names_of_their_types);
    tcase_add_test(found, what_is_no_type_names_nothing);
    tcase_add_test(found, classes_have_their_module);
    tcase_add_test(found, items_of_a_list_are_known_as_long_as_it_has_them);
    tcase_add_test(found, debugging_heads_are_looked_behind);
    tcase_add_test(found, values_are_known_by_their_order);
    suite_add_tcase(suite, found);
    return suite;
}
