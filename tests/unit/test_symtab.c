// SPDX-License-Identifier: MIT
// The truth is this program itself: the addresses of its own functions, a section in assembly with
// every kind of symbol, and PLT stubs that the linker makes because they are asked for.
#include <check.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "symbol/reader/symtab.h"
#include "symbol/reader/section.h"
#include "tests/unit/skip.h"

// Offsets in this section are what test_rules expects; it is never executed.
asm(".pushsection symtab_test, \"ax\", @progbits\n"
    ".globl symtab_outer\n"
    ".type symtab_outer, @function\n"
    "symtab_outer: .fill 16, 1, 0x90\n"
    ".type symtab_inner, @function\n"
    "symtab_inner: .fill 8, 1, 0x90\n"
    ".size symtab_inner, 8\n"
    ".fill 4, 1, 0x90\n"
    ".globl symtab_hidden_label\n"
    "symtab_hidden_label: .fill 4, 1, 0x90\n"
    ".size symtab_outer, 32\n"
    ".fill 8, 1, 0x90\n"
    ".type symtab_unsized, @function\n"
    "symtab_unsized: .fill 4, 1, 0x90\n"
    "symtab_jump_target: .fill 4, 1, 0x90\n"
    ".globl symtab_label\n"
    "symtab_label: .fill 8, 1, 0x90\n"
    ".type symtab_s, @function\n" // local
    ".weak symtab_w\n"
    ".type symtab_w, @function\n"
    ".globl __symtab_g, _symtab_global_long, _symtab_global\n"
    ".type __symtab_g, @function\n"
    ".type _symtab_global_long, @function\n"
    ".type _symtab_global, @function\n"
    "symtab_s: symtab_w: __symtab_g: _symtab_global_long: _symtab_global: .fill 8, 1, 0x90\n"
    ".size symtab_s, 8\n"
    ".size symtab_w, 8\n"
    ".size __symtab_g, 8\n"
    ".size _symtab_global_long, 8\n"
    ".size _symtab_global, 8\n"
    ".fill 8, 1, 0x90\n"
    "symtab_tail: .fill 8, 1, 0x90\n"
    ".cfi_startproc\n"
    ".fill 8, 1, 0x90\n" // its name was taken away
    ".cfi_endproc\n"
    ".fill 8, 1, 0x90\n"
    ".cfi_startproc\n"
    ".globl symtab_entry\n"
    ".fill 4, 1, 0x90\n"
    "symtab_entry: .fill 4, 1, 0x90\n"
    ".cfi_endproc\n"
    ".fill 8, 1, 0x90\n"
    ".popsection\n");

extern const char symtab_outer[];

static const struct {
    uint64_t at; // bytes from symtab_outer
    const char *name;
    uint64_t offset;
} rules[] = {
    {0, "symtab_outer", 0},
    {15, "symtab_outer", 15},
    {16, "symtab_inner", 0}, // the innermost one
    {23, "symtab_inner", 7},
    {24, "symtab_outer", 24},
    {28, "symtab_outer", 28}, // a label counts only where no function does
    {31, "symtab_outer", 31},
    {32, NULL, 0}, // beyond its size
    {39, NULL, 0},
    {40, "symtab_unsized", 0},
    {44, "symtab_unsized", 4}, // a local label does not end a function
    {47, "symtab_unsized", 7},
    {48, "symtab_label", 0}, // a global one does
    {55, "symtab_label", 7},
    {56, "_symtab_global", 0}, // global, fewest underscores, shortest
    {63, "_symtab_global", 7},
    {64, NULL, 0},
    {72, "symtab_tail", 0}, // nothing else is there
    {79, "symtab_tail", 7}, // up to the next unwind entry
    {80, NULL, 0},
    {95, NULL, 0},
    {99, NULL, 0},
    {100, "symtab_entry", 0},
    {103, "symtab_entry", 3}, // up to the end of the one that it lies in
    {104, NULL, 0},
    {112, NULL, 0},
};

