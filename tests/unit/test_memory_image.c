// SPDX-License-Identifier: MIT
// The truth is this process: what its libraries look like in memory against their files.
#include "process/memory_image.h"

#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/mem.h"
#include "symbol/reader/symtab.h"
#include "tests/unit/skip.h"

static pid_t self_tid;
static struct memory_source self;

struct libc {
    uint64_t base;
    char path[4096];
};

static int find_libc(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    struct libc *libc = context;
    if (!strstr(info->dlpi_name, "/libc.so"))
        return 0;
    libc->base = info->dlpi_addr;
    snprintf(libc->path, sizeof libc->path, "%s", info->dlpi_name);
    return 1;
}

static void set_up(void)
{
    self_tid = getpid();
    self = memory_source_of(&self_tid);
}

START_TEST(like_the_file)
{
    struct libc libc = {0};
    struct image *loaded, *file;
    ck_assert_int_eq(dl_iterate_phdr(find_libc, &libc), 1);
    ck_assert_int_eq(memory_image_open(&self, libc.base, &loaded, NULL), RC_OK);
    ck_assert_int_eq(image_open(open(libc.path, O_RDONLY | O_CLOEXEC), &file, NULL), RC_OK);
    ck_assert_uint_gt(file->headers.build_id_length, 0);
    ck_assert_uint_eq(loaded->headers.build_id_length, file->headers.build_id_length);
    ck_assert_mem_eq(loaded->headers.build_id, file->headers.build_id,
                     file->headers.build_id_length);
    ck_assert_uint_eq(loaded->headers.eh_frame_hdr, file->headers.eh_frame_hdr);
    ck_assert_uint_eq(loaded->headers.segment_count, file->headers.segment_count);
    AUTO_FREE unsigned char *a = xmalloc(file->headers.eh_frame_size);
    AUTO_FREE unsigned char *b = xmalloc(file->headers.eh_frame_size);
    uint64_t offset;
    ck_assert(image_offset(file, file->headers.eh_frame, &offset));
    ck_assert(image_read(file, offset, a, file->headers.eh_frame_size));
    ck_assert(image_read(loaded, offset, b, file->headers.eh_frame_size));
    ck_assert_mem_eq(a, b, file->headers.eh_frame_size);
    image_free(file);
    image_free(loaded);
}
END_TEST

START_TEST(dynamic_symbols)
{
    struct libc libc = {0};
    struct image *loaded;
    struct symtab_match match;
    ck_assert_int_eq(dl_iterate_phdr(find_libc, &libc), 1);
    ck_assert_int_eq(memory_image_open(&self, libc.base, &loaded, NULL), RC_OK);
    ck_assert(image_keep_elf(loaded));
    struct symtab *symtab = symtab_new((const struct image *const[]){loaded}, 1);
    // A function that no sanitizer puts its own in the place of.
    ck_assert(symtab_find(symtab, (uint64_t)(uintptr_t)lfind - libc.base, &match));
    ck_assert_str_eq(match.name, "lfind");
    ck_assert_uint_eq(match.offset, 0);
    ck_assert(symtab_find(symtab, (uint64_t)(uintptr_t)getppid - libc.base + 3, &match));
    ck_assert_str_eq(match.name, "getppid");
    symtab_free(symtab);
    image_free(loaded);
}
END_TEST

START_TEST(vdso)
{
    uint64_t start = getauxval(AT_SYSINFO_EHDR);
    struct image *image;
    SKIP_IF(!start, "this kernel has no vdso");
    ck_assert_int_eq(memory_image_copy(&self, start, start + 8192, &image, NULL), RC_OK);
    ck_assert_uint_gt(image->headers.section_count, 0);
    image_free(image);
}
END_TEST

START_TEST(no_header)
{
    static unsigned char page[8192];
    struct image *image;
    struct err err = {0};
    ck_assert_int_eq(memory_image_open(&self, (uint64_t)(uintptr_t)page, &image, &err), RC_FORMAT);
    ck_assert_str_ne(err.text, "");
    ck_assert_int_eq(memory_image_open(&self, 0, &image, NULL), RC_FORMAT);
    ck_assert_int_eq(memory_image_open(&self, UINT64_MAX - 64, &image, NULL), RC_FORMAT);
    ck_assert_int_eq(memory_image_copy(&self, 4096, 4096, &image, NULL), RC_FORMAT);
    ck_assert_int_eq(memory_image_copy(&self, 4096, 1ull << 40, &image, NULL), RC_FORMAT);
}
END_TEST

// A header that says: one segment of the most absurd size, dynamic entries that point nowhere.
START_TEST(absurd_sizes)
{
    struct {
        Elf64_Ehdr header;
        Elf64_Phdr phdrs[3];
        Elf64_Dyn dynamic[6];
    } file = {
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                   .e_type = ET_DYN, .e_machine = EM_X86_64, .e_phoff = sizeof(Elf64_Ehdr),
                   .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 3, .e_version = EV_CURRENT,
                   .e_ehsize = sizeof(Elf64_Ehdr)},
        .phdrs = {{.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = 4ull << 30,
                   .p_memsz = 4ull << 30},
                  {.p_type = PT_DYNAMIC, .p_memsz = UINT64_MAX},
                  {.p_type = PT_NOTE, .p_offset = 1ull << 60, .p_filesz = UINT64_MAX}},
        .dynamic = {{DT_SYMTAB, {UINT64_MAX - 8}}, {DT_STRTAB, {1ull << 63}},
                    {DT_STRSZ, {UINT64_MAX}}, {DT_GNU_HASH, {UINT64_MAX - 4}}},
    };
    struct image *image;
    file.phdrs[1].p_vaddr = (uint64_t)((char *)file.dynamic - (char *)&file);
    ck_assert_int_eq(memory_image_open(&self, (uint64_t)(uintptr_t)&file, &image, NULL), RC_OK);
    ck_assert_uint_eq(image->headers.segment_count, 1);
    ck_assert_uint_eq(image->headers.build_id_length, 0);
    image_free(image);
    file.phdrs[0].p_filesz = UINT64_MAX;
    ck_assert_int_eq(memory_image_open(&self, (uint64_t)(uintptr_t)&file, &image, NULL), RC_FORMAT);
}
END_TEST

Suite *suite_memory_image(void);
Suite *suite_memory_image(void)
{
    Suite *suite = suite_create("memory_image");
    TCase *test = tcase_create("self");
    tcase_add_checked_fixture(test, set_up, NULL);
    tcase_add_test(test, like_the_file);
    tcase_add_test(test, dynamic_symbols);
    tcase_add_test(test, vdso);
    tcase_add_test(test, no_header);
    tcase_add_test(test, absurd_sizes);
    suite_add_tcase(suite, test);
    return suite;
}
