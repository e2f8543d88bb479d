// SPDX-License-Identifier: MIT
#include "process/memory_image.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "process/machine.h"
#include "process/memory.h"

#define PHDRS_MAX 64
#define DYNAMIC_MAX 512            // entries
#define FILE_MAX (4ull << 30)      // bytes of the file, most of which is a hole
#define CODE_MAX (16ull << 20)     // of one code segment: only stubs, prologues are read
#define SYMBOLS_MAX (1u << 20)
#define PIECE (1u << 20)           // bytes copied at once
#define VDSO_MAX (1ull << 20)
#define PAGE_ROOM 4096u            // the ELF header lies in the first page of its segment

struct builder {
    const struct memory_host *host;
    Elf64_Ehdr header;
    Elf64_Phdr phdrs[PHDRS_MAX];
    uint64_t bias;       // load bias: address minus link-time address
    uint64_t low, high;  // link-time addresses of all segments
    uint64_t copied;     // bytes copied so far
    uint64_t file_end;   // file offset where the next section is appended
    Elf64_Shdr *sections;
    size_t count, capacity;
};

static size_t read_process(void *context, uint64_t address, void *to, size_t length)
{
    return memory_read_some(*(const pid_t *)context, address, to, length);
}

struct memory_source memory_source_of(pid_t *tid)
{
    return (struct memory_source){tid, read_process};
}

static bool read_at(const struct builder *builder, uint64_t address, void *to, size_t length)
{
    return builder->host->read(builder->host->context, address, to, length) == length;
}

static bool put(const struct builder *builder, uint64_t offset, const void *bytes, size_t length)
{
    return builder->host->put(builder->host->context, offset, bytes, length);
}

static bool read_headers(struct builder *builder, uint64_t base)
{
    const unsigned char ident[] = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB};
    Elf64_Ehdr *header = &builder->header;
    return read_at(builder, base, header, sizeof *header) &&
           memcmp(header->e_ident, ident, sizeof ident) == 0 && header->e_machine == MACHINE_ELF &&
           header->e_phentsize == sizeof(Elf64_Phdr) && header->e_phnum <= PHDRS_MAX &&
           header->e_phoff < PAGE_ROOM &&
           read_at(builder, base + header->e_phoff, builder->phdrs,
                   header->e_phnum * sizeof(Elf64_Phdr));
}

// Finds the load bias by the segment that holds the ELF header. Returns false when there is no such
// segment or a segment has an implausible size.
static bool place_segments(struct builder *builder, uint64_t base)
{
    bool placed = false;
    builder->low = UINT64_MAX;
    for (size_t i = 0; i < builder->header.e_phnum; i++) {
        const Elf64_Phdr *phdr = &builder->phdrs[i];
        if (phdr->p_type != PT_LOAD)
            continue;
        if (phdr->p_offset > FILE_MAX || phdr->p_filesz > FILE_MAX || phdr->p_memsz > FILE_MAX ||
            phdr->p_vaddr > UINT64_MAX / 2)
            return false;
        if (!placed && phdr->p_offset < PAGE_ROOM)
            builder->bias = base - (phdr->p_vaddr - phdr->p_offset), placed = true;
        if (phdr->p_vaddr < builder->low)
            builder->low = phdr->p_vaddr;
        if (phdr->p_vaddr + phdr->p_memsz > builder->high)
            builder->high = phdr->p_vaddr + phdr->p_memsz;
        if (phdr->p_offset + phdr->p_filesz > builder->file_end)
            builder->file_end = phdr->p_offset + phdr->p_filesz;
    }
    return placed;
}

static bool offset_of(const struct builder *builder, uint64_t vaddr, uint64_t size,
                      uint64_t *offset)
{
    for (size_t i = 0; i < builder->header.e_phnum; i++) {
        const Elf64_Phdr *phdr = &builder->phdrs[i];
        uint64_t inside = vaddr - phdr->p_vaddr;
        if (phdr->p_type == PT_LOAD && vaddr >= phdr->p_vaddr && inside < phdr->p_filesz &&
            size <= phdr->p_filesz - inside) {
            *offset = phdr->p_offset + inside;
            return true;
        }
    }
    return false;
}

