// SPDX-License-Identifier: MIT
// `ptprof report --by`: samples by a label of theirs, or by module.
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "base/units.h"
#include "commands/report_view.h"
#include "profile/plain_tags.h"

#define WITHOUT "(none)" // what samples without the label are shown as

static int64_t magnitude(int64_t value)
{
    return value < 0 ? -value : value;
}

static int compare_groups(const void *left, const void *right)
{
    const struct report_group *a = left, *b = right;
    if (magnitude(a->self) != magnitude(b->self))
        return magnitude(a->self) > magnitude(b->self) ? -1 : 1;
    return strcmp(a->name, b->name);
}

static int compare_totals(const void *left, const void *right)
{
    const struct report_group *a = left, *b = right;
    if (magnitude(a->total) != magnitude(b->total))
        return magnitude(a->total) > magnitude(b->total) ? -1 : 1;
    return compare_groups(left, right);
}

static void add_group(struct report_groups *groups, const char *name, int64_t self, int64_t total)
{
    ARRAY_RESERVE(groups->list, groups->count, groups->capacity);
    groups->list[groups->count++] = (struct report_group){xstrdup(name), self, total};
}

// --- labels ---

static void name_label(const struct plain_profile *part, const struct plain_label *label,
                       const char *unit, struct buf *name)
{
    buf_clear(name);
    if (label->text)
        buf_puts(name, plain_string(part, label->text));
    else
        units_label(name, label->number, unit, UNITS_AUTO);
}

struct label_sums {
    struct strtab names; // number 0: samples without the label
    int64_t *sums;       // [name]
    size_t capacity;
};

static void add_to_sums(struct label_sums *sums, const char *name, int64_t value)
{
    size_t before = sums->names.count;
    uint32_t number = strtab_add(&sums->names, name);
    ARRAY_RESERVE(sums->sums, number, sums->capacity);
    if (sums->names.count > before)
        sums->sums[number] = 0;
    sums->sums[number] += value;
}

// A label that a sample has several times counts each time, as in pprof.
static void sum_sample(const struct reported *reading, const char *key, const char **units,
                       uint32_t sample, struct label_sums *sums)
{
    const struct plain_profile *part = reading->part;
    int64_t value = plain_values(part, sample)[reading->value];
    bool any = false;
    AUTO_BUF struct buf name = {0};
    uint32_t set = part->samples.list[sample].labels;
    for (; set; set = part->labels.sets[set].parent) {
        const struct plain_label *label = &part->labels.list[part->labels.sets[set].label];
        if (strcmp(plain_string(part, label->key), key) != 0)
            continue;
        name_label(part, label, units[label->key], &name);
        add_to_sums(sums, name.data, value);
        any = true;
    }
    if (!any)
        sums->sums[0] += value;
}

static void group_by_label(const struct reported *reading, const char *key,
                           struct report_groups *groups)
{
    const char **units = plain_tags_units(reading->part);
    struct label_sums sums = {0};
    strtab_init(&sums.names);
    ARRAY_RESERVE(sums.sums, 0, sums.capacity);
    sums.sums[0] = 0;
    for (uint32_t i = 0; i < reading->part->samples.count; i++)
        sum_sample(reading, key, units, i, &sums);
    for (uint32_t i = 0; i < sums.names.count; i++)
        if (sums.sums[i])
            add_group(groups, i ? strtab_get(&sums.names, i) : WITHOUT, sums.sums[i],
                      sums.sums[i]);
    strtab_fini(&sums.names);
    free(sums.sums);
    free(units);
}

static bool has_label(const struct plain_profile *profile, const char *key)
{
    for (size_t i = 0; i < profile->labels.count; i++)
        if (strcmp(plain_string(profile, profile->labels.list[i].key), key) == 0)
            return true;
    return false;
}

static enum rc refuse_label(const struct plain_profile *profile, const char *key, struct err *err)
{
    AUTO_BUF struct buf list = {0};
    AUTO_FREE char *shown = escape_text_dup(key);
    struct map seen = {0};
    for (size_t i = 0; i < profile->labels.count && list.length < 400; i++) {
        uint32_t name = profile->labels.list[i].key;
        if (map_get(&seen, name, 0))
            continue;
        map_put(&seen, name, 1);
        buf_puts(&list, list.length ? ", " : "");
        escape_text(&list, plain_string(profile, name));
    }
    map_fini(&seen);
    return err_set(err, RC_USAGE, "no sample has the label %s; --by can be module%s%s", shown,
                   list.length ? ", " : "", list.length ? list.data : "");
}

