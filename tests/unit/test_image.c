// SPDX-License-Identifier: MIT
// The truth is this program: its file, and what the dynamic linker made of it.
#include "process/image.h"

#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tests/unit/skip.h"

static struct image *image;

static int open_self(void)
{
    return open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
}

static void set_up(void)
{
    ck_assert_int_eq(image_open(open_self(), &image, NULL), RC_OK);
}

static void tear_down(void)
{
    image_free(image);
}

// --- the headers

static int copy_first(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    memcpy(context, info, sizeof *info);
    return 1; // the first one is the program itself
}

static struct dl_phdr_info own_headers(void)
{
    struct dl_phdr_info info = {0};
    dl_iterate_phdr(copy_first, &info);
    return info;
}

START_TEST(segments_are_those_of_the_linker)
{
    struct dl_phdr_info info = own_headers();
    size_t count = 0;
    for (size_t i = 0; i < info.dlpi_phnum; i++) {
        const ElfW(Phdr) *phdr = &info.dlpi_phdr[i];
        if (phdr->p_type == PT_GNU_EH_FRAME) {
            ck_assert_uint_eq(image->headers.eh_frame_hdr, phdr->p_vaddr);
            ck_assert_uint_eq(image->headers.eh_frame_hdr_size, phdr->p_memsz);
        }
        if (phdr->p_type != PT_LOAD)
            continue;
        ck_assert_uint_lt(count, image->headers.segment_count);
        const struct segment *segment = &image->segments[count++];
        ck_assert_uint_eq(segment->offset, phdr->p_offset);
        ck_assert_uint_eq(segment->vaddr, phdr->p_vaddr);
        ck_assert_uint_eq(segment->file_size, phdr->p_filesz);
        ck_assert_uint_eq(segment->memory_size, phdr->p_memsz);
        ck_assert_uint_eq(segment->flags, phdr->p_flags);
    }
    ck_assert_uint_eq(count, image->headers.segment_count);
    ck_assert_uint_gt(image->headers.eh_frame_size, 0);
}
END_TEST

// The description of the NT_GNU_BUILD_ID note in memory, as hex.
static void own_build_id(char text[2 * BUILD_ID_MAX + 1])
{
    struct dl_phdr_info info = own_headers();
    text[0] = '\0';
    for (size_t i = 0; i < info.dlpi_phnum; i++) {
        const ElfW(Phdr) *phdr = &info.dlpi_phdr[i];
        const ElfW(Nhdr) *note = (const void *)(info.dlpi_addr + phdr->p_vaddr);
        if (phdr->p_type != PT_NOTE || note->n_type != NT_GNU_BUILD_ID)
            continue;
        const unsigned char *id = (const unsigned char *)(note + 1) + note->n_namesz;
        for (size_t k = 0; k < note->n_descsz; k++)
            snprintf(text + 2 * k, 3, "%02x", id[k]);
    }
}

START_TEST(build_id_is_the_note)
{
    char expected[2 * BUILD_ID_MAX + 1], found[2 * BUILD_ID_MAX + 1];
    own_build_id(expected);
    image_build_id_hex(image, found);
    ck_assert_str_eq(found, expected);
    ck_assert_uint_eq(strlen(found), 2 * image->headers.build_id_length);
}
END_TEST

START_TEST(addresses_and_offsets)
{
    for (size_t i = 0; i < image->headers.segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        uint64_t last = segment->file_size - 1, back;
        if (!segment->file_size)
            continue;
        ck_assert(image_vaddr(image, segment->offset, &back));
        ck_assert_uint_eq(back, segment->vaddr);
        ck_assert(image_offset(image, segment->vaddr + last, &back));
        ck_assert_uint_eq(back, segment->offset + last);
        if (segment->memory_size > segment->file_size) // .bss is not in the file
            ck_assert(!image_offset(image, segment->vaddr + segment->file_size, &back));
    }
    uint64_t ignored;
    ck_assert(!image_vaddr(image, UINT64_MAX, &ignored));
    ck_assert(!image_vaddr(image, image->size, &ignored));
    ck_assert(!image_offset(image, UINT64_MAX, &ignored));
}
END_TEST

// --- reading

START_TEST(reads_what_the_file_holds)
{
    AUTO_BUF struct buf whole = {0};
    AUTO_FD int fd = open_self();
    ck_assert_int_eq(buf_read_fd(&whole, fd, 1 << 30), RC_OK);
    ck_assert_uint_eq(image->size, whole.length);
    AUTO_FREE char *bytes = xmalloc(300000);
    static const size_t lengths[] = {0, 1, 7, 4096, 65536, 65537, 200000};
    srandom(1);
    for (unsigned i = 0; i < 300; i++) {
        size_t length = lengths[i % ARRAY_LENGTH(lengths)];
        uint64_t offset = (uint64_t)random() % whole.length;
        bool inside = length <= whole.length - offset;
        ck_assert_int_eq(image_read(image, offset, bytes, length), inside);
        if (inside)
            ck_assert_mem_eq(bytes, whole.data + offset, length);
    }
}
END_TEST

