// SPDX-License-Identifier: MIT
#include "fixture_census.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static const struct {
    uint32_t allocator, arena;
    enum block_kind kind;
    const char *name;
    uint64_t size, count, bytes, example;
} rows[] = {
    {0, 0, BLOCK_CLASS, "Session", 56, 2000000, 128000000, 0x1000},
    {0, 1, BLOCK_CLASS, "Session", 56, 1000, 64000, 0x7f0000001000},
    {0, 0, BLOCK_CLASS, "std::vector<Order, evil;\033[31m>", 24, 3, 96, 0x2000},
    {0, 0, BLOCK_UNKNOWN, "", 56, 500, 32000, 0x3000},
    {0, 1, BLOCK_UNKNOWN, "", 1280, 7, 8800, 0x7f0000002000},
    {0, 0, BLOCK_TEXT, "", 104, 10, 1120, 0x4000},
    {1, 0, BLOCK_PYTHON, "dict", 64, 4000, 256000, 0x5000},
    {1, 0, BLOCK_PYTHON, "dict", 232, 100, 24000, 0x6000},
};

static void fill_allocators(struct census_fixture *fixture)
{
    struct heap_figures *figures = &fixture->allocators[0].figures;
    fixture->allocators[0] = (struct heap_census_allocator){
        .name = "glibc", .version = "2.36\033", .walked = true, .by_arena = true,
        .quality = {150000000, 30000, 2}};
    heap_figures_set(figures, FIGURE_ARENAS, 2);
    heap_figures_set(figures, FIGURE_SYSTEM, 150000000);
    heap_figures_set(figures, FIGURE_IN_USE, 128107000);
    heap_figures_set(figures, FIGURE_FREE, 20000000);
    heap_figures_set(figures, FIGURE_CACHED, 4096);
    heap_figures_unknown(figures, FIGURE_TRIMMABLE, "the top moved meanwhile");
    fixture->allocators[1] = (struct heap_census_allocator){
        .name = "pymalloc", .walked = true, .quality = {524288, 0, 0}};
}

void census_fixture_init(struct census_fixture *fixture)
{
    struct err err;
    *fixture = (struct census_fixture){.target = {.pid = getpid(), .tid = getpid()}};
    struct heap_target *target = &fixture->target;
    ck_assert_int_eq(heap_view_open(&target->view, target->pid, false, &err), RC_OK);
    target->modules = modules_new();
    target->space = space_new(target->modules, target->pid, target->pid);
    struct heap_census *census = &fixture->census;
    *census = (struct heap_census){
        .pid = 4242,
        .comm = "server\n",
        .time = 1700000000123456789,
        .duration = 138000000,
        .complete = true,
        .allocators = fixture->allocators,
        .allocator_count = 2,
        .rows = fixture->rows,
        .count = ARRAY_LENGTH(rows),
        .counts = {150524288, 65536, 12288, 0},
        .why = (char *)"jemalloc: no arenas\033 in libjemalloc.so.2\n",
        .kinds = kinds_new(target),
    };
    fill_allocators(fixture);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        fixture->rows[i] = (struct heap_census_row){
            .allocator = rows[i].allocator,
            .arena = rows[i].arena,
            .kind = rows[i].kind == BLOCK_UNKNOWN
                        ? 0
                        : kinds_number(census->kinds, rows[i].kind, rows[i].name),
            .size = rows[i].size,
            .count = rows[i].count,
            .bytes = rows[i].bytes,
            .examples = {rows[i].example, rows[i].example + 64},
        };
}

void census_fixture_fini(struct census_fixture *fixture)
{
    kinds_free(fixture->census.kinds);
    space_free(fixture->target.space);
    modules_free(fixture->target.modules);
    heap_view_close(&fixture->target.view);
}
