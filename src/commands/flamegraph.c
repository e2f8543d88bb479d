// SPDX-License-Identifier: MIT
// ptprof flamegraph draws a profile, or what changed from one profile to another, as a page or as a
// picture.
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/terminal.h"
#include "commands/command.h"
#include "commands/flame_file.h"
#include "commands/profile_input.h"
#include "commands/reading.h"

struct flame_options {
    const char *output; // NULL: beside the first profile; "-": standard output
    int format;         // of enum flame_format; -1: as the output ends
    const char *title;  // NULL: not given
    struct reading_options reading;
    bool force, quiet;
};

static const struct flame_options defaults = {.format = -1};

#define AT(field) .offset = offsetof(struct flame_options, field)

static const struct option options[] = {
    {"output", 'o', OPTION_FILE, "FILE", AT(output),
     .help = "write it there; - is standard output",
     .shown_default = "the profile's name with .html in place of its ending"},
    {"format", 'f', OPTION_CHOICE, NULL, AT(format), .choices = flame_format_names,
     .help = "html: a page with zoom, search and filters; svg: a picture",
     .shown_default = "as FILE ends, else html"},
    {"sample-type", 0, OPTION_STRING, "TYPE", AT(reading.sample_type),
     .help = "which values are shown first, by name or number; the page has all",
     .shown_default = "as the profile says"},
    READING_FILTER_OPTIONS,
    {"title", 0, OPTION_STRING, "TEXT", AT(title), .help = "what stands above it",
     .shown_default = "the names of the profiles"},
    {"quiet", 'q', OPTION_FLAG, NULL, AT(quiet), .help = "print nothing but errors"},
    {"force", 0, OPTION_FLAG, NULL, AT(force),
     .help = "allow an output file that is a symbolic link or another user's to be replaced"},
    {NULL},
};

struct flame_run {
    const struct flame_options *options;
    char **sources; // one or two
    size_t count;
    struct reported readings[2];
};

// Several files could not come from one stream.
static enum rc check_sources(const struct flame_run *drawing, struct err *err)
{
    if (drawing->count < 2 || strcmp(drawing->sources[0], "-") || strcmp(drawing->sources[1], "-"))
        return RC_OK;
    return err_set(err, RC_USAGE, "flamegraph: only one of the profiles can be standard input");
}

// What is shown first is a type of the second one.
static enum rc read_profiles(struct flame_run *drawing, struct err *err)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < drawing->count && rc == RC_OK; i++) {
        struct reading_options wanted = drawing->options->reading;
        struct plain_profile *profile;
        wanted.sample_type = i + 1 == drawing->count ? wanted.sample_type : NULL;
        rc = profile_input_read(drawing->sources[i], &profile, err);
        if (rc == RC_OK)
            rc = reading_of(profile, &wanted, &drawing->readings[i], err);
    }
    return rc;
}

static const char *source_name(const char *source)
{
    const char *slash = strrchr(source, '/');
    if (strcmp(source, "-") == 0)
        return "standard input";
    return slash && slash[1] ? slash + 1 : source;
}

static char *make_title(const struct flame_run *drawing)
{
    const char *first = source_name(drawing->sources[0]);
    if (drawing->options->title)
        return xstrdup(drawing->options->title);
    return drawing->count > 1
               ? xasprintf("%s compared with %s", source_name(drawing->sources[1]), first)
               : xstrdup(first);
}

// The second profile is the one that is drawn, held against the first.
static enum rc draw(const struct flame_run *drawing, const struct flame_file *file, struct err *err)
{
    size_t last = drawing->count - 1;
    AUTO_FREE char *title = make_title(drawing);
    struct flame_request request = {
        .profile = drawing->readings[last].part,
        .base = last ? drawing->readings[0].part : NULL,
        .profile_name = source_name(drawing->sources[last]),
        .base_name = source_name(drawing->sources[0]),
        .title = title,
        .value = drawing->readings[last].value,
    };
    return flame_file_write(file, &request, drawing->options->quiet, err);
}

static int run(const struct call *call, struct err *err)
{
    const struct flame_options *wanted = call->options;
    struct flame_run drawing = {.options = wanted, .sources = call->operands, .count = call->count};
    struct flame_file file = {0};
    enum rc rc = check_sources(&drawing, err);
    if (rc == RC_OK)
        rc = flame_file_choose(&file, wanted->output, wanted->format, call->operands[0], err);
    if (rc == RC_OK && !file.path && terminal_is(STDOUT_FILENO))
        rc = err_set(err, RC_USAGE, "not writing a flame graph to a terminal; use -o FILE, or -o - "
                                    "with a pipe");
    if (rc == RC_OK)
        rc = output_file_check(file.path, wanted->force, err);
    if (rc == RC_OK)
        rc = read_profiles(&drawing, err);
    if (rc == RC_OK)
        rc = draw(&drawing, &file, err);
    reading_close(&drawing.readings[0]);
    reading_close(&drawing.readings[1]);
    flame_file_fini(&file);
    return command_status(rc);
}

const struct command command_flamegraph = {
    .name = "flamegraph",
    .args = "FILE [FILE2]",
    .summary = "draw a profile, or the difference of two, as a flame graph",
    .details = "The page is one file that works without a network: open it in a browser, send it\n"
               "to somebody. A FILE may be a URL, or - for standard input. With FILE2 it shows\n"
               "what changed from FILE to FILE2, both totals taken as equal.\n",
    .operand = OPERAND_FILE,
    .least = 1,
    .most = 2,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .examples =
        (const struct example[]){
            {"ptprof flamegraph cpu.pb.gz", "a page, cpu.html"},
            {"ptprof flamegraph cpu.pb.gz -o cpu.svg", "a picture for a document"},
            {"ptprof flamegraph before.pb.gz after.pb.gz -o what-changed.html", "a difference"},
            {NULL, NULL},
        },
    .run = run,
};