START_TEST(reads_nothing_beyond)
{
    char bytes[16];
    ck_assert(image_read(image, image->size - 16, bytes, 16));
    ck_assert(image_read(image, image->size, bytes, 0));
    ck_assert(!image_read(image, image->size - 15, bytes, 16));
    ck_assert(!image_read(image, image->size, bytes, 1));
    ck_assert(!image_read(image, image->size + 1, bytes, 0));
    ck_assert(!image_read(image, UINT64_MAX, bytes, 1));
    ck_assert(!image_read(image, UINT64_MAX - 4, bytes, 16)); // the end wraps
    ck_assert(!image_read(image, 0, bytes, SIZE_MAX));
}
END_TEST

// A file of its own, which its owner may change while we hold it.
static int copy_self(void)
{
    AUTO_BUF struct buf whole = {0};
    AUTO_FD int fd = open_self();
    ck_assert_int_eq(buf_read_fd(&whole, fd, 1 << 30), RC_OK);
    int copy = memfd_create("copy", MFD_CLOEXEC);
    ck_assert_int_eq(write(copy, whole.data, whole.length), (ssize_t)whole.length);
    return copy;
}

START_TEST(truncated_while_open)
{
    struct image *copy;
    char bytes[16];
    AUTO_FD int fd = copy_self();
    ck_assert_int_eq(image_open(dup(fd), &copy, NULL), RC_OK);
    ck_assert_int_eq(ftruncate(fd, 100000), 0);
    ck_assert(image_read(copy, 0, bytes, 16));
    ck_assert(!image_read(copy, copy->size - 16, bytes, 16));
    ck_assert_int_eq(ftruncate(fd, 0), 0);
    ck_assert(!image_read(copy, 70000, bytes, 16));
    ck_assert(image_read(copy, 16, bytes, 16)); // held since it was first read
    image_free(copy);
}
END_TEST

START_TEST(image_in_memory)
{
    const unsigned char *vdso = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);
    struct image *wrapped;
    Elf64_Ehdr header;
    SKIP_IF(!vdso, "this kernel has no vdso");
    memcpy(&header, vdso, sizeof header);
    size_t size = header.e_shoff + (size_t)header.e_shnum * header.e_shentsize;
    ck_assert_int_eq(image_wrap(vdso, size, &wrapped, NULL), RC_OK);
    AUTO_FREE unsigned char *bytes = xmalloc(size);
    ck_assert(image_read(wrapped, 0, bytes, size));
    ck_assert_mem_eq(bytes, vdso, size);
    ck_assert(!image_read(wrapped, 1, bytes, size));
    ck_assert_uint_gt(wrapped->headers.eh_frame_hdr_size, 0);
    ck_assert_uint_ge(wrapped->headers.segment_count, 1);
    image_free(wrapped);
}
END_TEST

// --- what is no image

static enum rc open_bytes(const void *bytes, size_t length, struct err *err)
{
    struct image *none = NULL;
    int fd = memfd_create("bytes", MFD_CLOEXEC);
    ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
    enum rc rc = image_open(fd, &none, err);
    ck_assert_ptr_null(none);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1); // taken, and closed again
    ck_assert_int_eq(image_wrap(bytes, length, &none, NULL), rc);
    return rc;
}

START_TEST(not_elf)
{
    static const char *const texts[] = {"#!/bin/sh\n", "\x7f" "ELF", "\x7f" "ELF\2\1\1",
                                        "!<arch>\nx/              0           0     0     "
                                        "100644  2         `\nab"};
    struct err err;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        ck_assert_int_eq(open_bytes(texts[i], strlen(texts[i]), &err), RC_FORMAT);
    ck_assert_str_eq(err.text, "not an ELF file");
}
END_TEST

START_TEST(not_of_this_machine)
{
    struct err err;
    Elf32_Ehdr narrow = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_DYN,
                         .e_machine = EM_386,
                         .e_version = EV_CURRENT,
                         .e_ehsize = sizeof narrow};
    Elf64_Ehdr foreign = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                          .e_type = ET_DYN,
                          .e_machine = EM_AARCH64,
                          .e_version = EV_CURRENT,
                          .e_ehsize = sizeof foreign};
    ck_assert_int_eq(open_bytes(&narrow, sizeof narrow, &err), RC_FORMAT);
    ck_assert_str_eq(err.text, "not an x86-64 ELF file");
    ck_assert_int_eq(open_bytes(&foreign, sizeof foreign, &err), RC_FORMAT);
    ck_assert_str_eq(err.text, "not an x86-64 ELF file");
}
END_TEST

