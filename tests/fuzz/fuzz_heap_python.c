// SPDX-License-Identifier: MIT
// A CPython that this program pretends to be: the input is its types, its table of arenas, a pool
// and what it holds, at an address that is always the same, so that its words can lead into it.
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "heap/kinds.h"
#include "symbol/headers.h"

#define MEMORY 0x200000000000ull
#define TABLE (MEMORY + 0x4000)
#define MEMORY_BYTES (64u << 10)
#define POOL_BYTES 4096u
#define ARENA_BYTES (64 * POOL_BYTES)
#define ARENA 0x210000000000ull
#define TYPE_BYTES 408u
#define BLOCK 64u
#define FLAGS (168u / 8)
#define OLDEST 8u // 3.8
#define VERSIONS 6u
#define TYPE 0x4545505954505954ull // stand for the addresses of the two types, which are not always
#define STR 0x5254535f45505954ull  // the same
#define TEXT (ARENA + 48 + 2 * BLOCK)

// By these names they are found; what the input says of them is copied here.
uint64_t PyType_Type[TYPE_BYTES / 8], PyUnicode_Type[TYPE_BYTES / 8];
uint64_t Py_Version;
uint64_t arenas = TABLE;

static struct heap_target target; // this process, as far as its mappings and memory go
static struct kinds *kinds;

static void require(bool good)
{
    if (!good)
        abort();
}

static void map_at(uint64_t address, size_t size)
{
    void *mapped = mmap((void *)(uintptr_t)address, size, PROT_READ | PROT_WRITE,
                        MAP_FIXED_NOREPLACE | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(mapped == (void *)(uintptr_t)address);
}

static void open_target(void)
{
    bool changed;
    if (target.pid)
        return;
    map_at(MEMORY, MEMORY_BYTES);
    map_at(ARENA, ARENA_BYTES);
    target.pid = target.tid = getpid();
    headers_isolate();
    target.modules = modules_new();
    target.space = space_new(target.modules, target.pid, target.pid);
    require(space_refresh(target.space, target.pid, &changed) == RC_OK);
    require(heap_view_open(&target.view, target.pid, false, NULL) == RC_OK);
    require(heap_target_refresh(&target) == RC_OK);
}

struct walked {
    void *state; // of the recognizer
    uint64_t bytes;
};

static bool visit(void *context, const struct block *block)
{
    struct walked *walked = context;
    uint32_t number = recognizer_python.recognize(walked->state, block);
    require(number < KINDS_MAX && kinds_kind(kinds, number) < BLOCK_KIND_COUNT);
    require(block->have <= block->usable && block->have <= BLOCK_HEAD);
    walked->bytes += block->taken;
    return true;
}

static void translate(uint64_t *words, size_t size)
{
    for (size_t i = 0; i < size / sizeof *words; i++)
        if (words[i] == TYPE || words[i] == STR)
            words[i] = (uint64_t)(uintptr_t)(words[i] == TYPE ? PyType_Type : PyUnicode_Type);
}

// The first byte is the minor version, then come the types, each to its place, the memory, and a
// pool's worth of the arena.
static void place(const uint8_t *bytes, size_t length)
{
    const struct {
        uint64_t *to;
        size_t size;
    } parts[] = {
        {PyType_Type, TYPE_BYTES},
        {PyUnicode_Type, TYPE_BYTES},
        {(uint64_t *)MEMORY, 0x6000},
        {(uint64_t *)ARENA, 4 * POOL_BYTES},
    };
    Py_Version = 3u << 24 | (OLDEST + (length ? bytes[0] % VERSIONS : 0)) << 16;
    size_t at = length > 0;
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        size_t size = length - at < parts[i].size ? length - at : parts[i].size;
        memset(parts[i].to, 0, parts[i].size);
        memcpy(parts[i].to, bytes + at, size);
        translate(parts[i].to, parts[i].size);
        at += size;
    }
    PyType_Type[1] = (uint64_t)(uintptr_t)PyType_Type; // or there is no CPython
    memcpy(&PyType_Type[3], &(uint64_t){(uint64_t)(uintptr_t)"type"}, 8);
}

