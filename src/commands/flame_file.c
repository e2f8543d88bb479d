// SPDX-License-Identifier: MIT
#include "commands/flame_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"

const char *const flame_format_names[] = {
    [FLAME_HTML] = "html",
    [FLAME_SVG] = "svg",
    NULL,
};

static const struct {
    const char *text;
    enum flame_format format;
} endings[] = {
    {".html", FLAME_HTML}, {".htm", FLAME_HTML}, {".svg", FLAME_SVG},
};

static bool ends_in(const char *path, const char *ending)
{
    size_t length = strlen(path), own = strlen(ending);
    return length > own && strcmp(path + length - own, ending) == 0;
}

// "dir/cpu.pb.gz" becomes "dir/cpu.html". What comes from no directory of ours goes to the present
// one.
static char *name_of(const char *source, enum flame_format format)
{
    static const char *const packed[] = {".gz"};
    static const char *const known[] = {".pb",   ".pprof",     ".prof", ".folded", ".collapsed",
                                        ".json", ".stacks",    ".txt",  ".out",    ".perf",
                                        ".heap", ".speedscope"};
    if (strcmp(source, "-") == 0)
        return xasprintf("flamegraph.%s", flame_format_names[format]);
    const char *slash = strrchr(source, '/');
    bool remote = strstr(source, "://") != NULL;
    AUTO_FREE char *name = xstrdup(remote && slash[1] ? slash + 1 : source);
    name[remote ? strcspn(name, "?#") : strlen(name)] = '\0';
    for (size_t i = 0; i < ARRAY_LENGTH(packed); i++)
        if (ends_in(name, packed[i]))
            name[strlen(name) - strlen(packed[i])] = '\0';
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
        if (ends_in(name, known[i]))
            name[strlen(name) - strlen(known[i])] = '\0';
    return xasprintf("%s.%s", *name ? name : "flamegraph", flame_format_names[format]);
}

static int format_of(const char *path)
{
    for (size_t i = 0; i < ARRAY_LENGTH(endings); i++)
        if (ends_in(path, endings[i].text))
            return (int)endings[i].format;
    return -1;
}

enum rc flame_file_choose(struct flame_file *file, const char *output, int format,
                          const char *source, struct err *err)
{
    bool to_stdout = output && strcmp(output, "-") == 0;
    if (format < 0 && (!output || to_stdout))
        format = FLAME_HTML;
    if (format < 0)
        format = format_of(output);
    if (format < 0) {
        AUTO_FREE char *shown = escape_text_dup(output);
        err_set(err, RC_USAGE, "%s ends neither in .html nor in .svg", shown);
        err_add(err, "  name one of these, or add --format html or --format svg");
        return RC_USAGE;
    }
    file->format = (enum flame_format)format;
    if (!to_stdout)
        file->path = output ? xstrdup(output) : name_of(source, file->format);
    return RC_OK;
}

void flame_file_fini(struct flame_file *file)
{
    free(steal_ptr(&file->path));
}

enum rc flame_file_write(const struct flame_file *file, const struct flame_request *request,
                         bool quiet, struct err *err)
{
    struct output_file output;
    enum rc rc = output_file_begin(&output, file->path, err);
    if (rc == RC_OK)
        rc = file->format == FLAME_SVG ? flame_svg_write(request, output.stream, err)
                                       : flame_page_write(request, output.stream, err);
    if (rc == RC_OK)
        rc = output_file_commit(&output, err);
    if (rc == RC_OK && output.path && !quiet)
        output_file_say(output.path, output.bytes);
    output_file_fini(&output);
    return rc;
}
