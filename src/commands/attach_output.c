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

// "ptprof-redis-server-4242-20260101T000000Z.pb.gz"; with "-block" before the dot if the types have
// a file each.
static char *default_name(const struct attach_outputs *outputs, const struct attach_output *output)
{
    bool several = outputs->count > 1 || outputs->options->output_dir;
    AUTO_FREE char *ending =
        xasprintf("%s%s%s", several ? "-" : "", several ? profile_types[output->kind].name : "",
                  output->writer->extension);
    AUTO_FREE char *name = output_file_name(outputs->comm, outputs->pid, ending);
    const char *directory = outputs->options->output_dir;
    return directory ? xasprintf("%s/%s", directory, name) : steal_ptr(&name);
}

// The writer follows from --format, else from the ending of the output, else it is pprof.
static const struct writer *choose_writer(const struct attach_options *options)
{
    const struct writer *writer = NULL;
    if (options->format >= 0)
        writer = writer_by_name(attach_format_names[options->format]);
    else if (options->output && strcmp(options->output, "-") != 0)
        writer = writer_by_path(options->output);
    return writer ? writer : writer_by_name("pprof");
}

// Without --output a profile goes to a file. A text format that --format names goes to standard
// output instead, for a pipe.
static enum rc choose(struct attach_outputs *outputs, struct attach_output *output,
                      struct err *err)
{
    const struct attach_options *options = outputs->options;
    output->writer = choose_writer(options);
    if (!output->writer)
        return err_set(err, RC_FAIL, "the format is not built in");
    bool to_stdout = options->output ? strcmp(options->output, "-") == 0
                                     : options->format >= 0 && !output->writer->binary &&
                                           outputs->count == 1 && !options->output_dir;
    if (to_stdout && output->writer->binary && terminal_is(STDOUT_FILENO))
        return err_set(err, RC_USAGE, "not writing a profile to a terminal; use -o FILE, or -o - "
                                      "with a pipe");
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
}

static enum rc write_to(const char *path, struct attach_output *output,
                        const struct report *report, struct err *err)
{
    struct run run = *report->run;
    struct report own = *report;
    run.type = output->kind;
    own.run = &run;
    return output_file_report(path, output->writer, &own, &output->bytes, err);
}

static void write_elsewhere(struct attach_outputs *outputs, struct attach_output *output,
                            const struct report *report, struct err *err)
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
            write_to(path, output, report, NULL) != RC_OK)
            continue;
        AUTO_FREE char *shown = escape_text_dup(path);
        err_add(err, "  the profile was written to %s instead", shown);
        return;
    }
    outputs->lost = true;
    err_add(err, "  no other place could be written either: the profile is lost");
}

enum rc attach_outputs_write(struct attach_outputs *outputs, const struct report *report,
                             struct err *err)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < outputs->count; i++) {
        struct attach_output *output = &outputs->list[i];
        if (write_to(output->path, output, report, err) == RC_OK)
            continue;
        write_elsewhere(outputs, output, report, err);
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
        if (is_there(&outputs->list[i], report))
            rc = write_snapshot(outputs, &outputs->list[i], report, number, &text, err);
    *paths = text.data;
    return rc;
}
