// SPDX-License-Identifier: MIT
// `ptprof report --graph`: the call graph as a picture, or as text for graphviz's dot.
#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/units.h"
#include "commands/graphviz.h"
#include "commands/output_file.h"
#include "commands/report_view.h"
#include "output/dot.h"

#define PATIENCE_MS 60000 // of dot: a graph of 80 functions takes it less than a second

static const struct picture_format {
    const char *ending;
    const char *name; // for dot; NULL: the text itself
} formats[] = {{".svg", "svg"}, {".png", "png"}, {".pdf", "pdf"}, {".dot", NULL}, {".gv", NULL}};

static const struct picture_format text_format = {"", NULL}; // of standard output

static const struct picture_format *format_of(const char *path)
{
    if (strcmp(path, "-") == 0)
        return &text_format;
    for (size_t i = 0; i < ARRAY_LENGTH(formats); i++) {
        size_t length = strlen(path), ending = strlen(formats[i].ending);
        if (length > ending && strcasecmp(path + length - ending, formats[i].ending) == 0)
            return &formats[i];
    }
    return NULL;
}

// --- the text ---

static void put_legend(const struct report_options *options, const struct reported *reading,
                       const struct call_graph *graph, struct buf *out)
{
    const char *unit = report_unit(reading, graph);
    size_t edges = graph->dropped.edges;
    report_put_head(options, reading, unit, out);
    report_put_shown(reading, graph, unit, out);
    if (edges) {
        double least = (double)reading->all * CALL_EDGE_FRACTION;
        buf_printf(out, "Dropped %zu edge%s (freq <= ", edges, edges == 1 ? "" : "s");
        units_label(out, (int64_t)least, reading->unit, unit);
        buf_puts(out, ")\n");
    }
    buf_puts(out, "\nHow to read the picture: ptprof(1), REPORT, --graph\n");
}

// What all samples have in common would only be in the way.
static const struct call_tags *telling(const struct call_tags *tags)
{
    return tags->kinds > 1 ? tags : NULL;
}

static void draw(const struct report_options *options, const struct reported *reading,
                 struct buf *out)
{
    const struct call_trim trim = {
        .function_fraction = CALL_FUNCTION_FRACTION,
        .edge_fraction = CALL_EDGE_FRACTION,
        .count = options->top == REPORT_ANY_COUNT ? CALL_TREE_COUNT : options->top,
    };
    struct call_graph *graph = call_graph_new(reading->part, reading->value);
    struct call_tags tags;
    struct call_picture picture;
    AUTO_BUF struct buf legend = {0};
    graph->all = reading->all;
    call_tags_init(&tags, graph, call_graph_fraction(graph, trim.function_fraction));
    call_picture_init(&picture, graph, &trim, telling(&tags));
    put_legend(options, reading, graph, &legend);
    dot_write(&(struct dot_drawing){graph, &picture, telling(&tags), reading->unit, legend.data},
              out);
    call_picture_fini(&picture);
    call_tags_fini(&tags);
    call_graph_free(graph);
}

// --- the file ---

static enum rc write_file(const char *path, const struct picture_format *format,
                          const struct buf *text, struct err *err)
{
    struct output_file file;
    enum rc rc = output_file_begin(&file, strcmp(path, "-") == 0 ? NULL : path, err);
    if (rc == RC_OK && format->name)
        rc = graphviz_render(text, format->name, fileno(file.stream), PATIENCE_MS, err);
    else if (rc == RC_OK)
        fwrite(text->data, 1, text->length, file.stream);
    if (rc == RC_OK)
        rc = output_file_commit(&file, err);
    output_file_fini(&file);
    return rc;
}

// Where there is no dot, what it would be given is still worth having.
static enum rc write_text_instead(const struct report_options *options,
                                  const struct picture_format *format, const struct buf *text,
                                  struct err *err)
{
    size_t stem = strlen(options->graph) - strlen(format->ending);
    AUTO_FREE char *path = xasprintf("%.*s.dot", (int)stem, options->graph);
    AUTO_FREE char *shown = escape_text_dup(path);
    AUTO_FREE char *wanted = escape_text_dup(options->graph);
    enum rc rc = output_file_check(path, options->force, err);
    if (rc == RC_OK)
        rc = write_file(path, &text_format, text, err);
    if (rc != RC_OK)
        return rc;
    return err_set(err, RC_FAIL,
                   "%s is not made: graphviz's program dot is not installed\n"
                   "  The graph is in %s. Install graphviz, then: dot -T%s %s > %s",
                   wanted, shown, format->name, shown, wanted);
}

enum rc report_print_picture(const struct report_options *options, const struct reported *reading,
                             FILE *out, struct err *err)
{
    (void)out;
    const char *path = options->graph;
    const struct picture_format *format = format_of(path);
    AUTO_BUF struct buf text = {0};
    if (!format)
        return err_set(err, RC_USAGE, "the file of --graph must end in .svg, .png, .pdf, .dot or "
                                      ".gv, or be - for the text of a .dot file");
    if (options->json)
        return err_set(err, RC_USAGE, "--graph and --json exclude each other");
    enum rc rc = output_file_check(format == &text_format ? NULL : path, options->force, err);
    if (rc != RC_OK)
        return rc;
    draw(options, reading, &text);
    rc = write_file(path, format, &text, err);
    return rc == RC_GONE ? write_text_instead(options, format, &text, err) : rc;
}
