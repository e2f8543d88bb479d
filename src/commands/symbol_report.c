// SPDX-License-Identifier: MIT
#include "commands/symbol_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/figures.h"
#include "base/mem.h"
#include "symbol/package.h"

#define WORTH_A_LINE 1.0 // percent of the samples
#define LINES_MAX 5

struct tally {
    const struct module *module;
    uint64_t samples, unnamed;
};

// Counts the samples whose leaf is in each module. Returns an array [module id], which the caller
// frees.
static struct tally *count_leaves(const struct report *report)
{
    struct tally *tallies = xcalloc(modules_count(report->modules), sizeof *tallies);
    for (uint32_t i = 0; i < modules_count(report->modules); i++)
        tallies[i].module = modules_get(report->modules, i);
    for (size_t i = 0; i < profile_value_count(report->profile); i++) {
        const struct profile_value *value = profile_value_get(report->profile, i);
        if (!value->stack)
            continue;
        struct location leaf = profile_location_get(
            report->profile, profile_node(report->profile, value->stack).location);
        struct tally *tally =
            &tallies[modules_mapping(report->modules, leaf.mapping)->module->id];
        tally->samples += value->samples;
        if (!symbolizer_lookup(report->symbolizer, leaf.mapping, leaf.offset)->found)
            tally->unnamed += value->samples;
    }
    return tallies;
}

static int compare_unnamed(const void *left, const void *right)
{
    const struct tally *a = left, *b = right;
    return (a->unnamed < b->unnamed) - (a->unnamed > b->unnamed);
}

static void put_build_id(struct buf *out, const struct module *module)
{
    char build_id[2 * BUILD_ID_MAX + 1] = "";
    if (module->image)
        image_build_id_hex(module->image, build_id);
    if (build_id[0])
        buf_printf(out, "build id %s", build_id);
}

static void put_remedy(struct buf *out, const struct module *module)
{
    AUTO_FREE char *package = package_with_symbols(module);
    if (module->kind == MODULE_ANON) {
        buf_puts(out, "code made at run time, without a file");
    } else if (module->problem) {
        buf_puts(out, module->problem);
    } else if (package) {
        buf_puts(out, "install ");
        escape_text(out, package);
        buf_puts(out, ", or try --debuginfod");
    } else if (module->image && module->image->headers.build_id_length) {
        buf_puts(out, "no debug file for ");
        put_build_id(out, module);
    } else {
        buf_puts(out, "it was built without a build id, so no debug file can be found");
    }
}

static void put_missing(struct buf *out, const struct tally *tally, uint64_t all)
{
    buf_printf(out, "  symbols   %.1f%% of the samples are in ",
               figures_percent(tally->unnamed, all));
    escape_text(out, tally->module->name);
    buf_puts(out, " without a name: ");
    put_remedy(out, tally->module);
    buf_putc(out, '\n');
}

static void put_trouble(struct buf *out, const struct module *module, const char *problem)
{
    buf_puts(out, "  warning   ");
    escape_text(out, module->path);
    buf_printf(out, ": %s\n", problem);
}

void symbol_report_missing(struct buf *out, const struct report *report)
{
    size_t count = modules_count(report->modules);
    AUTO_FREE struct tally *tallies = count_leaves(report);
    uint64_t all = report->run->counts[COUNTER_SAMPLES];
    for (size_t i = 0; i < count; i++) {
        struct symbol_source source =
            symbolizer_source(report->symbolizer, tallies[i].module);
        if (source.problem)
            put_trouble(out, tallies[i].module, source.problem);
    }
    if (count)
        qsort(tallies, count, sizeof *tallies, compare_unnamed);
    for (size_t i = 0; i < count && i < LINES_MAX; i++)
        if (tallies[i].unnamed && figures_percent(tallies[i].unnamed, all) >= WORTH_A_LINE)
            put_missing(out, &tallies[i], all);
}

static void put_tried(struct buf *out, const char *tried)
{
    AUTO_FREE char *lines = xstrdup(tried);
    char *rest = lines;
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        buf_puts(out, "            ");
        escape_text(out, line);
        buf_putc(out, '\n');
    }
}

static void put_module(struct buf *out, const struct report *report, const struct tally *tally)
{
    const struct module *module = tally->module;
    struct symbol_source source = symbolizer_source(report->symbolizer, module);
    buf_printf(out, "  module    %" PRIu64 " samples, %" PRIu64 " without a name: ",
               tally->samples, tally->unnamed);
    escape_text(out, module->path);
    buf_puts(out, module->image && module->image->headers.build_id_length ? "  " : "");
    put_build_id(out, module);
    buf_puts(out, source.has_lines ? "  with lines" : "");
    if (module->problem)
        buf_printf(out, "  (%s)", module->problem);
    if (source.problem)
        buf_printf(out, "  (%s)", source.problem);
    buf_putc(out, '\n');
    put_tried(out, source.tried);
}

void symbol_report_modules(struct buf *out, const struct report *report)
{
    AUTO_FREE struct tally *tallies = count_leaves(report);
    for (size_t i = 0; i < modules_count(report->modules); i++)
        if (tallies[i].samples)
            put_module(out, report, &tallies[i]);
}
