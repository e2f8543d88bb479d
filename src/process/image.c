// SPDX-License-Identifier: MIT
#include "process/image.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/patience.h"
#include "process/image_store.h"
#include "process/kept_file.h"
#include "process/machine.h"
#include "process/unpack.h"

#define IMAGE_READ_MS 2000
#define NOTES_MAX (64u << 10)
#define SECTIONS_MAX 65536
#define NAMES_MAX (16u << 20) // bytes, of all section names
#define DEBUG_FRAME_MAX (64u << 20) // bytes, uncompressed

static enum rc (*describer)(struct image *image, struct err *err);

void image_describe_by(enum rc (*describe)(struct image *image, struct err *err))
{
    describer = describe;
}

bool image_read(const struct image *image, uint64_t offset, void *to, size_t length)
{
    return image_store_read(image->store, offset, to, length);
}

bool image_vaddr(const struct image *image, uint64_t offset, uint64_t *vaddr)
{
    for (size_t i = 0; i < image->headers.segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        if (offset - segment->offset < segment->file_size && offset >= segment->offset) {
            *vaddr = segment->vaddr + (offset - segment->offset);
            return true;
        }
    }
    return false;
}

bool image_offset(const struct image *image, uint64_t vaddr, uint64_t *offset)
{
    for (size_t i = 0; i < image->headers.segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        if (vaddr >= segment->vaddr && vaddr - segment->vaddr < segment->file_size) {
            *offset = segment->offset + (vaddr - segment->vaddr);
            return true;
        }
    }
    return false;
}

bool image_same_build(const struct image *a, const struct image *b)
{
    return a->headers.build_id_length && a->headers.build_id_length == b->headers.build_id_length &&
           memcmp(a->headers.build_id, b->headers.build_id, a->headers.build_id_length) == 0;
}

void image_build_id_hex(const struct image *image, char text[2 * BUILD_ID_MAX + 1])
{
    for (size_t i = 0; i < image->headers.build_id_length; i++)
        snprintf(text + 2 * i, 3, "%02x", image->headers.build_id[i]);
    text[2 * image->headers.build_id_length] = '\0';
}

// libelf's handle of a file needs a descriptor, of which there may be few, so it is opened for each
// use unless image_keep_elf keeps it. Returns NULL when the file cannot be opened any more.
// ELF_C_READ makes libelf read the file instead of mapping it.
static Elf *begin_elf(const struct image *image)
{
    struct kept_file *file = image->store->file;
    if (image->elf)
        return image->elf;
    if (!file) // elf_memory takes a char *, but only reads
        return elf_memory((char *)(uintptr_t)image->store->bytes, image->size);
    int fd = kept_file_take(file);
    Elf *elf = fd >= 0 ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
    if (fd >= 0 && !elf)
        kept_file_give(file);
    return elf;
}

static void end_elf(const struct image *image, Elf *elf)
{
    if (!elf || elf == image->elf)
        return;
    elf_end(elf);
    if (image->store->file)
        kept_file_give(image->store->file);
}

bool image_keep_elf(struct image *image)
{
    image->elf = begin_elf(image);
    return image->elf;
}

// A note is three words (name size, description size, type), then both, padded to four bytes.
static void find_build_id(struct image *image, const GElf_Phdr *note)
{
    size_t size = note->p_filesz < NOTES_MAX ? (size_t)note->p_filesz : NOTES_MAX;
    AUTO_FREE unsigned char *bytes = xmalloc(size);
    if (!image_read(image, note->p_offset, bytes, size))
        return;
    for (size_t at = 0; size - at >= 12;) {
        uint32_t name_size, size_of_id, type;
        memcpy(&name_size, bytes + at, 4);
        memcpy(&size_of_id, bytes + at + 4, 4);
        memcpy(&type, bytes + at + 8, 4);
        at += 12;
        uint64_t name_room = ((uint64_t)name_size + 3) & ~3ull;
        uint64_t id_room = ((uint64_t)size_of_id + 3) & ~3ull;
        if (name_room + id_room > size - at)
            return;
        if (type == NT_GNU_BUILD_ID && name_size == 4 && !memcmp(bytes + at, "GNU", 4) &&
            size_of_id <= BUILD_ID_MAX) {
            image->headers.build_id_length = size_of_id;
            memcpy(image->headers.build_id, bytes + at + name_room, size_of_id);
            return;
        }
        at += (size_t)(name_room + id_room);
    }
}

