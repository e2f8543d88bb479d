// SPDX-License-Identifier: MIT
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/terminal.h"
#include "commands/heap.h"
#include "process/procfs.h"

static const char *const format_names[] = {"table", "json", "pprof", "collapsed", "speedscope",
                                           NULL};

const struct heap_options heap_options_defaults = {.format = -1, .top = HEAP_TOP};

#define AT(field) .offset = offsetof(struct heap_options, field)

const struct option heap_options_table[] = {
    {"output", 'o', OPTION_FILE, "FILE", AT(output),
     .help = "write there; - is standard output",
     .shown_default = "standard output; for pprof a file named ptprof-COMM-PID-TIME.pb.gz"},
    {"format", 'f', OPTION_CHOICE, NULL, AT(format), .choices = format_names,
     .help = "what to write", .shown_default = "as FILE ends, else table"},
    {"json", 0, OPTION_FLAG, NULL, AT(json), .help = "the same as --format=json"},
    {"top", 'n', OPTION_INTEGER, "N", AT(top), .least = 0, .most = 1e9,
     .help = "print so many rows of the table at most, 0 for all", .shown_default = "30"},
    {"by", 0, OPTION_SET, "WHAT,...", AT(by), .choices = heap_by_words,
     .help = "what rows of the table are told apart by: kind, what (the class or type, with its "
             "kind), size, allocator, arena",
     .shown_default = "what,allocator"},
    {"examples", 0, OPTION_INTEGER, "N", AT(examples), .least = 0, .most = HEAP_EXAMPLES,
     .help = "print the first bytes of so many blocks of each row: the data of the process",
     .shown_default = "0"},
    {"swapped", 0, OPTION_FLAG, NULL, AT(swapped),
     .help = "read pages that are swapped out too, which brings them back into memory"},
    {"twice", 0, OPTION_FLAG, NULL, AT(twice),
     .help = "walk the heap twice and say which counts moved in between"},
    {"timeout", 0, OPTION_DURATION, "TIME", AT(timeout),
     .help = "end a census after this time with what was counted", .shown_default = "none"},
    {"watch", 0, OPTION_DURATION, "TIME", AT(watch),
     .help = "take a census so often and print what grew since the last and since the first one, "
             "the most first"},
    {"duration", 'd', OPTION_DURATION, "TIME", AT(duration),
     .help = "with --watch: end after this time", .shown_default = "until Ctrl-C"},
    {"diff", 0, OPTION_FLAG, NULL, AT(diff),
     .help = "print what grew between two files that ptprof heap wrote, pprof or JSON, instead"},
    {"force", 0, OPTION_FLAG, NULL, AT(force),
     .help = "allow an output file that is a symbolic link or another user's to be replaced"},
    {NULL},
};

static enum rc check_operands(const struct heap_options *options, size_t operands,
                              struct err *err)
{
    if (options->diff && operands != 2)
        return err_set(err, RC_USAGE, "heap: --diff compares two files: ptprof heap --diff OLD "
                                      "NEW");
    if (!options->diff && operands != 1)
        return err_set(err, RC_USAGE, "heap: one process at a time; two files are compared with "
                                      "--diff OLD NEW");
    return RC_OK;
}

static enum rc check(const struct heap_options *options, struct err *err)
{
    static const char exclude[] = "heap: %s and %s exclude each other";
    if (options->diff && options->watch)
        return err_set(err, RC_USAGE, exclude, "--diff", "--watch");
    if (options->watch && options->twice)
        return err_set(err, RC_USAGE, exclude, "--watch", "--twice");
    if (options->duration && !options->watch)
        return err_set(err, RC_USAGE, "heap: --duration is for --watch");
    if (options->json && options->format >= 0 &&
        strcmp(format_names[options->format], "json") != 0)
        return err_set(err, RC_USAGE, "heap writes one format at a time");
    return RC_OK;
}

// JSON and text are ours; the writers of profiles would say less.
static void choose_format(struct heap_run *run)
{
    const struct heap_options *options = &run->options;
    const char *name = options->json          ? "json"
                       : options->format >= 0 ? format_names[options->format]
                                              : NULL;
    bool path = options->output && strcmp(options->output, "-") != 0;
    run->writer = name ? writer_by_name(name) : path ? writer_by_path(options->output) : NULL;
    const char *found = run->writer ? run->writer->name : "text";
    run->format = strcmp(found, "json") == 0   ? HEAP_JSON
                  : strcmp(found, "text") == 0 ? HEAP_TABLE
                                               : HEAP_WRITER;
}

static enum rc check_format(const struct heap_run *run, struct err *err)
{
    const struct heap_options *options = &run->options;
    if (run->format == HEAP_WRITER && (options->watch || options->diff))
        return err_set(err, RC_USAGE, "heap: %s writes a table or JSON; to subtract profiles use "
                                      "go tool pprof -base, or ptprof diff",
                       options->watch ? "--watch" : "--diff");
    bool rows = run->format == HEAP_TABLE || options->watch || options->diff;
    if (!rows && options->by)
        return err_set(err, RC_USAGE, "heap: --by is for the table; the other formats tell "
                                      "everything apart");
    if (run->format == HEAP_WRITER && options->examples)
        return err_set(err, RC_USAGE, "heap: --examples is for the table and JSON");
    return RC_OK;
}

// Without --output text goes to standard output, but a binary profile goes to a file.
static enum rc choose_output(struct heap_run *run, struct err *err)
{
    const char *output = run->options.output;
    bool binary = run->format == HEAP_WRITER && run->writer->binary;
    bool to_stdout = output ? strcmp(output, "-") == 0 : !binary;
    char comm[COMM_MAX] = "";
    if (to_stdout && binary && terminal_is(STDOUT_FILENO))
        return output_file_refuse_terminal(err);
    if (!to_stdout && !output && procfs_comm(run->pid, run->pid, comm) != RC_OK)
        comm[0] = '\0';
    AUTO_FREE char *pid = xasprintf("%d", (int)run->pid);
    if (!to_stdout)
        run->path = output ? xstrdup(output) : output_file_name(comm, pid, run->writer->extension);
    return output_file_check(run->path, run->options.force, err);
}

enum rc heap_options_resolve(struct heap_run *run, size_t operands, struct err *err)
{
    enum rc rc = check_operands(&run->options, operands, err);
    if (rc == RC_OK)
        rc = check(&run->options, err);
    if (rc != RC_OK)
        return rc;
    choose_format(run);
    rc = check_format(run, err);
    if (!run->options.top)
        run->options.top = SIZE_MAX;
    return rc == RC_OK ? choose_output(run, err) : rc;
}
