// SPDX-License-Identifier: MIT
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "heap/kinds.h"
#include "heap/rust_type.h"
#include "tests/unit/fixture_books.h"

#define FILE_BYTES (4u << 20)
#define ABI "N10__cxxabiv120__si_class_type_infoE"

static struct heap_target *target; // this process
static struct kinds *kinds;

// A program's constants, mapped from a file: tables and descriptions as compilers lay them out.
struct constants {
    uint64_t abi_head[2], abi_table[2];  // of descriptions of classes
    uint64_t abi_description[2];
    uint64_t head[2], table[2];          // of the class: distance, description; functions
    uint64_t description[2];             // table, name
    uint64_t other_head[2], other_table[2];
    char abi_name[64];
    char name[2 << 20];
};

static struct constants *constants;

static uint64_t address_of(const void *thing)
{
    return (uint64_t)(uintptr_t)thing;
}

static void set_up(void)
{
    int fd = memfd_create("constants", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(fd, FILE_BYTES), 0);
    constants = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    ck_assert_ptr_ne(constants, MAP_FAILED);
    close(fd);
    strcpy(constants->abi_name, ABI);
    strcpy(constants->name, "N3zoo4CageIiEE");
    constants->abi_head[1] = address_of(constants->abi_description);
    constants->abi_description[0] = address_of(constants->abi_table);
    constants->abi_description[1] = address_of(constants->abi_name);
    constants->head[1] = address_of(constants->description);
    constants->table[0] = (uint64_t)(uintptr_t)set_up;
    constants->description[0] = address_of(constants->abi_table);
    constants->description[1] = address_of(constants->name);
    target = fixture_books_target();
    kinds = kinds_new(target);
}

static void tear_down(void)
{
    kinds_free(kinds);
    heap_target_close(target);
    munmap(constants, FILE_BYTES);
}

static uint32_t number_of(const void *bytes, size_t usable)
{
    size_t have = usable < BLOCK_HEAD ? usable : BLOCK_HEAD;
    return kinds_of(kinds, &(struct block){.address = address_of(bytes), .usable = usable,
                                           .taken = usable + 8, .have = have, .bytes = bytes});
}

static void expect(const void *bytes, size_t usable, enum block_kind kind, const char *name)
{
    uint32_t number = number_of(bytes, usable);
    ck_assert_str_eq(kinds_name(kinds, number), name);
    ck_assert_int_eq(kinds_kind(kinds, number), kind);
}

static void expect_unknown(const void *bytes, size_t usable)
{
    expect(bytes, usable, BLOCK_UNKNOWN, "");
}

// --- classes

static void expect_class(const char *name)
{
    const uint64_t object[3] = {address_of(constants->table), 7, 8};
    expect(object, sizeof object, *name ? BLOCK_CLASS : BLOCK_UNKNOWN, name);
}

START_TEST(a_class_by_its_description)
{
    expect_class("zoo::Cage<int>");
}
END_TEST

START_TEST(a_class_that_one_file_knows)
{
    strcpy(constants->name, "*N12_GLOBAL__N_16HiddenE");
    expect_class("(anonymous namespace)::Hidden");
}
END_TEST

START_TEST(mappings_are_read_again)
{
    constants->head[1] = 1;
    expect_class("");
    constants->head[1] = address_of(constants->description);
    expect_class(""); // remembered
    ck_assert_int_eq(heap_target_refresh(target), RC_OK);
    expect_class("zoo::Cage<int>");
}
END_TEST

static const char *const no_names[] = {
    "", "hello", "3Fo", "N3zoo4CageIiEE.cold", "N3zoo4CageIiEE@x", "N3zoo4CageIiEE junk",
    "N3zoo4CageIiE", "*", "\x1b[31m", "999999999999999999999X", "S_", "NNNNNNNNNNNNNNNNNNNNNNNN",
};

START_TEST(a_name_that_is_none)
{
    strcpy(constants->name, no_names[_i]);
    expect_class("");
}
END_TEST