static void add_segment(struct image *image, const GElf_Phdr *phdr)
{
    image->segments =
        xrealloc(image->segments, (image->headers.segment_count + 1) * sizeof *image->segments);
    image->segments[image->headers.segment_count++] = (struct segment){
        .offset = phdr->p_offset,
        .vaddr = phdr->p_vaddr,
        .file_size = phdr->p_filesz,
        .memory_size = phdr->p_memsz,
        .flags = phdr->p_flags,
    };
}

static enum rc read_headers(struct image *image, Elf *elf, struct err *err)
{
    GElf_Ehdr header;
    size_t count;
    if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header))
        return err_set(err, RC_FORMAT, "not an ELF file");
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_machine != MACHINE_ELF)
        return err_set(err, RC_FORMAT, "not an " MACHINE_NAME " ELF file");
    if (elf_getphdrnum(elf, &count) != 0 || count > SEGMENTS_MAX)
        return err_set(err, RC_FORMAT, "its program headers are damaged");
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr phdr;
        if (!gelf_getphdr(elf, (int)i, &phdr))
            return err_set(err, RC_FORMAT, "its program headers are damaged");
        if (phdr.p_type == PT_LOAD)
            add_segment(image, &phdr);
        else if (phdr.p_type == PT_NOTE && !image->headers.build_id_length)
            find_build_id(image, &phdr);
        else if (phdr.p_type == PT_GNU_EH_FRAME) {
            image->headers.eh_frame_hdr = phdr.p_vaddr;
            image->headers.eh_frame_hdr_size = phdr.p_memsz;
        }
    }
    return RC_OK;
}

// libelf reserves memory for as many sections as the file claims, and a sparse file may claim any
// number.
static bool sections_are_plausible(const struct image *image)
{
    Elf64_Ehdr header;
    Elf64_Shdr first;
    if (!image_read(image, 0, &header, sizeof header) || header.e_shnum || !header.e_shoff)
        return true; // e_shnum is 16 bits wide
    return !image_read(image, header.e_shoff, &first, sizeof first) ||
           first.sh_size <= SECTIONS_MAX;
}

// libelf finds a section name by reading the whole string table, which may claim any size.
static bool names_are_plausible(Elf *elf, size_t section)
{
    GElf_Shdr header;
    return gelf_getshdr(elf_getscn(elf, section), &header) && header.sh_size <= NAMES_MAX;
}

static Elf_Scn *find_section(Elf *elf, const char *wanted, GElf_Shdr *header)
{
    size_t names;
    if (elf_getshdrstrndx(elf, &names) != 0 || !names_are_plausible(elf, names))
        return NULL;
    for (Elf_Scn *section = elf_nextscn(elf, NULL); section;
         section = elf_nextscn(elf, section)) {
        const char *name = gelf_getshdr(section, header)
                               ? elf_strptr(elf, names, header->sh_name)
                               : NULL;
        if (name && strcmp(name, wanted) == 0 && header->sh_type != SHT_NOBITS)
            return section;
    }
    return NULL;
}

// The name of the debug file, padding, and its checksum.
static void read_debug_link(struct image *image, const GElf_Shdr *header)
{
    struct debug_link *link = &image->headers.link;
    char bytes[sizeof link->name + sizeof link->checksum];
    if (header->sh_size <= sizeof link->checksum || header->sh_size > sizeof bytes ||
        !image_read(image, header->sh_offset, bytes, header->sh_size))
        return;
    size_t room = header->sh_size - sizeof link->checksum;
    size_t length = strnlen(bytes, room);
    if (!length || length == room || bytes[0] == '.' || memchr(bytes, '/', length))
        return;
    memcpy(link->name, bytes, length + 1);
    memcpy(&link->checksum, bytes + room, sizeof link->checksum);
}

// Static programs may have .eh_frame without .eh_frame_hdr, to which program headers lead.
static void read_sections(struct image *image, Elf *elf)
{
    struct image_headers *headers = &image->headers;
    GElf_Shdr header;
    size_t count;
    if (elf_getshdrnum(elf, &count) != 0 || !count)
        return;
    headers->section_count = count;
    if (find_section(elf, ".eh_frame", &header)) {
        headers->eh_frame = header.sh_addr;
        headers->eh_frame_size = header.sh_size;
    }
    if (find_section(elf, ".debug_frame", &header))
        headers->debug_frame_size = header.sh_size;
    if (find_section(elf, ".gnu_debuglink", &header))
        read_debug_link(image, &header);
}

struct frame_reading { // arguments of reading .debug_frame
    const struct image *image;
    unsigned char *bytes;
    size_t size;
};

