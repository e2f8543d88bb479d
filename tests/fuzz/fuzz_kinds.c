// SPDX-License-Identifier: MIT
// What blocks are: the input is memory of this process, constants of a program and blocks at once,
// that lies always at the same address, so that its words can lead into it.
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "heap/kinds.h"

#define MEMORY 0x200000000000ull
#define MEMORY_BYTES (128u << 10)
#define CODE 0x210000000000ull
#define STEP 64u // bytes between two blocks

static struct heap_target target; // this process, as far as its mappings and memory go

static void require(bool good)
{
    if (!good)
        abort();
}

static void *map_at(uint64_t address, size_t size, int rights, int flags, int fd)
{
    void *mapped = mmap((void *)address, size, rights, MAP_FIXED_NOREPLACE | flags, fd, 0);
    require(mapped == (void *)address);
    return mapped;
}

static unsigned char *memory(void)
{
    static unsigned char *mapped;
    if (mapped)
        return mapped;
    int fd = memfd_create("constants", MFD_CLOEXEC);
    require(fd >= 0 && ftruncate(fd, MEMORY_BYTES) == 0);
    mapped = map_at(MEMORY, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
    map_at(CODE, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    close(fd);
    target.pid = target.tid = getpid();
    target.modules = modules_new(); // none: this program's file would be searched in each run
    target.space = space_new(modules_new(), target.pid, target.pid);
    require(heap_view_open(&target.view, target.pid, false, NULL) == RC_OK);
    require(heap_target_refresh(&target) == RC_OK);
    return mapped;
}

static void try_block(struct kinds *kinds, const unsigned char *at, uint64_t usable)
{
    size_t have = usable < BLOCK_HEAD ? usable : BLOCK_HEAD;
    AUTO_FREE unsigned char *bytes = xmalloc(have); // of exact size
    memcpy(bytes, at, have);
    const struct block block = {.address = (uint64_t)(uintptr_t)at, .usable = usable,
                                .taken = usable, .have = have, .bytes = bytes};
    uint32_t number = kinds_of(kinds, &block);
    require(number < KINDS_MAX && kinds_kind(kinds, number) < BLOCK_KIND_COUNT);
    require(strlen(kinds_name(kinds, number)) < KIND_NAMES_MAX);
    require(kinds_of(kinds, &block) == number);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    unsigned char *at = memory();
    length = length < MEMORY_BYTES ? length : MEMORY_BYTES;
    if (length)
        memcpy(at, bytes, length);
    struct kinds *kinds = kinds_new(&target);
    for (size_t i = 0; i + STEP <= length && i < 64 * STEP; i += STEP)
        try_block(kinds, at + i, i / STEP % 4 ? 8 * (i / STEP % 5 + 6) : length - i);
    kinds_free(kinds);
    memset(at, 0, length);
    return 0;
}

static void fill_up_to(struct buf *out, size_t length)
{
    while (out->length < length)
        buf_putc(out, '\0');
}

static void put_words(struct buf *out, size_t at, const uint64_t *words, size_t count)
{
    fill_up_to(out, at);
    buf_append(out, (const char *)words, count * sizeof *words);
}

// An object, an array, tables and descriptions, a class's and the ABI's.
static void put_classes(struct buf *out)
{
    static const char names[] = "N10__cxxabiv120__si_class_type_infoE\0.......N3zoo4CageIiEE";
    const uint64_t object[] = {MEMORY + 0x210, 7, 8};
    const uint64_t array[] = {2, MEMORY + 0x210, 7, MEMORY + 0x210, 8, 0};
    const uint64_t abi[] = {0, MEMORY + 0x280, 0, 0};
    const uint64_t class[] = {0, MEMORY + 0x2c0, CODE, CODE};
    const uint64_t abi_description[] = {MEMORY + 0x250, MEMORY + 0x300};
    const uint64_t description[] = {MEMORY + 0x250, MEMORY + 0x32c};
    put_words(out, 0x40, object, ARRAY_LENGTH(object));
    put_words(out, 0x80, array, ARRAY_LENGTH(array));
    put_words(out, 0x200, class, ARRAY_LENGTH(class));
    put_words(out, 0x240, abi, ARRAY_LENGTH(abi));
    put_words(out, 0x280, abi_description, ARRAY_LENGTH(abi_description));
    put_words(out, 0x2c0, description, ARRAY_LENGTH(description));
    fill_up_to(out, 0x300);
    buf_append(out, names, sizeof names);
}

// A tree of two nodes with its head, a list of two with its own, a text and a pattern.
static void put_containers(struct buf *out)
{
    const uint64_t nodes[][4] = {
        {0, MEMORY + 0x80, MEMORY + 0x80, MEMORY + 0xc0}, {1, MEMORY + 0x40, 0, MEMORY + 0xc0},
        {0, MEMORY + 0x80, 0, 0},
        {MEMORY + 0x140, MEMORY + 0x180, 2, 0},           {MEMORY + 0x180, MEMORY + 0x100, 5, 0},
        {MEMORY + 0x100, MEMORY + 0x140, 5, 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(nodes); i++)
        put_words(out, 0x40 + i * STEP, nodes[i], ARRAY_LENGTH(nodes[i]));
    fill_up_to(out, 0x40 + ARRAY_LENGTH(nodes) * STEP);
    buf_puts(out, "a text in gr\xc3\xbc\xc3\x9f" "e, and a word that is repeated: ");
    for (int i = 0; i < 20; i++)
        buf_append(out, "\1\2\3\4\5\6\7", 8);
}

// A node of a hash table, with a short key and with a long one.
static void put_hashed(struct buf *out)
{
    const uint64_t near[] = {0, MEMORY + 0x58, 3, 0x6f6f7a, 0, 7, 0x6a006776f9e982e6};
    const uint64_t far[] = {MEMORY + 0x40, MEMORY + 0x100, 26, 0, 0, 7, 0x31df87365820aa9b};
    put_words(out, 0x40, near, ARRAY_LENGTH(near));
    put_words(out, 0x80, far, ARRAY_LENGTH(far));
    fill_up_to(out, 0x100);
    buf_puts(out, "a key of more than fifteen");
    fill_up_to(out, 0x180);
}

bool fuzz_seed(size_t number, struct buf *out)
{
    static void (*const puts[])(struct buf *) = {put_classes, put_containers, put_hashed};
    if (number >= ARRAY_LENGTH(puts))
        return false;
    puts[number](out);
    return true;
}
