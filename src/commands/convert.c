// SPDX-License-Identifier: MIT
// `ptprof convert IN -o OUT` writes a profile of any format that we read in any that we write.
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "commands/command.h"
#include "commands/output_file.h"
#include "commands/profile_input.h"
#include "output/trace.h"
#include "profile/plain_timeline.h"

struct convert_options {
    const char *output, *sample_type;
    int format; // -1: by the ending of the output
    bool force;
};

static const char *const format_names[] = {"pprof", "collapsed", "speedscope", "perf", "chrome",
                                           "firefox", "json", "text", NULL};

static const struct convert_options defaults = {.format = -1};

#define AT(member) .offset = offsetof(struct convert_options, member)

static const struct option options[] = {
    {"output", 'o', OPTION_FILE, "FILE", AT(output),
     .help = "write here; - is standard output, which is the default of formats that are text"},
    {"format", 'f', OPTION_CHOICE, AT(format), .choices = format_names,
     .help = "format to write", .shown_default = "by the ending of the file"},
    {"sample-type", 0, OPTION_STRING, "TYPE", AT(sample_type),
     .help = "which values count in formats that hold one of each sample",
     .shown_default = "what the profile says"},
    {"force", 0, OPTION_FLAG, AT(force),
     .help = "replace a symbolic link or a file of another user"},
    {NULL},
};

// The longer ending counts: ".perf.txt" rather than ".txt". Some formats know timelines only.
static const struct writer *by_path(const char *path)
{
    const struct writer *writer = writer_by_path(path), *of_times = trace_writer_by_path(path);
    if (!writer || !of_times)
        return writer ? writer : of_times;
    return writer_ending(of_times, path) < writer_ending(writer, path) ? of_times : writer;
}

static enum rc choose_writer(const struct convert_options *asked, const struct writer **writer,
                             struct err *err)
{
    const char *name = asked->format >= 0 ? format_names[asked->format] : NULL;
    *writer = name ? writer_by_name(name) : by_path(asked->output ? asked->output : "-");
    if (!*writer && name)
        *writer = trace_writer_by_name(name);
    if (*writer && strcmp((*writer)->name, "go") != 0)
        return RC_OK;
    return err_set(err, RC_USAGE, "convert: which format? --format names it, or the ending of -o "
                                  "FILE (.pb.gz .folded .speedscope.json .perf.txt .trace.json "
                                  ".firefox.json .json .txt)");
}

static enum rc write_profile(const struct convert_options *asked, const struct writer *writer,
                             const struct plain_profile *profile, struct err *err)
{
    const struct measure measure = measure_of(profile);
    const char *path = asked->output && strcmp(asked->output, "-") ? asked->output : NULL;
    struct timeline *timeline = writer->write ? NULL : plain_timeline(profile, &measure);
    const struct output_content content = {
        .writer = writer, .profile = timeline ? NULL : profile, .timeline = timeline};
    long long size;
    enum rc rc = output_file_write(path, &content, &size, err);
    timeline_free(timeline);
    return rc;
}

static int run(const struct call *call, struct err *err)
{
    const struct convert_options *asked = call->options;
    bool to_file = asked->output && strcmp(asked->output, "-") != 0;
    const struct writer *writer;
    struct plain_profile *profile = NULL;
    enum rc rc = choose_writer(asked, &writer, err);
    if (rc == RC_OK && !to_file && writer->binary && terminal_is(STDOUT_FILENO))
        rc = err_set(err, RC_USAGE, "not writing a profile to a terminal; use -o FILE, or -o - "
                                    "with a pipe");
    if (rc == RC_OK && to_file)
        rc = output_file_check(asked->output, asked->force, err);
    if (rc == RC_OK)
        rc = profile_input_read(call->operands[0], &profile, err);
    if (rc == RC_OK)
        rc = profile_input_choose(profile, asked->sample_type, err);
    if (rc == RC_OK)
        rc = write_profile(asked, writer, profile, err);
    plain_free(profile);
    return command_status(rc);
}

static const struct example examples[] = {
    {"ptprof convert cpu.pb.gz -o cpu.folded", "for flamegraph.pl"},
    {"ptprof convert perf.txt -o perf.pb.gz", "perf script's output as pprof"},
    {"ptprof convert a.pb.gz -f speedscope", "a profile for each thread"},
    {NULL},
};

const struct command command_convert = {
    .name = "convert",
    .args = "FILE",
    .summary = "write a profile in another format",
    .details =
        "FILE is a path, - for standard input, or a URL. It may be a pprof file,\n"
        "collapsed stacks, the text of perf script, speedscope's JSON, or a heap or CPU\n"
        "profile of gperftools or jemalloc; what it is, its content says. Formats with\n"
        "times (perf, chrome, firefox) get made up ones, and say so.\n",
    .operand = OPERAND_FILE,
    .least = 1,
    .most = 1,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof(struct convert_options),
    .examples = examples,
    .run = run,
};