// What the unwind tables say of the same section.
static const struct {
    uint64_t at;
    bool covered;
    uint64_t start;
} starts[] = {
    {0, false, 0}, {79, false, 0}, {80, true, 80}, {87, true, 80}, {88, false, 0},
    {96, true, 96}, {100, true, 96}, {103, true, 96}, {104, false, 0},
};

static int take_first(struct dl_phdr_info *info, size_t size, void *base)
{
    (void)size;
    *(uint64_t *)base = info->dlpi_addr;
    return 1; // the first one is the program itself
}

static uint64_t link_address(const void *address)
{
    uint64_t base = 0;
    dl_iterate_phdr(take_first, &base);
    return (uint64_t)(uintptr_t)address - base;
}

static struct image *open_self(void)
{
    struct image *image;
    ck_assert_int_eq(image_open(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), &image, NULL), RC_OK);
    return image;
}

static struct image *image;
static struct symtab *symtab;

static void setup(void)
{
    image = open_self();
    ck_assert(image_keep_elf(image));
    symtab = symtab_new((const struct image *[]){image}, 1);
}

static void teardown(void)
{
    symtab_free(symtab);
    image_free(image);
}

static void assert_named(uint64_t vaddr, const char *name, uint64_t offset, bool stub)
{
    struct symtab_match match;
    bool found = symtab_find(symtab, vaddr, &match);
    ck_assert_msg(found == (name != NULL), "%s", found ? match.name : "nothing found");
    if (!name)
        return;
    ck_assert_str_eq(match.name, name);
    ck_assert_uint_eq(match.offset, offset);
    ck_assert_int_eq(match.stub, stub);
}

START_TEST(test_rules)
{
    assert_named(link_address(symtab_outer) + rules[_i].at, rules[_i].name, rules[_i].offset,
                 false);
}
END_TEST

START_TEST(test_starts)
{
    uint64_t base = link_address(symtab_outer), start = 0;
    bool covered = symtab_start(symtab, base + starts[_i].at, &start);
    ck_assert_int_eq(covered, starts[_i].covered);
    if (covered)
        ck_assert_uint_eq(start, base + starts[_i].start);
}
END_TEST

START_TEST(test_own_functions)
{
    assert_named(link_address((void *)link_address), "link_address", 0, false);
    assert_named(link_address((void *)symtab_find) + 1, "symtab_find", 1, false);
}
END_TEST

START_TEST(test_nowhere)
{
    static const char data[] = "not code";
    assert_named(0, NULL, 0, false);
    assert_named(UINT64_MAX, NULL, 0, false);
    assert_named(link_address(data), NULL, 0, false);
}
END_TEST

// A function that is only called has a stub in .plt (or .plt.sec); one whose address is taken as
// well has it in .plt.got.
START_TEST(test_plt)
{
    const char *called, *both, *address;
    asm("lea getpgrp@PLT(%%rip), %0\n\t"
        "lea getppid@PLT(%%rip), %1\n\t"
        "mov getppid@GOTPCREL(%%rip), %2"
        : "=r"(called), "=r"(both), "=r"(address));
    ck_assert_ptr_eq(address, (void *)getppid);
    SKIP_IF(address == both, "statically linked: there are no stubs");
    assert_named(link_address(called), "getpgrp", 0, true);
    assert_named(link_address(both) + 2, "getppid", 2, true);
}
END_TEST

struct region {
    uint64_t offset, size;
};

// What is damaged: the tables that the reader believes in, one kind in each variant.
static size_t find_regions(struct region *regions, size_t most)
{
    GElf_Ehdr header;
    struct section section = {0};
    size_t count = 0;
    gelf_getehdr(image->elf, &header);
    regions[count++] = (struct region){EI_NIDENT, sizeof(Elf64_Ehdr) - EI_NIDENT};
    regions[count++] = (struct region){header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr)};
    regions[count++] = (struct region){header.e_shoff, header.e_shnum * sizeof(Elf64_Shdr)};
    regions[count] = regions[count - 1]; // twice: they matter most
    count++;
    while (count < most && section_next(image->elf, &section)) {
        uint32_t type = section.header.sh_type;
        if (type == SHT_SYMTAB || type == SHT_DYNSYM || type == SHT_STRTAB || type == SHT_RELA)
            regions[count++] = (struct region){section.header.sh_offset, section.header.sh_size};
    }
    return count;
}

