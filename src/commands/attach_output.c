// SPDX-License-Identifier: MIT
#include "commands/attach_output.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "commands/output_file.h"
#include "commands/report.h"
#include "output/trace.h"

#define SPARE 0.95 // of what a file may hold, so that it need not be written a third time

// "ptprof-redis-server-4242-20260101T000000Z.pb.gz"; with "-block" before the dot if the types have
// a file each.
static char *default_name(const struct attach_outputs *outputs, const struct attach_output *output)
{
    bool several = outputs->count > 1 || outputs->options->output_dir;
    AUTO_FREE char *ending =
        xasprintf("%s%s%s", several ? "-" : "", several ? profile_types[output->kind].name : "",
                  output->writer->extension);
    AUTO_FREE char *pid = xasprintf("%d", (int)outputs->pid);
    AUTO_FREE char *name = output_file_name(outputs->comm, pid, ending);
    const char *directory = outputs->options->output_dir;
    return directory ? xasprintf("%s/%s", directory, name) : steal_ptr(&name);
}

// The writer follows from --format, else from the ending of the output, else it is pprof, or go
// for a trace.
static const struct writer *choose_writer(const struct attach_options *options, bool trace)
{
    const struct writer *writer = NULL;
    const char *name = options->format >= 0 ? attach_format_names[options->format] : NULL;
    if (name)
        writer = trace ? trace_writer_by_name(name) : writer_by_name(name);
    else if (options->output && strcmp(options->output, "-") != 0)
        writer = trace ? trace_writer_by_path(options->output) : writer_by_path(options->output);
    if (writer)
        return writer;
    return trace ? trace_writer_by_name("go") : writer_by_name("pprof");
}

// Without --output a profile goes to a file. A text format that --format names goes to standard
// output instead, for a pipe.
static enum rc choose(struct attach_outputs *outputs, struct attach_output *output,
                      struct err *err)
{
    const struct attach_options *options = outputs->options;
    output->writer = choose_writer(options, output->kind == PROFILE_TRACE);
    if (!output->writer)
        return err_set(err, RC_FAIL, "the format is not built in");
    bool to_stdout = options->output ? strcmp(options->output, "-") == 0
                                     : options->format >= 0 && !output->writer->binary &&
                                           outputs->count == 1 && !options->output_dir;
    if (to_stdout && output->writer->binary && terminal_is(STDOUT_FILENO))
        return output_file_refuse_terminal(err);
    if (to_stdout && options->report)
        return err_set(err, RC_USAGE, "--report prints to standard output, where the profile goes; "
                                      "use -o FILE");
    if (!to_stdout)
        output->path = options->output ? xstrdup(options->output) : default_name(outputs, output);
    enum rc rc = output_file_check(output->path, options->force, err);
    if (rc == RC_IO && !options->output)
        err_add(err, options->output_dir ? "  make it, or name another one with --output-dir DIR"
                                         : "  name another place with -o FILE");
    return rc;
}

enum rc attach_outputs_choose(struct attach_outputs *outputs, unsigned types, struct err *err)
{
    enum rc rc = RC_OK;
    for (enum profile_kind kind = 0; kind < PROFILE_KINDS; kind++)
        if (types & PROFILE_BIT(kind))
            outputs->list[outputs->count++].kind = kind;
    for (size_t i = 0; i < outputs->count && rc == RC_OK; i++)
        rc = choose(outputs, &outputs->list[i], err);
    return rc;
}

void attach_outputs_fini(struct attach_outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++)
        free(steal_ptr(&outputs->list[i].path));
    timeline_free(steal_ptr(&outputs->timeline));
}

const struct attach_output *attach_outputs_profile(const struct attach_outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++)
        if (outputs->list[i].kind != PROFILE_TRACE)
            return &outputs->list[i];
    return NULL;
}

// Drops the oldest part of a timeline whose file is that much too large.
static void shorten(struct timeline *timeline, double too_large, struct run_trace *trace)
{
    size_t dropped = (size_t)((double)timeline->event_count * (1 - SPARE / too_large)) + 1;
    if (dropped >= timeline->event_count)
        dropped = timeline->event_count - 1;
    trace->since = timeline->events[dropped].time;
    trace->dropped += dropped;
    timeline_drop_before(timeline, trace->since);
}