START_TEST(a_name_without_end)
{
    memset(constants->name, '3', sizeof constants->name);
    expect_class("");
}
END_TEST

START_TEST(a_name_of_a_megabyte)
{
    size_t length = 1 << 20;
    memset(constants->name, 'a', length);
    memcpy(constants->name, "1048569", 7);
    constants->name[length] = '\0';
    expect_class("");
}
END_TEST

START_TEST(a_name_that_grows_without_bound)
{
    size_t length = 0;
    length += (size_t)sprintf(constants->name, "1AIi");
    for (int i = 0; i < 500; i++)
        length += (size_t)sprintf(constants->name + length, "S_IS_S_S_");
    expect_class("");
}
END_TEST

// Each leads somewhere else than to a class: a word of the constants, and what it is instead.
static void lead_astray(int i)
{
    uint64_t *const words[] = {
        &constants->head[1], &constants->table[0], &constants->description[0],
        &constants->description[1], &constants->abi_head[1], &constants->abi_description[1],
    };
    const uint64_t places[] = {
        0, 1, 8, 16, UINT64_MAX, UINT64_MAX - 7, 1ull << 63, address_of(constants) - 8,
        address_of(constants) + FILE_BYTES, address_of(constants) + FILE_BYTES - 8,
        address_of(constants) + (3 << 20), address_of(&target), address_of(words),
    };
    size_t count = ARRAY_LENGTH(places);
    *words[(size_t)i / count] = places[(size_t)i % count];
}

START_TEST(a_word_that_leads_astray)
{
    lead_astray(_i);
    expect_class("");
}
END_TEST

START_TEST(a_description_of_itself)
{
    constants->description[0] = address_of(constants->description);
    constants->description[1] = address_of(constants->description);
    expect_class("");
    constants->abi_description[1] = address_of(constants->name); // a class, but not of the ABI
    constants->description[0] = address_of(constants->abi_table);
    ck_assert_int_eq(heap_target_refresh(target), RC_OK);
    expect_class("");
}
END_TEST

START_TEST(a_table_that_is_no_start)
{
    constants->head[0] = (uint64_t)-16;
    expect_class("");
}
END_TEST

START_TEST(first_words_that_are_no_tables)
{
    const uint64_t words[] = {0, 1, 7, 8, UINT64_MAX, address_of(constants),
                              address_of(constants) + 8, address_of(constants) + FILE_BYTES - 8,
                              address_of(constants->table) + 1, address_of(constants->description)};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        expect_unknown((const uint64_t[]){words[i], 7, 8}, 24);
}
END_TEST

START_TEST(arrays)
{
    const uint64_t word = address_of(constants->table), other = address_of(constants->other_table);
    const uint64_t vector[] = {word, 1, 2, word, 3, 4, word, 5, 6};
    const uint64_t counted[] = {3, word, 1, 2, word, 3, 4, word, 5, 6};
    const uint64_t too_many[] = {4, word, 1, 2, word, 3, 4, word, 5, 6};
    const uint64_t one[] = {1, word, 1, 2};
    const uint64_t leftover[] = {word, 1, 2, 3, 4, word};
    const uint64_t two[] = {word, 1, other, 1};
    expect(vector, sizeof vector, BLOCK_CLASS, "zoo::Cage<int>[]");
    expect(counted, sizeof counted, BLOCK_CLASS, "zoo::Cage<int>[]");
    expect(leftover, sizeof leftover, BLOCK_CLASS, "zoo::Cage<int>");
    expect(two, sizeof two, BLOCK_CLASS, "zoo::Cage<int>");
    expect_unknown(too_many, sizeof too_many);
    expect_unknown(one, sizeof one);
}
END_TEST

START_TEST(many_words)
{
    expect_class("zoo::Cage<int>");
    for (uint64_t i = 0; i < 140000; i++)
        expect_unknown((const uint64_t[]){address_of(constants) + (1 << 20) + i * 8, 7, 1}, 24);
    expect_class("zoo::Cage<int>");
}
END_TEST

// --- texts and patterns

