// SPDX-License-Identifier: MIT
// `ptprof report --list`: the source lines of functions, in the form of pprof's.
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "commands/report_view.h"
#include "output/source_list.h"

#define PLACES_MAX 64

struct place_list { // of words with colons between
    char *text;
    const char *words[PLACES_MAX];
    size_t count;
};

static enum rc split(struct place_list *list, const char *text, const char *option,
                     struct err *err)
{
    list->text = xstrdup(text);
    char *rest = list->text, *word;
    while ((word = strsep(&rest, ":"))) {
        if (list->count == PLACES_MAX)
            return err_set(err, RC_USAGE, "%s has more than %d places", option, PLACES_MAX);
        if (*word)
            list->words[list->count++] = word;
    }
    return RC_OK;
}

enum rc report_lines(const struct report_options *options, const struct reported *reading,
                     struct source_lines *lines, struct err *err)
{
    struct pattern pattern;
    enum rc rc = pattern_init(&pattern, options->list, err);
    if (rc != RC_OK)
        return rc;
    source_lines_init(lines, reading->part, reading->value, &pattern);
    pattern_fini(&pattern);
    if (lines->routine_count)
        return RC_OK;
    source_lines_fini(lines);
    AUTO_FREE char *shown = escape_text_dup(options->list);
    return err_set(err, RC_FAIL, "no function matches /%s/", shown);
}

static enum rc print(const struct report_options *options, const struct reported *reading,
                     const struct source_places *places, FILE *out, struct err *err)
{
    struct source_lines lines;
    enum rc rc = report_lines(options, reading, &lines, err);
    if (rc != RC_OK)
        return rc;
    source_list_write(&(struct source_list){.lines = &lines,
                                            .places = places,
                                            .total = reading->all,
                                            .time = reading->whole->time,
                                            .unit = reading->unit},
                      out);
    source_lines_fini(&lines);
    return RC_OK;
}

enum rc report_print_list(const struct report_options *options, const struct reported *reading,
                          FILE *out, struct err *err)
{
    struct place_list paths = {0}, trims = {0};
    enum rc rc = split(&paths, options->source_path ? options->source_path : ".",
                       "--source-path", err);
    if (rc == RC_OK)
        rc = split(&trims, options->trim_path ? options->trim_path : "", "--trim-path", err);
    const struct source_places places = {paths.words, paths.count, trims.words, trims.count};
    if (rc == RC_OK)
        rc = print(options, reading, &places, out, err);
    free(paths.text);
    free(trims.text);
    return rc;
}
