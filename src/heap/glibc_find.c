// SPDX-License-Identifier: MIT
// Where glibc's variables are. The main arena has no symbol in a stripped libc, but an empty bin of
// it points to itself; how far before the bins it begins differs, and the ring of arenas tells.
// mp_ has no pointer to itself: its numbers have to agree with each other.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/glibc.h"
#include "heap/version_text.h"

#define BINS 127u
#define BINS_BYTES (16 * BINS + 16) // with the bitmap behind them
#define NEXT_AT BINS_BYTES          // from the bins
#define SYSTEM_AT (NEXT_AT + 24)
#define ARENA_BYTES GLIBC_ARENA_BYTES
#define HEAD_MAX 0x70u               // bytes of an arena before its bins
#define TRIES_MAX 256u
#define TORN_MAX 2u

// Bytes of an arena before `top`: 2.27 and later, 2.26, and those without fast bins.
static const uint8_t tops_at[] = {0x60, 0x58, 0x10, 0x08};

// Offsets in mp_: glibc 2.26 on, 2.35 on, 2.43 on.
static const struct parameter_layout {
    uint8_t huge_page, mapped_blocks, mapped_bytes, sbrk_base, bins; // huge_page 0: it has none
} layouts[] = {{0, 40, 56, 72, 80}, {48, 60, 80, 96, 104}, {56, 68, 88, 104, 112}};

#define PARAMETERS_BYTES 144u

// Returns how many of the bins are empty; 0 when they cannot be bins. One or two may just be in
// the middle of a change.
static unsigned empty_bins(const unsigned char *bins, uint64_t address)
{
    unsigned empty = 0, torn = 0;
    for (unsigned k = 0; k < BINS; k++) {
        uint64_t self = address + 16 * k - 16;
        uint64_t first = glibc_word(bins, 16 * k), last = glibc_word(bins, 16 * k + 8);
        if (!first || !last || (first | last) % 8)
            return 0;
        torn += (first == self) != (last == self);
        empty += first == self && last == self;
    }
    return torn <= TORN_MAX ? empty : 0;
}

static bool are_bins(const struct glibc_books *books, uint64_t address)
{
    unsigned char bytes[BINS_BYTES];
    return heap_view_read(&books->target->view, address, bytes, sizeof bytes) &&
           empty_bins(bytes, address);
}

bool glibc_arena_read(const struct glibc_books *books, uint64_t address, struct glibc_arena *arena)
{
    unsigned char bytes[HEAD_MAX + ARENA_BYTES];
    size_t head = books->top_at + 16;
    if (address % 8 ||
        !heap_view_read(&books->target->view, address, bytes, head + ARENA_BYTES))
        return false;
    const unsigned char *bins = bytes + head;
    *arena = (struct glibc_arena){
        .address = address,
        .bins = address + head,
        .top = glibc_word(bytes, books->top_at),
        .next = glibc_word(bins, NEXT_AT),
        .system = glibc_word(bins, SYSTEM_AT),
        .noncontiguous = bytes[4] & 2,
    };
    if (head > sizeof arena->fast)
        memcpy(arena->fast, bytes + books->top_at - sizeof arena->fast, sizeof arena->fast);
    return empty_bins(bins, arena->bins) > 0;
}

// Finds out where an arena begins whose bins are at `bins`: the arena behind it in the ring, which
// may be itself, has bins as far from its beginning.
static bool is_main(struct glibc_books *books, const unsigned char *bytes, uint64_t bins)
{
    uint64_t next = glibc_word(bytes, NEXT_AT);
    for (size_t i = 0; i < ARRAY_LENGTH(tops_at); i++) {
        uint64_t start = bins - 16 - tops_at[i];
        if (next != start && !are_bins(books, next + tops_at[i] + 16))
            continue;
        books->top_at = tops_at[i];
        struct glibc_arena *arena = xmalloc(sizeof *arena);
        if (glibc_arena_read(books, start, arena)) {
            books->arenas = arena;
            books->arena_count = books->arena_capacity = 1;
            return true;
        }
        free(arena);
    }
    return false;
}

// An empty bin is at `at`; it may be any of them.
static bool try_bin(struct glibc_books *books, uint64_t at)
{
    unsigned char bytes[ARENA_BYTES];
    for (unsigned k = 0; k < BINS; k++) {
        uint64_t bins = at - 16 * k;
        if (heap_view_read(&books->target->view, bins, bytes, sizeof bytes) &&
            empty_bins(bytes, bins) && is_main(books, bytes, bins))
            return true;
    }
    return false;
}

// Returns whether an arena that was never used is there: it is its own neighbour.
static bool is_unused(const unsigned char *bytes, uint64_t at)
{
    uint64_t next = glibc_word(bytes, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(tops_at); i++)
        if (next == at - NEXT_AT - 16 - tops_at[i] && glibc_word(bytes, 16) == 1)
            return true;
    return false;
}

static bool search_region(struct glibc_books *books, const struct proc_map *map, bool *unused)
{
    struct heap_view *view = &books->target->view;
    unsigned tries = 0;
    for (uint64_t at = map->start; at + 24 <= map->end && tries < TRIES_MAX; at += 8) {
        const unsigned char *bytes = heap_view_window(view, at, 24, map->end);
        if (!bytes) {
            at = (at | 4095) + 1 - 8;
            continue;
        }
        *unused |= is_unused(bytes, at);
        if (glibc_word(bytes, 0) != at - 16 || glibc_word(bytes, 8) != at - 16)
            continue;
        tries++;
        if (try_bin(books, at))
            return true;
    }
    return false;
}

