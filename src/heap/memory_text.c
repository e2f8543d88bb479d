// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/figures.h"
#include "base/mem.h"
#include "heap/memory_print.h"

#define BAR 20          // columns
#define BAR_WATCHING 12 // beside the columns of growth, in place of what is swapped: 80 in all
#define FILES_SHOWN 8   // with the most of their pages resident

// --- values ---

static const char *size_text(uint64_t bytes, char text[FIGURES_MOST])
{
    if (bytes == MEMORY_UNKNOWN)
        strcpy(text, "?");
    else
        figures_bytes(bytes, 'B', text);
    return text;
}

static const char *limit_text(uint64_t bytes, char text[FIGURES_MOST])
{
    return bytes == MEMORY_NO_LIMIT ? "no limit" : size_text(bytes, text);
}

static const char *growth_text(uint64_t before, uint64_t now, char text[FIGURES_MOST])
{
    if (before == MEMORY_UNKNOWN || now == MEMORY_UNKNOWN)
        return "?";
    return figures_value((int64_t)(now - before), "bytes", true, text);
}

// Puts "name 12M" for each, with commas between.
struct named_size {
    const char *name;
    uint64_t bytes;
};

static void put_named(struct buf *out, const struct named_size *sizes, size_t count)
{
    char text[FIGURES_MOST];
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%s %s", i ? ", " : "  ", sizes[i].name, size_text(sizes[i].bytes, text));
    buf_putc(out, '\n');
}

// --- the process ---

static void put_head(struct buf *out, const struct memory_use *use,
                     const struct memory_style *style)
{
    const uint64_t *bytes = use->status.bytes;
    char text[FIGURES_MOST];
    escape_text(out, use->comm);
    buf_printf(out, " (%d), %" PRIu64 " thread%s", (int)use->pid, use->status.threads,
               use->status.threads == 1 ? "" : "s");
    if (style->watching)
        buf_printf(out, ", look %" PRIu64 ", %s after the first", style->looks,
                   figures_duration(style->since_first, text));
    buf_putc(out, '\n');
    const struct named_size first[] = {
        {"resident", bytes[MEMORY_RSS]}, {"peak", bytes[MEMORY_PEAK_RSS]},
        {"swapped", bytes[MEMORY_SWAP]}, {"mapped", bytes[MEMORY_SIZE]},
        {"page tables", bytes[MEMORY_PAGE_TABLES]},
    };
    const struct named_size second[] = {
        {"anonymous", bytes[MEMORY_ANONYMOUS]}, {"file", bytes[MEMORY_FILE]},
        {"shared", bytes[MEMORY_SHARED]},
        {"huge pages", use->mappings_why ? MEMORY_UNKNOWN : use->all.huge},
        {"hugetlb", bytes[MEMORY_HUGETLB]}, {"locked", bytes[MEMORY_LOCKED]},
        {"pss", style->pss && !use->mappings_why ? use->all.pss : MEMORY_UNKNOWN},
    };
    put_named(out, first, ARRAY_LENGTH(first));
    put_named(out, second, ARRAY_LENGTH(second) - !style->pss);
}

// --- by kind ---

// '#' is what there is; '+' that of it which came since the first look.
static void put_bar(struct buf *out, unsigned width, uint64_t before, uint64_t now, uint64_t all)
{
    bool known = now != MEMORY_UNKNOWN && all != MEMORY_UNKNOWN && all;
    uint64_t old = before == MEMORY_UNKNOWN || before > now ? now : before;
    unsigned full = known ? (unsigned)((double)now / (double)all * width + 0.5) : 0;
    unsigned stays = known ? (unsigned)((double)old / (double)all * width + 0.5) : 0;
    for (unsigned i = 0; i < width; i++)
        buf_putc(out, i < stays ? '#' : i < full ? '+' : ' ');
}

static unsigned bar_width(const struct memory_style *style)
{
    return style->watching ? BAR_WATCHING : BAR;
}

static uint64_t resident_of(const struct memory_use *use, enum mapping_kind kind)
{
    return use && !use->mappings_why ? use->kinds[kind].resident : MEMORY_UNKNOWN;
}

static void put_kind(struct buf *out, const struct memory_use *use,
                     const struct memory_style *style, enum mapping_kind kind)
{
    const struct memory_sizes *sizes = &use->kinds[kind];
    char text[FIGURES_MOST];
    uint64_t first = resident_of(style->first, kind), last = resident_of(style->last, kind);
    uint64_t now = sizes->resident, all = use->all.resident;
    buf_printf(out, "%-18s %8s", mapping_kind_rows[kind].words, size_text(now, text));
    if (style->pss)
        buf_printf(out, " %8s", size_text(sizes->pss, text));
    buf_putc(out, ' ');
    put_bar(out, bar_width(style), style->first ? first : MEMORY_UNKNOWN, now, all);
    buf_printf(out, " %8s", size_text(sizes->size, text));
    if (!style->watching)
        buf_printf(out, " %8s", size_text(sizes->swapped, text));
    buf_printf(out, " %8" PRIu64, sizes->mappings);
    if (style->watching) {
        buf_printf(out, " %9s", style->last ? growth_text(last, now, text) : "");
        buf_printf(out, " %9s", style->first ? growth_text(first, now, text) : "");
    }
    buf_putc(out, '\n');
}