static uint32_t add_section(struct builder *builder, Elf64_Shdr section)
{
    ARRAY_RESERVE(builder->sections, builder->count, builder->capacity);
    builder->sections[builder->count++] = section;
    return (uint32_t)(builder->count - 1);
}

// Copies constants and code. Writable segments are left out: their contents may have changed.
static bool copy_segments(struct builder *builder)
{
    for (size_t i = 0; i < builder->header.e_phnum; i++) {
        const Elf64_Phdr *phdr = &builder->phdrs[i];
        uint64_t length = phdr->p_filesz;
        if (phdr->p_type != PT_LOAD || phdr->p_flags & PF_W)
            continue;
        if (phdr->p_flags & PF_X && phdr->p_offset >= PAGE_ROOM && length > CODE_MAX)
            length = CODE_MAX;
        if (length > MEMORY_IMAGE_COPY_MAX - builder->copied)
            length = MEMORY_IMAGE_COPY_MAX - builder->copied;
        builder->copied += length;
        if (!builder->host->copy(builder->host->context, phdr->p_vaddr + builder->bias,
                                 phdr->p_offset, length))
            return false;
        if (phdr->p_flags & PF_X)
            add_section(builder, (Elf64_Shdr){
                .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
                .sh_addr = phdr->p_vaddr, .sh_offset = phdr->p_offset, .sh_size = phdr->p_filesz,
                .sh_addralign = 1});
    }
    return true;
}

struct dynamic { // contents of PT_DYNAMIC as link-time addresses; 0: there is none
    uint64_t symbols, strings, strings_size, hash, gnu_hash;
};

// glibc adds the load bias to these pointers when it loads a file; musl and the vdso do not.
static uint64_t link_time(const struct builder *builder, uint64_t pointer)
{
    bool relocated = pointer - builder->bias >= builder->low &&
                     pointer - builder->bias < builder->high;
    return relocated ? pointer - builder->bias : pointer;
}

static void note_entry(const struct builder *builder, struct dynamic *dynamic,
                       const Elf64_Dyn *entry)
{
    const struct {
        int64_t tag;
        uint64_t *to;
    } wanted[] = {
        {DT_SYMTAB, &dynamic->symbols},
        {DT_STRTAB, &dynamic->strings},
        {DT_HASH, &dynamic->hash},
        {DT_GNU_HASH, &dynamic->gnu_hash},
    };
    if (entry->d_tag == DT_STRSZ)
        dynamic->strings_size = entry->d_un.d_val;
    for (size_t i = 0; i < ARRAY_LENGTH(wanted); i++)
        if (entry->d_tag == wanted[i].tag)
            *wanted[i].to = link_time(builder, entry->d_un.d_ptr);
}

static struct dynamic read_dynamic(const struct builder *builder)
{
    struct dynamic dynamic = {0};
    for (size_t i = 0; i < builder->header.e_phnum; i++) {
        const Elf64_Phdr *phdr = &builder->phdrs[i];
        size_t count = phdr->p_memsz / sizeof(Elf64_Dyn);
        if (phdr->p_type != PT_DYNAMIC || phdr->p_vaddr > UINT64_MAX / 2)
            continue;
        for (size_t k = 0; k < count && k < DYNAMIC_MAX; k++) {
            Elf64_Dyn entry;
            uint64_t address = phdr->p_vaddr + builder->bias + k * sizeof entry;
            if (!read_at(builder, address, &entry, sizeof entry) ||
                entry.d_tag == DT_NULL)
                break;
            note_entry(builder, &dynamic, &entry);
        }
    }
    return dynamic;
}