static void copy_debug_frame(struct frame_reading *reading, Elf *elf)
{
    GElf_Shdr header;
    Elf_Scn *section = find_section(elf, ".debug_frame", &header);
    if (!section || header.sh_size > DEBUG_FRAME_MAX)
        return;
    if (unpack_is_needed(section)) {
        reading->bytes = unpack_section(section, DEBUG_FRAME_MAX, &reading->size);
        return;
    }
    const Elf_Data *data = elf_rawdata(section, NULL);
    if (!data || !data->d_buf || !data->d_size)
        return;
    reading->size = data->d_size;
    reading->bytes = xmalloc(data->d_size);
    memcpy(reading->bytes, data->d_buf, data->d_size);
}

static void read_debug_frame(void *context)
{
    struct frame_reading *reading = context;
    Elf *elf = begin_elf(reading->image);
    if (elf)
        copy_debug_frame(reading, elf);
    end_elf(reading->image, elf);
}

static void discard_debug_frame(void *context)
{
    struct frame_reading *reading = context;
    free(reading->bytes);
    free(reading);
}

static void ask_debug_frame(struct image *image)
{
    struct frame_reading *reading = xcalloc(1, sizeof *reading);
    reading->image = image;
    image->store->hung =
        !patience_call(read_debug_frame, discard_debug_frame, reading, IMAGE_READ_MS);
    if (image->store->hung)
        return;
    image->debug_frame_size = reading->size;
    image->debug_frame = steal_ptr(&reading->bytes);
    free(reading);
}

const unsigned char *image_debug_frame(struct image *image, size_t *size)
{
    if (!image->debug_frame_read && image->headers.debug_frame_size && !image->store->hung)
        ask_debug_frame(image);
    image->debug_frame_read = true;
    *size = image->debug_frame_size;
    return image->debug_frame;
}

static enum rc read_all(struct image *image, struct err *err)
{
    if (!sections_are_plausible(image))
        return err_set(err, RC_FORMAT, "its section headers are damaged");
    Elf *elf = begin_elf(image);
    enum rc rc = read_headers(image, elf, err);
    if (rc == RC_OK)
        read_sections(image, elf);
    if (!image->store->file) // the bytes are in memory: nothing is saved by opening it each time
        image->elf = elf;
    end_elf(image, elf);
    return rc;
}

static enum rc finish(struct image *image, struct image **out, struct err *err)
{
    bool asks = describer && image->store->file;
    enum rc rc = asks ? describer(image, err) : read_all(image, err);
    if (rc != RC_OK) {
        image_free(image);
        return rc;
    }
    *out = image;
    return RC_OK;
}

static struct image *image_new(int fd, const void *bytes, uint64_t size)
{
    elf_version(EV_CURRENT);
    struct image *image = xcalloc(1, sizeof *image);
    image->size = size;
    image->store = image_store_new(fd, bytes, size);
    return image;
}

enum rc image_open(int fd, struct image **out, struct err *err)
{
    AUTO_FD int owned = fd;
    struct stat info;
    if (fstat(owned, &info) != 0)
        return err_set(err, RC_IO, "its size cannot be read");
    if (!S_ISREG(info.st_mode))
        return err_set(err, RC_FORMAT, "not a regular file");
    if (info.st_size <= 0 || info.st_size > (off_t)(64ull << 30))
        return err_set(err, RC_FORMAT, "its size is implausible");
    struct image *image = image_new(steal_fd(&owned), NULL, (uint64_t)info.st_size);
    return finish(image, out, err);
}

void image_reopen_by(struct image *image, int (*reopen)(void *context), void *context)
{
    if (image->store->file)
        kept_file_reopen_by(image->store->file, reopen, context);
}

enum rc image_wrap(const void *bytes, size_t size, struct image **out, struct err *err)
{
    struct image *image = image_new(-1, bytes, size);
    return finish(image, out, err);
}

static int duplicate(struct kept_file *file)
{
    int fd = kept_file_take(file);
    if (fd < 0)
        return -1;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    limits_note(copy < 0 ? errno : 0);
    kept_file_give(file);
    return copy;
}

int image_reopen(const struct image *image)
{
    const struct image_store *store = image->store;
    if (store->hung)
        return -1;
    if (store->file)
        return duplicate(store->file);
    AUTO_FD int fd = memfd_create("image", MFD_CLOEXEC);
    for (uint64_t done = 0; fd >= 0 && done < image->size;) {
        ssize_t written = write(fd, store->bytes + done, image->size - done);
        if (written <= 0)
            return -1;
        done += (uint64_t)written;
    }
    return steal_fd(&fd);
}

void image_free(struct image *image)
{
    if (!image || image->store->hung)
        return;
    elf_end(image->elf); // its descriptor is closed with the store
    image_store_free(image->store);
    free(image->segments);
    free(image->debug_frame);
    free(image);
}