static const struct sample {
    const char *bytes; // filled with '.' where the size is larger
    size_t length, usable;
    enum block_kind kind;
    const char *name;
} samples[] = {
    {"eight by\0", 9, 24, BLOCK_TEXT, ""},
    {"seven b\0", 8, 24, BLOCK_UNKNOWN, ""},
    {"no end of the text at all", 25, 25, BLOCK_UNKNOWN, ""},
    {"lines\nand\ttabs\r\n", 17, 24, BLOCK_TEXT, ""},
    {"eight by\0", 9, 400, BLOCK_UNKNOWN, ""},
    {"\x1b[31m red\0", 10, 24, BLOCK_UNKNOWN, ""},
    {"gr\xc3\xbc\xc3\x9f" "e aus\0", 13, 24, BLOCK_TEXT, ""},
    {"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\0", 10, 16, BLOCK_UNKNOWN, ""},
    {"not utf-8 \xc3(\0", 13, 24, BLOCK_UNKNOWN, ""},
    {"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\0", 9, 24, BLOCK_UNKNOWN, ""},
    {"", 0, 300, BLOCK_TEXT, ""}, // dots only, longer than what is looked at
};

START_TEST(text)
{
    const struct sample *sample = &samples[_i];
    char bytes[512];
    memset(bytes, '.', sizeof bytes);
    memcpy(bytes, sample->bytes, sample->length);
    expect(bytes, sample->usable, sample->kind, sample->name);
}
END_TEST

START_TEST(text_before_zeroes)
{
    char bytes[400] = "eight by";
    expect(bytes, sizeof bytes, BLOCK_TEXT, "");
}
END_TEST

START_TEST(patterns)
{
    unsigned char bytes[200] = {0};
    uint64_t words[8];
    expect(bytes, 16, BLOCK_PATTERN, "zeroes");
    expect(bytes, 200, BLOCK_PATTERN, "zeroes");
    expect_unknown(bytes, 8);
    memset(bytes, 0xcd, sizeof bytes);
    expect(bytes, 40, BLOCK_PATTERN, "byte 0xcd, repeated");
    expect_unknown(bytes, 24);
    bytes[100] = 0;
    expect_unknown(bytes, 200);
    for (size_t i = 0; i < 8; i++)
        words[i] = 0xdeadbeef00000102;
    expect(words, sizeof words, BLOCK_PATTERN, "a word, repeated");
}
END_TEST

START_TEST(blocks_that_cannot_be_read)
{
    const uint64_t object[3] = {address_of(constants->table), 7, 8};
    for (size_t have = 0; have < 8; have++)
        ck_assert_uint_eq(kinds_of(kinds, &(struct block){.usable = 24, .have = have,
                                                          .bytes = (const void *)object}), 0);
}
END_TEST

// --- containers

struct node { // of a tree
    uint64_t colour;
    struct node *parent, *left, *right;
    uint64_t value[2];
};

static struct node tree, root, low, high, lowest;

// A black root, black children, a red leaf.
static void plant(void)
{
    tree = (struct node){0, &root, &lowest, &high, {0}};
    root = (struct node){1, &tree, &low, &high, {0}};
    low = (struct node){1, &root, &lowest, NULL, {0}};
    high = (struct node){1, &root, NULL, NULL, {0}};
    lowest = (struct node){0, &low, NULL, NULL, {0}};
}

// This program holds the name of the C++ library's function.
static const char tree_name[] = "std::map or std::set node";

START_TEST(trees)
{
    const struct node *const nodes[] = {&root, &low, &high, &lowest};
    plant();
    for (size_t i = 0; i < ARRAY_LENGTH(nodes); i++)
        expect(nodes[i], sizeof *nodes[i], BLOCK_CONTAINER, tree_name);
}
END_TEST