// Looks up addresses all over the image and reads every name to its end; returns their bytes.
static size_t read_damaged(struct image *damaged)
{
    struct symtab *table = symtab_new((const struct image *[]){damaged}, 1);
    size_t total = 0;
    for (size_t i = 0; i < damaged->headers.segment_count; i++) {
        const struct segment *segment = &damaged->segments[i];
        for (uint64_t at = 0; at < segment->memory_size && at < 1 << 20; at += 61) {
            struct symtab_match match;
            uint64_t start;
            if (symtab_find(table, segment->vaddr + at, &match))
                total += strlen(match.name) + 1;
            else if (symtab_start(table, segment->vaddr + at, &start))
                ck_assert_uint_le(start, segment->vaddr + at);
        }
    }
    symtab_free(table);
    image_free(damaged);
    return total;
}

static size_t try_memory(const char *bytes, size_t length)
{
    struct image *damaged;
    if (image_wrap(bytes, length, &damaged, NULL) != RC_OK)
        return 0;
    return read_damaged(damaged);
}

// libelf reads files in another way than memory.
static size_t try_file(const char *bytes, size_t length)
{
    struct image *damaged;
    int fd = memfd_create("damaged", MFD_CLOEXEC);
    ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
    if (image_open(fd, &damaged, NULL) != RC_OK)
        return 0;
    return read_damaged(damaged);
}

static void damage(struct buf *bytes, const struct region *region)
{
    size_t changes = 1 + (size_t)random() % (region->size < 9600 ? region->size / 32 + 1 : 300);
    for (size_t i = 0; i < changes; i++) {
        uint64_t at = region->offset + (uint64_t)random() % region->size;
        if (at < bytes->length)
            bytes->data[at] = (char)(random() % 3 ? random() : random() % 2 ? 0xff : 0);
    }
}

START_TEST(test_damaged)
{
    struct region regions[32];
    size_t count = find_regions(regions, ARRAY_LENGTH(regions)), named = 0;
    AUTO_BUF struct buf whole = {0}, bytes = {0};
    AUTO_FD int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(buf_read_fd(&whole, fd, 1 << 30), RC_OK);
    srandom(1);
    for (unsigned i = 0; i < 500; i++) {
        buf_clear(&bytes);
        buf_append(&bytes, whole.data, whole.length);
        damage(&bytes, &regions[i % count]);
        bool as_file = i / count % 2;
        named += (as_file ? try_file : try_memory)(bytes.data, bytes.length) > 0;
    }
    ck_assert_uint_gt(named, 100); // many got as far as names
}
END_TEST

START_TEST(test_cut)
{
    AUTO_BUF struct buf whole = {0};
    AUTO_FD int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(buf_read_fd(&whole, fd, 1 << 30), RC_OK);
    for (size_t part = 0; part < 64; part++) {
        // A copy of exact size, so that a read beyond its end shows under ASan.
        size_t length = whole.length / 64 * part;
        AUTO_FREE char *bytes = xmalloc(length);
        memcpy(bytes, whole.data, length);
        // The section headers are at the end of the file: no names without them.
        ck_assert_uint_eq(try_memory(bytes, length), 0);
    }
}
END_TEST

Suite *suite_symtab(void)
{
    Suite *suite = suite_create("symtab");
    TCase *tcase = tcase_create("symtab");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, test_rules, 0, ARRAY_LENGTH(rules));
    tcase_add_loop_test(tcase, test_starts, 0, ARRAY_LENGTH(starts));
    tcase_add_test(tcase, test_own_functions);
    tcase_add_test(tcase, test_nowhere);
    tcase_add_test(tcase, test_plt);
    tcase_add_test(tcase, test_damaged);
    tcase_add_test(tcase, test_cut);
    suite_add_tcase(suite, tcase);
    return suite;
}