// --- modules ---

// A function without a name is its module.
static struct plain_profile *without_names(const struct plain_profile *profile)
{
    struct plain_profile *copy = plain_copy(profile);
    for (uint32_t i = 0; i < copy->code.location_count; i++)
        plain_set_lines(copy, i, NULL, 0);
    return copy;
}

static void group_by_module(const struct reported *reading, struct report_groups *groups)
{
    struct plain_profile *modules = without_names(reading->part);
    struct call_graph *graph = call_graph_functions(modules, reading->value);
    for (size_t i = 0; i < graph->shown; i++) {
        const struct call_function *function = &graph->functions[graph->order[i]];
        const char *path = plain_string(modules, function->module);
        const char *slash = strrchr(path, '/');
        add_group(groups, !*path ? WITHOUT : slash && slash[1] ? slash + 1 : path, function->self,
                  function->total);
    }
    call_graph_free(graph);
    plain_free(modules);
}

// --- all of them ---

enum rc report_groups_make(const struct report_options *options, const struct reported *reading,
                           struct report_groups *groups, struct err *err)
{
    *groups = (struct report_groups){.modules = strcmp(options->by, "module") == 0};
    if (!groups->modules && !has_label(reading->whole, options->by))
        return refuse_label(reading->whole, options->by, err);
    if (groups->modules)
        group_by_module(reading, groups);
    else
        group_by_label(reading, options->by, groups);
    if (groups->count)
        qsort(groups->list, groups->count, sizeof *groups->list,
              options->sort == CALL_BY_TOTAL ? compare_totals : compare_groups);
    return RC_OK;
}

void report_groups_fini(struct report_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++)
        free(groups->list[i].name);
    free(groups->list);
    *groups = (struct report_groups){0};
}

static const char *common_unit(const struct reported *reading, const struct report_groups *groups)
{
    int64_t least = 0;
    for (size_t i = 0; i < groups->count; i++) {
        int64_t cost = magnitude(groups->list[i].self ? groups->list[i].self
                                                      : groups->list[i].total);
        least = cost && (!least || cost < least) ? cost : least;
    }
    return units_common(least ? least : reading->all, reading->all, reading->unit);
}

static void put_group(const struct reported *reading, const struct report_group *group,
                      const char *unit, bool modules, struct buf *out)
{
    char percent[UNITS_PERCENT];
    report_put_value(group->self, reading, unit, 10, out);
    buf_printf(out, " %s", units_percent(group->self, reading->all, percent));
    if (modules) {
        report_put_value(group->total, reading, unit, 11, out);
        buf_printf(out, " %s", units_percent(group->total, reading->all, percent));
    }
    buf_puts(out, "  ");
    escape_text(out, group->name);
    buf_putc(out, '\n');
}

enum rc report_print_groups(const struct report_options *options, const struct reported *reading,
                            FILE *out, struct err *err)
{
    struct report_groups groups;
    enum rc rc = report_groups_make(options, reading, &groups, err);
    if (rc != RC_OK)
        return rc;
    AUTO_BUF struct buf text = {0};
    const char *unit = common_unit(reading, &groups);
    size_t most = options->top && options->top < groups.count ? options->top : groups.count;
    report_put_head(options, reading, unit, &text);
    if (most < groups.count)
        buf_printf(&text, "Showing %zu of %zu\n", most, groups.count);
    AUTO_FREE char *by = escape_text_dup(options->by);
    buf_printf(&text, groups.modules ? "      flat  flat%%        cum   cum%%  %s\n"
                                     : "     value      %%  %s\n", by);
    for (size_t i = 0; i < most; i++)
        put_group(reading, &groups.list[i], unit, groups.modules, &text);
    fwrite(text.data, 1, text.length, out);
    report_groups_fini(&groups);
    return RC_OK;
}