static void put_stacks(struct buf *out, const struct memory_use *use)
{
    const struct memory_sizes *sizes = &use->kinds[MAPPING_THREAD_STACKS];
    char resident[FIGURES_MOST], size[FIGURES_MOST];
    size_t count = use->stacks.found + use->stacks.by_size;
    if (!count)
        return;
    buf_printf(out, "  %zu thread stack%s: %s resident", count, count == 1 ? "" : "s",
               size_text(sizes->resident, resident));
    buf_printf(out, " of %s reserved", size_text(sizes->size, size));
    if (use->stacks.by_size)
        buf_printf(out, " (%zu known by guard and size)", use->stacks.by_size);
    buf_putc(out, '\n');
}

static void put_kinds(struct buf *out, const struct memory_use *use,
                      const struct memory_style *style)
{
    char text[FIGURES_MOST];
    buf_printf(out, "\n%-18s %8s%s %-*s %8s%s %8s%s\n", "KIND", "RESIDENT",
               style->pss ? "      PSS" : "", (int)bar_width(style), "", "SIZE",
               style->watching ? "" : "  SWAPPED", "MAPPINGS",
               style->watching ? "    GROWTH    IN ALL" : "");
    for (enum mapping_kind kind = 0; kind < MAPPING_KIND_COUNT; kind++)
        if (use->kinds[kind].mappings)
            put_kind(out, use, style, kind);
    put_stacks(out, use);
    if (use->resident_why)
        buf_printf(out, "  resident: %s\n", use->resident_why);
    if (use->left_over != MAPPING_KIND_COUNT)
        buf_printf(out, "  %s: what the other kinds leave of the process's resident memory\n",
                   mapping_kind_rows[use->left_over].words);
    if (use->took.smaps)
        buf_printf(out, "  smaps took %s, during which the process could have to wait to map "
                        "memory\n",
                   figures_duration(use->took.smaps, text));
}

// --- by file and by mapping ---

static void put_files(struct buf *out, const struct memory_use *use,
                      const struct memory_style *style)
{
    char text[FIGURES_MOST];
    size_t shown = use->file_count < FILES_SHOWN ? use->file_count : FILES_SHOWN;
    if (!shown)
        return;
    buf_printf(out, "\n%8s%s %8s  FILE\n", "RESIDENT", style->pss ? "      PSS" : "", "SIZE");
    for (size_t i = 0; i < shown; i++) {
        const struct memory_file *file = &use->files[i];
        buf_printf(out, "%8s", size_text(file->sizes.resident, text));
        if (style->pss)
            buf_printf(out, " %8s", size_text(file->sizes.pss, text));
        buf_printf(out, " %8s  ", size_text(file->sizes.size, text));
        escape_text(out, file->path);
        buf_putc(out, '\n');
    }
    if (shown < use->file_count)
        buf_printf(out, "%*s  and %zu more; --json has all\n", style->pss ? 26 : 17, "",
                   use->file_count - shown);
}

struct listed { // a mapping
    const struct proc_map *map;
    const struct memory_sizes *sizes;
    enum mapping_kind kind;
};

static int by_resident(const void *left, const void *right)
{
    const struct listed *a = left, *b = right;
    if (a->sizes->resident != b->sizes->resident)
        return a->sizes->resident > b->sizes->resident ? -1 : 1;
    return a->map->start < b->map->start ? -1 : a->map->start > b->map->start;
}

static void put_mapping(struct buf *out, const struct listed *listed)
{
    const struct proc_map *map = listed->map;
    const uint64_t sizes[] = {listed->sizes->resident, listed->sizes->pss, listed->sizes->swapped,
                              listed->sizes->size};
    char text[FIGURES_MOST];
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++)
        buf_printf(out, "%8s ", size_text(sizes[i], text));
    buf_printf(out, " %-18s %012" PRIx64 " %c%c%c%c", mapping_kind_rows[listed->kind].words,
               map->start, map->readable ? 'r' : '-', map->writable ? 'w' : '-',
               map->executable ? 'x' : '-', map->shared ? 's' : 'p');
    buf_puts(out, *map->path ? " " : "");
    escape_text(out, map->path);
    buf_putc(out, '\n');
}

static void put_mappings(struct buf *out, const struct memory_use *use)
{
    AUTO_FREE struct listed *list = xcalloc(use->map_count + 1, sizeof *list);
    for (size_t i = 0; i < use->map_count; i++)
        list[i] = (struct listed){&use->maps[i], &use->sizes[i], use->uses[i].kind};
    qsort(list, use->map_count, sizeof *list, by_resident);
    buf_printf(out, "\n%8s %8s %8s %8s  %-18s %-12s PERM PATH\n", "RESIDENT", "PSS", "SWAPPED",
               "SIZE", "KIND", "START");
    for (size_t i = 0; i < use->map_count; i++)
        put_mapping(out, &list[i]);
}