START_TEST(trees_that_are_none)
{
    plant();
    lowest.colour = 2;
    expect_unknown(&lowest, sizeof lowest);
    expect_unknown(&low, sizeof low);
    lowest.colour = 1; // one way is longer in black nodes
    expect_unknown(&lowest, sizeof lowest);
    plant();
    low.colour = 0; // it has a red child, and one only
    expect_unknown(&low, sizeof low);
    expect_unknown(&lowest, sizeof lowest);
    plant();
    low.colour = 0; // both of its children are red
    low.right = &(struct node){0, &low, NULL, NULL, {0}};
    expect_unknown(&low, sizeof low);
    plant();
    root.colour = 0;
    expect_unknown(&root, sizeof root);
    plant();
    low.parent = &high;
    expect_unknown(&low, sizeof low);
    expect_unknown(&root, sizeof root);
    plant();
    high.left = (struct node *)16;
    expect_unknown(&high, sizeof high);
    high.left = (struct node *)0x7ffffffff000;
    expect_unknown(&high, sizeof high);
    high.left = high.right = &lowest;
    expect_unknown(&high, sizeof high);
}
END_TEST

START_TEST(integers_are_no_trees)
{
    uint64_t state = 1;
    uint64_t words[6];
    for (int i = 0; i < 20000; i++) {
        for (size_t k = 0; k < 6; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            words[k] = (state >> 33) % (k ? 4 : 2) * 8 + (k && i % 2 ? address_of(words) : 0);
        }
        words[0] /= 8;
        const enum block_kind kind = kinds_kind(kinds, number_of(words, sizeof words));
        ck_assert(kind == BLOCK_UNKNOWN || kind == BLOCK_PATTERN);
    }
}
END_TEST

struct link {
    struct link *next, *previous;
    uint64_t value;
};

START_TEST(lists)
{
    struct link head, nodes[3];
    head = (struct link){&nodes[0], &nodes[2], 3};
    for (size_t i = 0; i < 3; i++)
        nodes[i] = (struct link){i < 2 ? &nodes[i + 1] : &head, i ? &nodes[i - 1] : &head, 5};
    for (size_t i = 0; i < 3; i++)
        expect(&nodes[i], sizeof nodes[i], BLOCK_CONTAINER, "doubly linked list node");
    nodes[1].previous = &head;
    expect_unknown(&nodes[1], sizeof nodes[1]);
    expect_unknown(&nodes[0], sizeof nodes[0]);
    head.next = head.previous = &head; // empty
    expect_unknown(&head, sizeof head);
}
END_TEST

struct hashed { // node of a table whose keys are texts
    struct hashed *next;
    const char *text;
    uint64_t length;
    char room[16];
    uint64_t value, hash;
};

START_TEST(nodes_of_hash_tables)
{
    static const char name[] = "std::unordered_map or std::unordered_set node";
    static char key[] = "a key of more than fifteen";
    struct hashed node = {NULL, NULL, 3, "zoo", 7, 0x6a006776f9e982e6u};
    node.text = node.room;
    expect(&node, sizeof node, BLOCK_CONTAINER, name);
    node.hash++;
    expect_unknown(&node, sizeof node);
    node = (struct hashed){&node, key, sizeof key - 1, "", 7, 0x31df87365820aa9bu};
    expect(&node, sizeof node, BLOCK_CONTAINER, name);
    node.length = 1ull << 40;
    expect_unknown(&node, sizeof node);
    node.length = 16;
    node.text = (const char *)64;
    expect_unknown(&node, sizeof node);
}
END_TEST

// --- Rust

static const struct rust_name {
    const char *drop, *type, *method;
    bool has;
} rust_names[] = {
    {"core::ptr::drop_in_place<zoo::Dog>", "zoo::Dog", "<zoo::Dog as zoo::Animal>::legs", true},
    {"core::ptr::drop_in_place::<zoo::Dog>", "zoo::Dog", "<zoo::Cat as zoo::Animal>::legs", false},
    {"core::ptr::drop_in_place<zoo::Cage<u8>>", "zoo::Cage<u8>", "<zoo::Cage<T> as A>::legs", true},
    {"core::ptr::drop_in_place<zoo::Do>", "zoo::Do", "<zoo::Dog as zoo::Animal>::legs", false},
    {"core::ptr::drop_in_place<[u8]>", "[u8]", "<[u8]>::len", false},
    {"core::ptr::drop_in_place<>", NULL, "", false},
    {"core::ptr::drop_in_place<", NULL, "", false},
    {"core::ptr::drop_in_place", NULL, "", false},
    {"core::ptr::drop_in_place::", NULL, "", false},
    {"zoo::drop", NULL, "", false},
    {"", NULL, "", false},
};

