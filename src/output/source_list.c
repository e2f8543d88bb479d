// SPDX-License-Identifier: MIT
#include "output/source_list.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/units.h"

// The file that was read last is kept: routines of one file often follow each other.
struct printing {
    const struct source_list *list;
    FILE *out;
    const char *name; // of that file; NULL: there is none yet
    enum rc rc;       // whether it could be read
    struct source_file file;
    struct err err;
};

static void put_column(struct printing *printing, int64_t value, bool dot)
{
    AUTO_BUF struct buf text = {0};
    if (!value && dot)
        buf_puts(&text, ".");
    else
        units_label(&text, value, printing->list->unit, UNITS_AUTO);
    fprintf(printing->out, "%10s ", text.data);
}

static void print_line(struct printing *printing, const struct source_line *line)
{
    AUTO_BUF struct buf text = {0};
    put_column(printing, line->flat, true);
    put_column(printing, line->cum, true);
    fprintf(printing->out, "%6" PRId64 ":", line->line);
    source_file_line(&printing->file, line->line, &text);
    fprintf(printing->out, "%s\n", text.length ? text.data : "");
}

// Prints lines without cost, as far as the file has them.
static int64_t print_plain(struct printing *printing, int64_t from, int64_t to)
{
    for (; from <= to && (uint64_t)from <= printing->file.line_count; from++)
        print_line(printing, &(struct source_line){.line = from});
    return from;
}

static void print_lines(struct printing *printing, const struct source_routine *routine)
{
    int64_t at = routine->from;
    for (size_t i = 0; i < routine->count; i++) {
        const struct source_line *line = &printing->list->lines->lines[routine->first + i];
        at = print_plain(printing, at, line->line - (line->line > INT64_MIN));
        print_line(printing, line);
        if (line->line >= at && line->line < INT64_MAX)
            at = line->line + 1;
    }
    print_plain(printing, at, routine->to);
}

// --- routines ---

static void read_file(struct printing *printing, const char *name)
{
    if (printing->name && strcmp(printing->name, name) == 0)
        return;
    source_file_fini(&printing->file);
    printing->name = name;
    printing->rc = source_file_read(&printing->file, printing->list->places, name, &printing->err);
}

static bool is_newer(const struct printing *printing)
{
    int64_t time = printing->list->time;
    return time > 0 && printing->file.changed.tv_sec > time / NS_PER_S;
}

// Says what has to be known of the text to believe it.
static void print_remark(struct printing *printing, const struct source_routine *routine)
{
    const struct source_file *file = &printing->file;
    const struct source_line *last =
        &printing->list->lines->lines[routine->first + routine->count - 1];
    bool short_of = last->line > 0 && (uint64_t)last->line > file->line_count;
    if (printing->rc != RC_OK) {
        fprintf(printing->out, " (no text: %s; --source-path DIR says where sources are)\n",
                printing->err.text);
        return;
    }
    AUTO_FREE char *path = escape_text_dup(file->path);
    if (short_of)
        fprintf(printing->out, " (text of %s, which has only %zu lines: it is another version)\n",
                path, file->line_count);
    else if (is_newer(printing))
        fprintf(printing->out, " (text of %s, newer than the profile: lines may have moved)\n",
                path);
    else if (strcmp(file->path, routine->file) != 0)
        fprintf(printing->out, " (text of %s)\n", path);
}

static void print_routine(struct printing *printing, const struct source_routine *routine)
{
    AUTO_FREE char *function = escape_text_dup(routine->function);
    AUTO_FREE char *file = escape_text_dup(routine->file);
    char percent[UNITS_PERCENT];
    if (!*file)
        fprintf(printing->out, "No source information for %s\n", function);
    else
        fprintf(printing->out, "ROUTINE ======================== %s in %s\n", function, file);
    put_column(printing, routine->flat, false);
    put_column(printing, routine->cum, false);
    fprintf(printing->out, "(flat, cum) %s of Total\n",
            units_percent(routine->cum, printing->list->total, percent));
    if (!*file)
        return;
    read_file(printing, routine->file);
    print_remark(printing, routine);
    print_lines(printing, routine);
}

void source_list_write(const struct source_list *list, FILE *out)
{
    struct printing printing = {.list = list, .out = out};
    AUTO_BUF struct buf total = {0};
    units_label(&total, list->total, list->unit, UNITS_AUTO);
    fprintf(out, "Total: %s\n", total.data);
    for (size_t i = 0; i < list->lines->routine_count; i++)
        print_routine(&printing, &list->lines->routines[i]);
    source_file_fini(&printing.file);
}