// Returns the highest of `count` words; 0 when they cannot be read.
static uint32_t highest_word(const struct builder *builder, uint64_t vaddr, uint32_t count)
{
    AUTO_FREE uint32_t *words = xmalloc(count * sizeof *words + 1);
    uint32_t highest = 0;
    if (!read_at(builder, vaddr + builder->bias, words, count * sizeof *words))
        return 0;
    for (uint32_t i = 0; i < count; i++)
        highest = words[i] > highest ? words[i] : highest;
    return highest;
}

// Counts the words before the first odd one, which ends a chain of the hash table. Returns
// SYMBOLS_MAX when the chain does not end.
static uint32_t chain_length(const struct builder *builder, uint64_t vaddr)
{
    uint32_t words[256], length = 0;
    while (length < SYMBOLS_MAX) {
        size_t got = builder->host->read(builder->host->context,
                                         vaddr + builder->bias + length * 4ull, words,
                                         sizeof words) / sizeof *words;
        for (size_t i = 0; i < got; i++, length++)
            if (words[i] & 1)
                return length;
        if (got < ARRAY_LENGTH(words))
            break;
    }
    return SYMBOLS_MAX;
}

// PT_DYNAMIC does not say how many symbols there are, so they are counted by DT_GNU_HASH: the end
// of the last chain is the end of the symbol table.
static uint32_t count_by_gnu_hash(const struct builder *builder, uint64_t table)
{
    uint32_t head[4]; // buckets, first hashed symbol, words of the Bloom filter, shift
    if (!read_at(builder, table + builder->bias, head, sizeof head) ||
        head[0] > SYMBOLS_MAX || head[1] > SYMBOLS_MAX || head[2] > SYMBOLS_MAX)
        return 0;
    uint64_t buckets = table + sizeof head + head[2] * 8ull, chains = buckets + head[0] * 4ull;
    uint32_t last = highest_word(builder, buckets, head[0]);
    if (last < head[1])
        return head[1]; // nothing is exported
    uint32_t more = chain_length(builder, chains + (last - head[1]) * 4ull);
    return more < SYMBOLS_MAX && last < SYMBOLS_MAX ? last + more + 1 : 0;
}

static uint32_t count_symbols(const struct builder *builder, const struct dynamic *dynamic)
{
    uint32_t count = 0;
    if (dynamic->hash &&
        read_at(builder, dynamic->hash + 4 + builder->bias, &count, sizeof count))
        return count <= SYMBOLS_MAX ? count : 0;
    return dynamic->gnu_hash ? count_by_gnu_hash(builder, dynamic->gnu_hash) : 0;
}

static void add_symbols(struct builder *builder)
{
    struct dynamic dynamic = read_dynamic(builder);
    Elf64_Shdr strings = {.sh_type = SHT_STRTAB, .sh_flags = SHF_ALLOC,
                          .sh_addr = dynamic.strings, .sh_size = dynamic.strings_size,
                          .sh_addralign = 1};
    Elf64_Shdr symbols = {.sh_type = SHT_DYNSYM, .sh_flags = SHF_ALLOC,
                          .sh_addr = dynamic.symbols, .sh_entsize = sizeof(Elf64_Sym),
                          .sh_addralign = 8, .sh_info = 1};
    symbols.sh_size = (uint64_t)count_symbols(builder, &dynamic) * sizeof(Elf64_Sym);
    if (!dynamic.symbols || !dynamic.strings || !symbols.sh_size ||
        !offset_of(builder, strings.sh_addr, strings.sh_size, &strings.sh_offset) ||
        !offset_of(builder, symbols.sh_addr, symbols.sh_size, &symbols.sh_offset))
        return;
    symbols.sh_link = add_section(builder, strings);
    add_section(builder, symbols);
}