START_TEST(types_of_rust)
{
    const struct rust_name *name = &rust_names[_i];
    AUTO_BUF struct buf type = {0};
    ck_assert_int_eq(rust_type_dropped(name->drop, &type), name->type != NULL);
    if (name->type) {
        ck_assert_str_eq(type.data, name->type);
        ck_assert_int_eq(rust_type_has(type.data, name->method), name->has);
    }
    ck_assert(!rust_type_has("", name->method) && !rust_type_has("zoo::Dog", name->drop));
}
END_TEST

// --- bounds

START_TEST(kinds_are_bounded)
{
    char name[32];
    uint32_t number = 0;
    for (unsigned i = 0; i < KINDS_MAX + 1000; i++) {
        snprintf(name, sizeof name, "class %u", i);
        number = kinds_number(kinds, BLOCK_CLASS, name);
        ck_assert_uint_lt(number, KINDS_MAX);
    }
    ck_assert_int_eq(kinds_kind(kinds, number), BLOCK_OTHERS);
    number = kinds_number(kinds, BLOCK_CLASS, "class 7");
    ck_assert_str_eq(kinds_name(kinds, number), "class 7");
    ck_assert_uint_eq(kinds_number(kinds, BLOCK_PYTHON, "class 7"),
                      kinds_number(kinds, BLOCK_CLASS, name));
}
END_TEST

START_TEST(names_are_bounded)
{
    AUTO_FREE char *name = xmalloc(1 << 20);
    memset(name, 'x', 1 << 20);
    name[(1 << 20) - 1] = '\0';
    unsigned others = 0;
    for (char i = 'a'; i <= 'z'; i++) {
        name[0] = i;
        uint32_t number = kinds_number(kinds, BLOCK_CLASS, name);
        others += kinds_kind(kinds, number) == BLOCK_OTHERS;
    }
    ck_assert_uint_ge(others, 10);
}
END_TEST

Suite *suite_kinds(void);
Suite *suite_kinds(void)
{
    Suite *suite = suite_create("kinds");
    TCase *tests = tcase_create("kinds");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_class_by_its_description);
    tcase_add_test(tests, a_class_that_one_file_knows);
    tcase_add_test(tests, mappings_are_read_again);
    tcase_add_loop_test(tests, a_name_that_is_none, 0, ARRAY_LENGTH(no_names));
    tcase_add_test(tests, a_name_without_end);
    tcase_add_test(tests, a_name_of_a_megabyte);
    tcase_add_test(tests, a_name_that_grows_without_bound);
    tcase_add_loop_test(tests, a_word_that_leads_astray, 0, 6 * 13);
    tcase_add_test(tests, a_description_of_itself);
    tcase_add_test(tests, a_table_that_is_no_start);
    tcase_add_test(tests, first_words_that_are_no_tables);
    tcase_add_test(tests, arrays);
    tcase_add_test(tests, many_words);
    tcase_add_loop_test(tests, text, 0, ARRAY_LENGTH(samples));
    tcase_add_test(tests, text_before_zeroes);
    tcase_add_test(tests, patterns);
    tcase_add_test(tests, blocks_that_cannot_be_read);
    tcase_add_test(tests, trees);
    tcase_add_test(tests, trees_that_are_none);
    tcase_add_test(tests, integers_are_no_trees);
    tcase_add_test(tests, lists);
    tcase_add_test(tests, nodes_of_hash_tables);
    tcase_add_loop_test(tests, types_of_rust, 0, ARRAY_LENGTH(rust_names));
    tcase_add_test(tests, kinds_are_bounded);
    tcase_add_test(tests, names_are_bounded);
    suite_add_tcase(suite, tests);
    return suite;
}