// How large a file becomes is known when it is written. Standard output is written once.
static enum rc write_trace(const char *path, const struct attach_outputs *outputs,
                           struct attach_output *output, const struct report *report,
                           struct run_trace *trace, struct err *err)
{
    struct timeline *timeline = outputs->timeline;
    struct run run = *report->run;
    double most = (double)outputs->options->session.max_size;
    for (;;) {
        run.type = PROFILE_TRACE;
        run.trace = *trace;
        report_timeline(timeline, &run);
        const struct output_content content = {.writer = output->writer, .timeline = timeline};
        enum rc rc = output_file_write(path, &content, &output->bytes, err);
        if (rc != RC_OK || (double)output->bytes <= most || timeline->event_count < 2)
            return rc;
        shorten(timeline, (double)output->bytes / most, trace);
    }
}

static enum rc write_to(const char *path, struct attach_output *output,
                        const struct report *report, struct err *err)
{
    struct run run = *report->run;
    struct report own = *report;
    run.type = output->kind;
    own.run = &run;
    const struct output_content content = {.writer = output->writer, .report = &own};
    return output_file_write(path, &content, &output->bytes, err);
}

static enum rc write_either(const char *path, const struct attach_outputs *outputs,
                            struct attach_output *output, const struct report *report,
                            struct run_trace *trace, struct err *err)
{
    return output->kind == PROFILE_TRACE ? write_trace(path, outputs, output, report, trace, err)
                                         : write_to(path, output, report, err);
}

static void write_elsewhere(struct attach_outputs *outputs, struct attach_output *output,
                            const struct report *report, struct run_trace *trace, struct err *err)
{
    const char *temporary = getenv("TMPDIR");
    const char *const places[] = {".", temporary && *temporary ? temporary : "/tmp", "/var/tmp",
                                  "/dev/shm"};
    AUTO_FREE char *whole = default_name(outputs, output);
    const char *slash = strrchr(whole, '/'), *name = slash ? slash + 1 : whole;
    limits_raise_file_size();
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        AUTO_FREE char *path = xasprintf("%s/%s", places[i], name);
        if (output_file_check(path, false, NULL) != RC_OK ||
            write_either(path, outputs, output, report, trace, NULL) != RC_OK)
            continue;
        AUTO_FREE char *shown = escape_text_dup(path);
        err_add(err, "  the profile was written to %s instead", shown);
        return;
    }
    outputs->lost = true;
    err_add(err, "  no other place could be written either: the profile is lost");
}

enum rc attach_outputs_write(struct attach_outputs *outputs, const struct report *report,
                             struct run_trace *trace, struct err *err)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < outputs->count; i++) {
        struct attach_output *output = &outputs->list[i];
        if (output->kind == PROFILE_TRACE && !outputs->timeline)
            continue; // it could not be made
        if (write_either(output->path, outputs, output, report, trace, err) == RC_OK)
            continue;
        write_elsewhere(outputs, output, report, trace, err);
        rc = RC_IO;
    }
    return rc;
}

// "profile.pb.gz" becomes "profile.1.pb.gz".
static enum rc write_snapshot(const struct attach_outputs *outputs,
                              const struct attach_output *output, const struct report *report,
                              unsigned number, struct buf *paths, struct err *err)
{
    struct attach_output copy = *output;
    AUTO_FREE char *whole = output->path ? xstrdup(output->path) : default_name(outputs, output);
    const char *ending = writer_ending(output->writer, whole);
    AUTO_FREE char *path = xasprintf("%.*s.%u%s", (int)(ending - whole), whole, number, ending);
    AUTO_FREE char *shown = escape_text_dup(path);
    buf_printf(paths, "%s%s", paths->length ? ", " : "", shown);
    enum rc rc = output_file_check(path, outputs->options->force, err);
    return rc == RC_OK ? write_to(path, &copy, report, err) : rc;
}

// Who started threads is known at the end.
static bool is_there(const struct attach_output *output, const struct report *report)
{
    return output->kind != PROFILE_THREADCREATE || (report->made && report->made[output->kind]);
}

enum rc attach_outputs_snapshot(const struct attach_outputs *outputs, const struct report *report,
                                unsigned number, char **paths, struct err *err)
{
    struct buf text = {0};
    enum rc rc = RC_OK;
    for (size_t i = 0; i < outputs->count && rc == RC_OK; i++)
        if (outputs->list[i].kind != PROFILE_TRACE && is_there(&outputs->list[i], report))
            rc = write_snapshot(outputs, &outputs->list[i], report, number, &text, err);
    *paths = text.data;
    return text.data ? rc : err_set(err, RC_USAGE, "what is asked for is written at the end only");
}

enum rc attach_outputs_report(const struct attach_outputs *outputs,
                              struct plain_profile *const *made, struct err *err)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < outputs->count && rc == RC_OK; i++) {
        const struct plain_profile *profile = made[outputs->list[i].kind];
        if (profile)
            rc = report_print_of(plain_copy(profile), err);
        if (profile && i + 1 < outputs->count)
            putchar('\n');
    }
    return rc;
}
