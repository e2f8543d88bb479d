// SPDX-License-Identifier: MIT
#include "heap/census_profile.h"

#include <inttypes.h>

#include "base/figures.h"
#include "base/mem.h"
#include "heap/heap_table.h"
#include "profile/block_profile.h"

static void put_comments(struct plain_profile *profile, const struct heap_census *census)
{
    AUTO_FREE char *of = xasprintf("blocks that process %d (%s) had, counted by ptprof heap",
                                   (int)census->pid, census->comm);
    plain_add_comment(profile, of);
    for (size_t i = 0; i < census->allocator_count; i++) {
        const struct heap_census_allocator *allocator = &census->allocators[i];
        AUTO_FREE char *line =
            xasprintf("%s%s%s: %" PRIu64 " bytes gone through, %" PRIu64 " of them not told",
                      allocator->name, *allocator->version ? " " : "", allocator->version,
                      allocator->quality.walked, allocator->quality.skipped);
        plain_add_comment(profile, line);
    }
    if (!census->complete)
        plain_add_comment(profile, BLOCK_PROFILE_INCOMPLETE);
}

struct plain_profile *census_profile(const struct heap_census *census)
{
    struct heap_table table;
    struct block_profile making;
    heap_table_init(&table, HEAP_BY_ALL);
    heap_table_add_census(&table, census, HEAP_NOW);
    heap_table_sort_texts(&table); // so that addresses do not depend on where blocks lie
    const struct block_program program = {
        .path = census->program ? census->program : "",
        .build_id = census->build_id,
        .start = census->program_start,
        .limit = census->program_limit,
        .offset = census->program_offset,
    };
    block_profile_begin(&making, census->time, &program);
    put_comments(making.profile, census);
    for (size_t i = 0; i < table.count; i++) {
        const struct heap_row *row = &table.rows[i];
        block_profile_add(&making, &(struct block_count){
            .allocator = heap_table_text(&table, row, HEAP_BY_ALLOCATOR),
            .arena = heap_table_text(&table, row, HEAP_BY_ARENA),
            .kind = heap_table_text(&table, row, HEAP_BY_KIND),
            .what = heap_table_text(&table, row, HEAP_BY_WHAT),
            .size = row->size,
            .blocks = row->at[HEAP_NOW].blocks,
            .bytes = row->at[HEAP_NOW].bytes,
        });
    }
    heap_table_fini(&table);
    return block_profile_end(&making);
}

enum rc census_write(const struct heap_census *census, const struct writer *writer, FILE *stream,
                     struct err *err)
{
    if (!census->allocator_count)
        return err_set(err, RC_ABSENT, "no allocator was found in %d that ptprof knows: there is "
                                       "no profile, but table and JSON have its mappings",
                       (int)census->pid);
    struct plain_profile *profile = census_profile(census);
    const struct writing writing = {.profile = profile};
    enum rc rc = writer->write(&writing, stream, err);
    plain_free(profile);
    return rc;
}
