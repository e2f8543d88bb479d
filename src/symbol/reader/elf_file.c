// SPDX-License-Identifier: MIT
#include "symbol/reader/elf_file.h"

#include <lzma.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "symbol/reader/section.h"

#define UNPACKED_MAX (512u << 20)   // bytes
#define UNPACK_MEMORY (256u << 20)  // bytes, of the decoder
#define PACKED_MAX (128u << 20)

// When libelf uncompresses a section it changes the section header in place. Only the pages of the
// headers are made writable (and copied on write), so that the rest counts as file-backed memory.
static void unlock_headers(const struct elf_file *file)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    GElf_Ehdr header;
    size_t count;
    if (!gelf_getehdr(file->image->elf, &header) ||
        elf_getshdrnum(file->image->elf, &count) != 0 || header.e_shoff >= file->size)
        return;
    uint64_t start = header.e_shoff & ~(page - 1);
    uint64_t end = header.e_shoff + count * sizeof(Elf64_Shdr);
    if (end > file->size || end < start)
        end = file->size;
    mprotect((char *)file->bytes + start, end - start, PROT_READ | PROT_WRITE);
}

enum rc elf_file_map(int fd, struct elf_file *file, struct err *err)
{
    AUTO_FD int owned = fd;
    struct stat info;
    *file = (struct elf_file){0};
    if (fstat(owned, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size <= 0)
        return err_set(err, RC_FORMAT, "not a regular file");
    file->size = (size_t)info.st_size;
    file->bytes = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, owned, 0);
    if (file->bytes == MAP_FAILED) {
        *file = (struct elf_file){0};
        return err_set(err, RC_IO, "it cannot be mapped");
    }
    file->mapped = true;
    enum rc rc = image_wrap(file->bytes, file->size, &file->image, err);
    if (rc == RC_OK)
        unlock_headers(file);
    else
        elf_file_fini(file);
    return rc;
}

// Returns false when the data is damaged or its contents exceed UNPACKED_MAX.
static bool unpack(const void *packed, size_t length, struct buf *out)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    lzma_ret status = lzma_stream_decoder(&stream, UNPACK_MEMORY, 0);
    stream.next_in = packed;
    stream.avail_in = length;
    while (status == LZMA_OK && out->length < UNPACKED_MAX) {
        const size_t room = 1 << 20;
        stream.next_out = (uint8_t *)buf_reserve(out, room);
        stream.avail_out = room;
        status = lzma_code(&stream, LZMA_FINISH);
        out->length += room - stream.avail_out;
    }
    lzma_end(&stream);
    return status == LZMA_STREAM_END;
}

bool elf_file_unpack(const struct elf_file *from, struct elf_file *file)
{
    struct section section;
    *file = (struct elf_file){0};
    if (!section_find(from->image->elf, SHT_PROGBITS, ".gnu_debugdata", &section))
        return false;
    Elf_Data *packed = section_data(&section, PACKED_MAX);
    struct buf out = {0};
    if (packed && unpack(packed->d_buf, packed->d_size, &out)) {
        file->bytes = out.data;
        file->size = out.length;
        if (image_wrap(file->bytes, file->size, &file->image, NULL) == RC_OK)
            return true;
    }
    buf_fini(&out);
    *file = (struct elf_file){0};
    return false;
}

void elf_file_fini(struct elf_file *file)
{
    image_free(file->image);
    if (file->mapped)
        munmap(file->bytes, file->size);
    else
        free(file->bytes);
    *file = (struct elf_file){0};
}

bool elf_file_has_dwarf(const struct elf_file *file)
{
    struct section section;
    return file->image && (section_find(file->image->elf, SHT_PROGBITS, ".debug_info", &section) ||
                           section_find(file->image->elf, SHT_PROGBITS, ".zdebug_info", &section));
}

bool elf_file_has_symbols(const struct elf_file *file)
{
    struct section section;
    return file->image && section_find(file->image->elf, SHT_SYMTAB, NULL, &section);
}
