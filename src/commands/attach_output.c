// SPDX-License-Identifier: MIT
#include "commands/attach_output.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "commands/output_file.h"

static char *default_name(const struct attach_output *output)
{
    return output_file_name(output->comm, output->pid, output->writer->extension);
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
enum rc attach_output_choose(struct attach_output *output, struct err *err)
{
    const struct attach_options *options = output->options;
    output->writer = choose_writer(options);
    if (!output->writer)
        return err_set(err, RC_FAIL, "the format is not built in");
    bool to_stdout = options->output ? strcmp(options->output, "-") == 0
                                     : options->format >= 0 && !output->writer->binary;
    if (to_stdout && output->writer->binary && terminal_is(STDOUT_FILENO))
        return err_set(err, RC_USAGE, "not writing a profile to a terminal; use -o FILE, or -o - "
                                      "with a pipe");
    if (!to_stdout)
        output->path = options->output ? xstrdup(options->output) : default_name(output);
    enum rc rc = output_file_check(output->path, options->force, err);
    if (rc == RC_IO && !options->output)
        err_add(err, "  name another place with -o FILE");
    return rc;
}

static void write_elsewhere(struct attach_output *output, const struct report *report,
                            struct err *err)
{
    const char *temporary = getenv("TMPDIR");
    const char *const places[] = {".", temporary && *temporary ? temporary : "/tmp", "/var/tmp",
                                  "/dev/shm"};
    AUTO_FREE char *name = default_name(output);
    limits_raise_file_size();
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        AUTO_FREE char *path = xasprintf("%s/%s", places[i], name);
        if (output_file_check(path, false, NULL) != RC_OK ||
            output_file_report(path, output->writer, report, &output->bytes, NULL) != RC_OK)
            continue;
        AUTO_FREE char *shown = escape_text_dup(path);
        err_add(err, "  the profile was written to %s instead", shown);
        return;
    }
    output->lost = true;
    err_add(err, "  no other place could be written either: the profile is lost");
}

enum rc attach_output_write(struct attach_output *output, const struct report *report,
                            struct err *err)
{
    enum rc rc = output_file_report(output->path, output->writer, report, &output->bytes, err);
    if (rc == RC_OK)
        return RC_OK;
    write_elsewhere(output, report, err);
    return RC_IO;
}

// "profile.pb.gz" becomes "profile.1.pb.gz".
enum rc attach_output_snapshot(const struct attach_output *output, const struct report *report,
                               unsigned number, char **path, struct err *err)
{
    AUTO_FREE char *whole = output->path ? xstrdup(output->path) : default_name(output);
    const char *ending = writer_ending(output->writer, whole);
    long long bytes;
    *path = xasprintf("%.*s.%u%s", (int)(ending - whole), whole, number, ending);
    enum rc rc = output_file_check(*path, output->options->force, err);
    return rc == RC_OK ? output_file_report(*path, output->writer, report, &bytes, err) : rc;
}