// Program headers that the header promises and that are not there, or far too many.
START_TEST(damaged_program_headers)
{
    struct image *none = NULL;
    for (unsigned count = 1; count < 65535; count = count * 7 + 1) {
        Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                             .e_type = ET_DYN,
                             .e_machine = EM_X86_64,
                             .e_version = EV_CURRENT,
                             .e_phoff = sizeof header,
                             .e_phentsize = sizeof(Elf64_Phdr),
                             .e_phnum = (Elf64_Half)count,
                             .e_ehsize = sizeof header};
        enum rc rc = image_wrap(&header, sizeof header, &none, NULL);
        ck_assert(rc == RC_OK || rc == RC_FORMAT);
        if (rc == RC_OK) {
            ck_assert_uint_eq(none->headers.segment_count, 0);
            image_free(none);
        }
    }
}
END_TEST

START_TEST(not_a_file)
{
    struct image *none = NULL;
    struct err err;
    char path[] = "/tmp/ptprof-fifo-XXXXXX";
    ck_assert_int_eq(image_open(open("/proc", O_RDONLY | O_DIRECTORY), &none, &err), RC_FORMAT);
    ck_assert_int_eq(image_open(open("/dev/null", O_RDONLY), &none, &err), RC_FORMAT);
    ck_assert_str_eq(err.text, "not a regular file");
    ck_assert_int_eq(image_open(-1, &none, &err), RC_IO);
    ck_assert_int_eq(image_open(memfd_create("empty", MFD_CLOEXEC), &none, &err), RC_FORMAT);
    close(mkstemp(path));
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0); // without a writer: a read would wait for ever
    int fifo = open(path, O_RDONLY | O_NONBLOCK);
    unlink(path);
    ck_assert_int_eq(fcntl(fifo, F_SETFL, 0), 0);
    ck_assert_int_eq(image_open(fifo, &none, &err), RC_FORMAT);
    ck_assert_ptr_null(none);
}
END_TEST

Suite *suite_image(void);

// Of a sparse file, all but a page is claimed to be names of sections.
START_TEST(endless_section_names)
{
    const uint64_t size = 4ull << 30, at = 4096;
    Elf64_Ehdr header;
    Elf64_Shdr sections[3] = {
        [1] = {.sh_name = 8, .sh_type = SHT_STRTAB, .sh_offset = at, .sh_size = size - at},
        [2] = {.sh_name = 8, .sh_type = SHT_PROGBITS, .sh_offset = at, .sh_size = 8},
    };
    AUTO_FD int self = open_self();
    int fd = memfd_create("sparse", MFD_CLOEXEC);
    ck_assert_int_eq(pread(self, &header, sizeof header, 0), sizeof header);
    header.e_phnum = 0;
    header.e_shoff = sizeof header;
    header.e_shnum = ARRAY_LENGTH(sections);
    header.e_shstrndx = 1;
    ck_assert_int_eq(pwrite(fd, &header, sizeof header, 0), sizeof header);
    ck_assert_int_eq(pwrite(fd, sections, sizeof sections, sizeof header), sizeof sections);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    ck_assert_int_eq(image_open(fd, &image, NULL), RC_OK);
    ck_assert_uint_eq(image->headers.eh_frame_size, 0);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    ck_assert_int_lt(usage.ru_maxrss, 1 << 20); // KiB
    image_free(image);
}
END_TEST

Suite *suite_image(void)
{
    TCase *own = tcase_create("own"), *none = tcase_create("none");
    tcase_add_checked_fixture(own, set_up, tear_down);
    tcase_add_test(own, segments_are_those_of_the_linker);
    tcase_add_test(own, build_id_is_the_note);
    tcase_add_test(own, addresses_and_offsets);
    tcase_add_test(own, reads_what_the_file_holds);
    tcase_add_test(own, reads_nothing_beyond);
    tcase_add_test(none, truncated_while_open);
    tcase_add_test(none, image_in_memory);
    tcase_add_test(none, not_elf);
    tcase_add_test(none, not_of_this_machine);
    tcase_add_test(none, damaged_program_headers);
    tcase_add_test(none, not_a_file);
    tcase_add_test(none, endless_section_names);
    Suite *suite = suite_create("image");
    suite_add_tcase(suite, own);
    suite_add_tcase(suite, none);
    return suite;
}