// Adds the section headers. Sections have no names; readers find them by type.
static bool put_sections(struct builder *builder)
{
    Elf64_Ehdr *header = &builder->header;
    uint32_t names = add_section(builder, (Elf64_Shdr){
        .sh_type = SHT_STRTAB, .sh_offset = builder->file_end, .sh_size = 1, .sh_addralign = 1});
    header->e_shoff = (builder->file_end + 8) & ~7ull;
    header->e_shentsize = sizeof(Elf64_Shdr);
    header->e_shnum = (uint16_t)builder->count;
    header->e_shstrndx = (uint16_t)names;
    return put(builder, builder->file_end, "", 1) &&
           put(builder, header->e_shoff, builder->sections,
               builder->count * sizeof *builder->sections) &&
           put(builder, 0, header, sizeof *header) &&
           put(builder, header->e_phoff, builder->phdrs,
               header->e_phnum * sizeof *builder->phdrs);
}

enum rc memory_image_build(const struct memory_host *host, uint64_t base)
{
    AUTO_FREE struct builder *builder = xcalloc(1, sizeof *builder);
    builder->host = host;
    if (!read_headers(builder, base) || !place_segments(builder, base))
        return RC_FORMAT;
    add_section(builder, (Elf64_Shdr){0}); // section 0 is reserved
    bool made = copy_segments(builder);
    if (made) {
        add_symbols(builder);
        made = put_sections(builder);
    }
    free(builder->sections);
    return made ? RC_OK : RC_FAIL;
}

// --- writing the file

static enum rc (*build_elsewhere)(const struct memory_host *host, uint64_t base);

void memory_image_build_by(enum rc (*build)(const struct memory_host *host, uint64_t base))
{
    build_elsewhere = build;
}

struct copying { // copies memory to a file without a name
    const struct memory_source *source;
    int fd;
};

static size_t read_source(void *context, uint64_t address, void *to, size_t length)
{
    const struct copying *copying = context;
    return copying->source->read(copying->source->context, address, to, length);
}

static bool put_into_file(void *context, uint64_t offset, const void *bytes, size_t length)
{
    const struct copying *copying = context;
    return offset <= FILE_MAX * 2 &&
           pwrite(copying->fd, bytes, length, (off_t)offset) == (ssize_t)length;
}

// Copies memory to a place in the file, up to the first page that is not mapped.
static bool copy_into_file(void *context, uint64_t address, uint64_t offset, uint64_t length)
{
    AUTO_FREE unsigned char *piece = xmalloc(PIECE);
    while (length) {
        size_t part = length < PIECE ? (size_t)length : PIECE;
        size_t got = read_source(context, address, piece, part);
        if (!put_into_file(context, offset, piece, got))
            return false;
        if (got < part)
            return true;
        address += got;
        offset += got;
        length -= got;
    }
    return true;
}

static enum rc open_memfd(int *fd, struct err *err)
{
    *fd = memfd_create("ptprof-image", MFD_CLOEXEC);
    return *fd < 0 ? err_sys(err, RC_FAIL, errno, "no memory for a copy of it") : RC_OK;
}

enum rc memory_image_open(const struct memory_source *source, uint64_t base, struct image **image,
                          struct err *err)
{
    struct copying copying = {.source = source};
    const struct memory_host host = {&copying, read_source, copy_into_file, put_into_file};
    enum rc rc = open_memfd(&copying.fd, err);
    if (rc != RC_OK)
        return rc;
    rc = build_elsewhere ? build_elsewhere(&host, base) : memory_image_build(&host, base);
    if (rc == RC_OK)
        return image_open(copying.fd, image, err);
    close(copying.fd);
    return rc == RC_FORMAT ? err_set(err, rc, "there is no ELF header in memory either")
                           : err_set(err, rc, "no memory for a copy of it");
}

enum rc memory_image_copy(const struct memory_source *source, uint64_t start, uint64_t end,
                          struct image **image, struct err *err)
{
    struct copying copying = {.source = source};
    if (end <= start || end - start > VDSO_MAX)
        return err_set(err, RC_FORMAT, "its size is implausible");
    enum rc rc = open_memfd(&copying.fd, err);
    if (rc != RC_OK)
        return rc;
    if (copy_into_file(&copying, start, 0, end - start))
        return image_open(copying.fd, image, err);
    close(copying.fd);
    return err_set(err, RC_FAIL, "no memory for a copy of it");
}