static bool is_library(const struct proc_map *map)
{
    const char *slash = strrchr(map->path, '/');
    return slash && (strncmp(slash, "/libc.so.6", 10) == 0 || strncmp(slash, "/libc-2.", 8) == 0);
}

static const char *executable_path(const struct heap_target *target)
{
    const struct mapping *main = target->modules ? modules_main(target->modules) : NULL;
    return main ? main->module->path : "";
}

// What follows the data of a file without a gap are its variables that begin as zeros.
static uint64_t data_end(const struct regions *regions, size_t at)
{
    uint64_t end = regions->list[at].end;
    for (size_t i = at + 1; i < regions->count; i++) {
        const struct proc_map *map = &regions->list[i];
        if (map->start != end || !map->writable || map->path[0])
            break;
        end = map->end;
    }
    return end;
}

// Searches the data of libc, or of the executable, which may be linked with it.
static bool find_main(struct glibc_books *books, bool library, bool *seen, bool *unused)
{
    const struct regions *regions = &books->target->regions;
    const char *executable = executable_path(books->target);
    for (size_t i = 0; i < regions->count; i++) {
        const struct proc_map *map = &regions->list[i];
        if (!map->writable || map->shared || !map->path[0] ||
            (library ? !is_library(map) : strcmp(map->path, executable) != 0))
            continue;
        *seen = true;
        if (!search_region(books, map, unused))
            continue;
        books->data_start = map->start;
        books->data_end = data_end(regions, i);
        return true;
    }
    return false;
}

static bool in_heap(const struct glibc_books *books, uint64_t address)
{
    const struct proc_map *map = heap_target_region(books->target, address);
    return map && strcmp(map->path, "[heap]") == 0;
}

static uint32_t small_word(const unsigned char *bytes, size_t at)
{
    uint32_t value;
    memcpy(&value, bytes + at, sizeof value);
    return value;
}

// trim_threshold, top_pad, mmap_threshold, arena_test and arena_max lead it; of blocks with
// mappings it has a number, a limit, the largest number and a flag, then bytes and the most bytes.
static bool are_parameters(const struct glibc_books *books, const unsigned char *bytes,
                           const struct parameter_layout *layout)
{
    uint32_t blocks = small_word(bytes, layout->mapped_blocks);
    uint64_t mapped = glibc_word(bytes, layout->mapped_bytes);
    uint64_t base = glibc_word(bytes, layout->sbrk_base);
    bool defaults = small_word(bytes, layout->mapped_blocks + 4u) == 65536 &&
                    glibc_word(bytes, 24) == 8;
    return glibc_word(bytes, 16) && glibc_word(bytes, 16) <= 1ull << 40 &&
           small_word(bytes, layout->mapped_blocks + 8u) >= blocks &&
           small_word(bytes, layout->mapped_blocks + 12u) <= 1 && mapped % 4096 == 0 &&
           mapped <= glibc_word(bytes, layout->mapped_bytes + 8u) && !blocks == !mapped &&
           (in_heap(books, base) ? base % 16 == 0 : defaults && !base) &&
           glibc_word(bytes, layout->bins) <= 128 &&
           glibc_word(bytes, layout->bins + 8u) <= 1u << 24 &&
           glibc_word(bytes, layout->bins + 16u) <= 65535;
}

static bool take_parameters(struct glibc_books *books, const unsigned char *bytes, uint64_t at)
{
    for (size_t i = 0; i < ARRAY_LENGTH(layouts); i++) {
        const struct parameter_layout *layout = &layouts[i];
        if (!are_parameters(books, bytes, layout))
            continue;
        uint64_t huge = layout->huge_page ? glibc_word(bytes, layout->huge_page) : 0;
        books->parameters = (struct glibc_parameters){
            .address = at,
            .sbrk_base = glibc_word(bytes, layout->sbrk_base),
            .huge_page = huge >= 1u << 16 && huge <= 1u << 30 && !(huge & (huge - 1)) ? huge : 0,
            .mapped_bytes = glibc_word(bytes, layout->mapped_bytes),
            .mapped_blocks = small_word(bytes, layout->mapped_blocks),
        };
        return true;
    }
    return false;
}

static void find_parameters(struct glibc_books *books)
{
    struct heap_view *view = &books->target->view;
    for (uint64_t at = books->data_start; at + PARAMETERS_BYTES <= books->data_end; at += 8) {
        const unsigned char *bytes =
            heap_view_window(view, at, PARAMETERS_BYTES, books->data_end);
        if (bytes && take_parameters(books, bytes, at))
            return;
    }
}

static void read_version(struct glibc_books *books)
{
    unsigned major = 0, minor = 0;
    char *text = books->version_text;
    if (books->target->space &&
        version_text_glibc(books->target, books->data_start, text, sizeof books->version_text) &&
        sscanf(text, "%3u.%3u", &major, &minor) == 2)
        books->version = major * 100 + minor;
}

bool glibc_find(struct glibc_books *books, struct buf *why)
{
    bool seen = false, unused = false, ignored = false;
    heap_view_forget(&books->target->view);
    if (!find_main(books, true, &seen, &unused) && !find_main(books, false, &ignored, &unused)) {
        if (seen && !unused)
            buf_puts(why, "glibc: no arena in the data of libc: no bins there point to "
                          "themselves, nor does an unused one\n");
        return false;
    }
    read_version(books);
    find_parameters(books);
    if (!books->parameters.address)
        buf_puts(why, "glibc: mp_ was not found: no numbers in libc's data agree as its do; "
                      "blocks with mappings of their own are not counted for certain\n");
    return true;
}