// --- the cgroup ---

static void put_group(struct buf *out, const struct memory_group *group)
{
    char text[FIGURES_MOST];
    const uint64_t *figures = group->figures;
    buf_puts(out, "\ncgroup ");
    escape_text(out, group->path ? group->path : "?");
    if (group->why) {
        buf_printf(out, ": %s\n", group->why);
        return;
    }
    buf_printf(out, ": %s in use", size_text(figures[MEMORY_GROUP_USE], text));
    buf_printf(out, " of %s", limit_text(group->lowest_limit, text));
    if (group->limit_path && strcmp(group->limit_path, group->path)) {
        buf_puts(out, " (set for ");
        escape_text(out, group->limit_path);
        buf_putc(out, ')');
    }
    if (figures[MEMORY_GROUP_HIGH] < MEMORY_NO_LIMIT)
        buf_printf(out, ", throttled from %s", size_text(figures[MEMORY_GROUP_HIGH], text));
    if (figures[MEMORY_GROUP_SWAP] != MEMORY_UNKNOWN)
        buf_printf(out, ", swap %s", size_text(figures[MEMORY_GROUP_SWAP], text));
    if (figures[MEMORY_GROUP_OOM_KILLS] != MEMORY_UNKNOWN)
        buf_printf(out, ", %" PRIu64 " OOM kills", figures[MEMORY_GROUP_OOM_KILLS]);
    if (!group->pressure_why)
        buf_printf(out, ", waited for memory %.2f %% of the last 10 s, all at once %.2f %%",
                   group->some.percent[0], group->full.percent[0]);
    buf_putc(out, '\n');
}

// --- allocators ---

static void put_allocator(struct buf *out, const struct memory_allocator *allocator)
{
    const struct heap_figures *figures = &allocator->figures;
    double fragmentation = memory_fragmentation(figures);
    char text[FIGURES_MOST];
    buf_printf(out, "\n%s%s%s:", allocator->name, *allocator->version ? " " : "",
               allocator->version);
    for (size_t i = 0, shown = 0; i < FIGURE_COUNT; i++) {
        const struct heap_figure_row *row = &heap_figure_rows[i];
        if (!figures->known[i])
            continue;
        AUTO_FREE char *name = xstrdup(row->key);
        for (char *at = name; (at = strchr(at, '_')) != NULL;)
            *at = ' ';
        buf_printf(out, "%s %s %s", shown++ ? "," : "", name,
                   figures_value((int64_t)figures->value[i], row->unit, false, text));
    }
    if (fragmentation >= 0)
        buf_printf(out, ", fragmentation %.1f %%", fragmentation);
    buf_putc(out, '\n');
}

static void put_allocators(struct buf *out, const struct memory_use *use)
{
    for (size_t i = 0; i < use->allocator_count; i++)
        put_allocator(out, &use->allocators[i]);
    if (!use->allocator_count)
        buf_puts(out, "\nno allocator's books could be read; its memory is in the kinds above\n");
    for (const char *line = use->allocators_why; line && *line;) {
        size_t length = strcspn(line, "\n");
        AUTO_FREE char *one = xstrndup(line, length);
        buf_puts(out, "  ");
        escape_text(out, one + strspn(one, " "));
        buf_putc(out, '\n');
        line += length + (line[length] == '\n');
    }
}

void memory_text(struct buf *out, const struct memory_use *use, const struct memory_style *style)
{
    put_head(out, use, style);
    if (use->mappings_why)
        buf_printf(out, "\nby kind, allocators: %s\n", use->mappings_why);
    else
        put_kinds(out, use, style);
    if (style->maps && use->sizes)
        put_mappings(out, use);
    else
        put_files(out, use, style);
    put_group(out, &use->group);
    if (!use->mappings_why)
        put_allocators(out, use);
}

// --- lines ---

static void put_growth(struct buf *out, const char *name, uint64_t last, uint64_t first,
                       uint64_t now)
{
    char text[FIGURES_MOST];
    buf_printf(out, "  %s %s", name, size_text(now, text));
    buf_printf(out, " %s", growth_text(last, now, text));
    buf_printf(out, " %s", growth_text(first, now, text));
}

void memory_line(struct buf *out, const struct memory_use *use, const struct memory_style *style)
{
    const struct memory_use *last = style->last ? style->last : use;
    const struct memory_use *first = style->first ? style->first : use;
    char text[FIGURES_MOST];
    buf_puts(out, figures_duration(style->since_first, text));
    put_growth(out, "resident", last->status.bytes[MEMORY_RSS], first->status.bytes[MEMORY_RSS],
               use->status.bytes[MEMORY_RSS]);
    for (enum mapping_kind kind = 0; kind < MAPPING_KIND_COUNT; kind++) {
        uint64_t now = resident_of(use, kind), before = resident_of(first, kind);
        bool moved = now != before || now != resident_of(last, kind);
        if (moved && kind != MAPPING_KERNEL) // of that all processes have the same pages
            put_growth(out, mapping_kind_rows[kind].words, resident_of(last, kind), before, now);
    }
    buf_putc(out, '\n');
}