// All that is learnt of the memory is forgotten when mappings are read anew; the version is not.
static void *state_of_version(void)
{
    static void *states[VERSIONS];
    void **state = &states[(Py_Version >> 16 & 0xff) - OLDEST];
    heap_view_forget(&target.view);
    target.readings++;
    if (!kinds)
        kinds = kinds_new(&target);
    if (!*state)
        *state = recognizer_python.begin(kinds, &target);
    return *state;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    open_target();
    place(bytes, length);
    AUTO_BUF struct buf why = {0};
    struct walked walked = {.state = state_of_version()};
    struct walk_quality quality = {0};
    struct heap_figures figures = {0};
    void *books = allocator_pymalloc.find(&target, &why);
    if (books) {
        allocator_pymalloc.count(books, &figures);
        allocator_pymalloc.walk(books, &(struct block_visitor){&walked, visit}, &quality);
        allocator_pymalloc.free(books);
        require(walked.bytes <= quality.walked && quality.walked <= MEMORY_BYTES + ARENA_BYTES);
    }
    return 0;
}

static void fill_up_to(struct buf *out, size_t end)
{
    while (out->length < end)
        buf_putc(out, '\0');
}

static void put(struct buf *out, const uint64_t *words, size_t count, size_t end)
{
    buf_append(out, words, count * sizeof *words);
    fill_up_to(out, end);
}

// An int, a tuple, keys with a key, a text, values, and what debugging puts in front.
static void put_blocks(struct buf *out, size_t *end)
{
    const uint64_t type = MEMORY;
    const uint64_t blocks[][BLOCK / 8] = {
        {1, type, 1, 7},
        {ARENA, ARENA, 1, type + 0x200, 0},
        {1, STR, 10, 1, 0xe4, 0, 0x656c75646f6d5f5f, 0x5f5f},
        {1, 0x010303, 4, 1, 0xffffffffffffff00, TEXT, TEXT, 0},
        {0x0802010000000000, ARENA, ARENA, 0},
        {24ull << 56, 0xfdfdfdfdfdfdfd00 | 'o', 1, type, 5},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(blocks); i++)
        put(out, blocks[i], BLOCK / 8, *end += BLOCK);
}

static void put_types(struct buf *out, size_t *end)
{
    uint64_t words[TYPE_BYTES / 8] = {1, TYPE, 0, MEMORY + 0x1000, 24};
    words[FLAGS] = 1u << 12 | 1u << 31;
    put(out, words, ARRAY_LENGTH(words), *end += TYPE_BYTES);
    put(out, words, ARRAY_LENGTH(words), *end += TYPE_BYTES);
    size_t memory = *end; // a type that is none of a class, one of a class, and their name
    words[FLAGS] = 1u << 12;
    put(out, words, ARRAY_LENGTH(words), *end = memory + 0x200);
    words[FLAGS] = 1u << 12 | 1u << 14 | 1u << 9;
    words[264 / 8] = MEMORY + 0x800; // its dict
    const uint64_t qualified[] = {TEXT, TEXT}; // where it is in 3.9 and in 3.11
    put(out, words, ARRAY_LENGTH(words), memory + 0x200 + 856);
    put(out, qualified, ARRAY_LENGTH(qualified), *end = memory + 0x800);
    const uint64_t dict[] = {1, 0, 1, 0, TEXT + BLOCK};
    put(out, dict, ARRAY_LENGTH(dict), *end = memory + 0x1000);
    buf_puts(out, "name");
    fill_up_to(out, *end = memory + TABLE - MEMORY);
    const uint64_t entry[] = {ARENA, ARENA + POOL_BYTES, 64ull << 32 | 63, 0, 0, 0};
    put(out, entry, ARRAY_LENGTH(entry), *end = memory + 0x6000);
}

bool fuzz_seed(size_t number, struct buf *out)
{
    size_t end = 1;
    if (number >= VERSIONS)
        return false;
    buf_putc(out, (char)number);
    put_types(out, &end);
    const uint64_t pool[] = {6, 0, 0, 0, (uint64_t)(BLOCK / 16 - 1) << 32,
                             (uint64_t)(POOL_BYTES - BLOCK) << 32 | (48 + 6 * BLOCK)};
    put(out, pool, ARRAY_LENGTH(pool), end += sizeof pool);
    put_blocks(out, &end);
    return true;
}
