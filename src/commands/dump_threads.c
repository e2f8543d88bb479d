// SPDX-License-Identifier: MIT
// ptprof dump-threads prints the stack of every thread, and why it waits.
#include <errno.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "commands/aside.h"
#include "commands/command.h"
#include "commands/output_file.h"
#include "dump/dump_pprof.h"
#include "dump/dump_print.h"
#include "dump/dumper.h"
#include "output/writer.h"
#include "process/procfs.h"

#define WIDE 100 // least columns of a terminal for which frames are aligned

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_GO, FORMAT_PPROF };

static const char *const format_names[] = {
    [FORMAT_TEXT] = "text",
    [FORMAT_JSON] = "json",
    [FORMAT_GO] = "go",
    [FORMAT_PPROF] = "pprof",
    NULL,
};

struct dump_options {
    struct dumper_options dumper;
    struct dump_style style;
    enum format format;
    bool json, go; // the same as format
    bool force;
    const char *output;
    uint64_t repeat;
    int64_t interval;
    enum color_mode color;
};

static const struct dump_options defaults = {
    .dumper = {.timeout = 2ll * NS_PER_S},
    .repeat = 1,
    .interval = NS_PER_S,
};

#define AT(field) .offset = offsetof(struct dump_options, field)

static const struct option dump_options[] = {
    {"group", 'g', OPTION_FLAG, NULL, AT(style.group),
     .help = "print threads with equal stacks once, the largest groups first"},
    {"kernel", 'k', OPTION_FLAG, NULL, AT(dumper.kernel),
     .help = "print where sleeping threads are inside the kernel too (root only)"},
    {"threads", 't', OPTION_STRING, "RE", AT(dumper.threads),
     .help = "only threads whose name matches this extended regular expression"},
    {"depth", 'n', OPTION_INTEGER, "FRAMES", AT(style.depth), .least = 1, .most = 4096,
     .help = "print the innermost frames only", .shown_default = "all"},
    {"repeat", 0, OPTION_INTEGER, "TIMES", AT(repeat), .least = 1, .most = 1000000,
     .help = "dump so often; from the second on only threads that ran meanwhile",
     .shown_default = "1"},
    {"interval", 'i', OPTION_DURATION, "TIME", AT(interval),
     .help = "from one dump to the next", .shown_default = "1s"},
    {"format", 'f', OPTION_CHOICE, NULL, AT(format), .choices = format_names,
     .help = "what to write", .shown_default = "text"},
    {"json", 0, OPTION_FLAG, NULL, AT(json), .help = "the same as --format=json"},
    {"go", 0, OPTION_FLAG, NULL, AT(go),
     .help = "the same as --format=go: as Go prints its goroutines"},
    {"output", 'o', OPTION_FILE, "FILE", AT(output),
     .help = "write there; - is standard output",
     .shown_default = "standard output; for pprof a file named ptprof-COMM-PID-TIME.pb.gz"},
    {"stop-all", 0, OPTION_FLAG, NULL, AT(dumper.stop_all),
     .help = "hold all threads, sleeping ones too, so that the picture is of one moment"},
    {"stop-cut", 0, OPTION_FLAG, NULL, AT(dumper.stop_cut),
     .help = "stop sleeping threads, for one copy each, whose stacks cannot be read to the end "
             "without"},
    {"timeout", 0, OPTION_DURATION, "TIME", AT(dumper.timeout),
     .help = "end a dump after this time with what was read", .shown_default = "2s"},
    {"verbose", 'v', OPTION_COUNT, NULL, AT(style.verbose),
     .help = "print the pc, stack pointer and build id of each frame"},
    {"color", 0, OPTION_CHOICE, NULL, AT(color), .choices = color_mode_names,
     .help = "colour what is printed", .shown_default = "auto"},
    {"force", 0, OPTION_FLAG, NULL, AT(force),
     .help = "allow an output file that is a symbolic link or another user's to be replaced"},
    {NULL},
};

struct dump_run {
    struct dump_options options; // as parsed, with the format resolved
    pid_t pid;
    char *path; // of the output, NULL: standard output
    struct dumper *dumper;
    struct aside aside;
    bool printed; // a dump was printed, complete or not
    bool closed;  // the reader of the output has closed it
};

static enum rc choose_format(struct dump_options *options, struct err *err)
{
    bool two = options->json && options->go;
    if (options->json)
        two |= options->format != FORMAT_TEXT && options->format != FORMAT_JSON;
    if (options->go)
        two |= options->format != FORMAT_TEXT && options->format != FORMAT_GO;
    if (two)
        return err_set(err, RC_USAGE, "dump-threads writes one format at a time");
    if (options->json || options->go)
        options->format = options->json ? FORMAT_JSON : FORMAT_GO;
    if (options->format == FORMAT_PPROF && options->repeat > 1)
        return err_set(err, RC_USAGE, "--repeat: a pprof file holds one dump");
    if (options->format != FORMAT_TEXT && options->style.group)
        return err_set(err, RC_USAGE, "--group is for the text format");
    return RC_OK;
}

// Without --output text goes to standard output, but a profile goes to a file.
static enum rc choose_output(struct dump_run *run, struct err *err)
{
    const struct dump_options *options = &run->options;
    bool pprof = options->format == FORMAT_PPROF;
    bool to_stdout = options->output ? strcmp(options->output, "-") == 0 : !pprof;
    char comm[COMM_MAX] = "";
    if (to_stdout && pprof && terminal_is(STDOUT_FILENO))
        return output_file_refuse_terminal(err);
    if (!to_stdout && !options->output && procfs_comm(run->pid, run->pid, comm) != RC_OK)
        comm[0] = '\0';
    AUTO_FREE char *pid = xasprintf("%d", (int)run->pid);
    if (!to_stdout)
        run->path = options->output ? xstrdup(options->output)
                                    : output_file_name(comm, pid, ".pb.gz");
    return output_file_check(run->path, options->force, err);
}

static enum rc prepare(struct dump_run *run, struct err *err)
{
    struct dump_options *options = &run->options;
    options->dumper.interrupted = aside_ending;
    options->dumper.context = &run->aside;
    enum rc rc = choose_format(options, err);
    if (rc == RC_OK)
        rc = dumper_open(run->pid, &options->dumper, &run->dumper, err);
    if (rc == RC_OK)
        rc = choose_output(run, err);
    if (rc == RC_OK)
        rc = aside_open(&run->aside, err);
    bool to_terminal = !run->path && terminal_is(STDOUT_FILENO);
    options->style.color = terminal_color_of(to_terminal, options->color);
    options->style.aligned = to_terminal && terminal_width(STDOUT_FILENO) >= WIDE;
    return rc;
}

static enum rc print(struct dump_run *run, const struct dump *dump, FILE *stream,
                     struct err *err)
{
    typedef void printing(struct buf *, const struct dump *, const struct dump_style *);
    static printing *const printings[] = {
        [FORMAT_TEXT] = dump_text,
        [FORMAT_JSON] = dump_json,
        [FORMAT_GO] = dump_go,
    };
    AUTO_BUF struct buf text = {0};
    if (run->options.format == FORMAT_PPROF)
        return dump_pprof(dump, dumper_modules(run->dumper), stream, err);
    printings[run->options.format](&text, dump, &run->options.style);
    errno = 0;
    if (fwrite(text.data, 1, text.length, stream) == text.length && fflush(stream) == 0)
        return RC_OK;
    if (errno != EPIPE)
        return limits_sys(err, RC_IO, errno ? errno : EIO, "cannot write the dump");
    run->closed = true;
    __fpurge(stream); // or fclose would try to write it again
    clearerr(stream);
    return RC_OK;
}

// An incomplete dump also has an error and an exit status, besides what the dump itself says.
static enum rc judge(const struct dump_run *run, const struct dump *dump, struct err *err)
{
    switch (dump->end) {
    case DUMP_TIMEOUT:
        return err_set(err, RC_TIMEOUT, "not all threads of %d could be read in time: the dump is "
                                        "incomplete",
                       (int)run->pid);
    case DUMP_TARGET_ENDED:
        return err_set(err, RC_FAIL, "%d ended while it was read: the dump is incomplete",
                       (int)run->pid);
    case DUMP_INTERRUPTED:
        return err_set(err, RC_FAIL, "interrupted: the dump is incomplete");
    case DUMP_COMPLETE:
        break;
    }
    return RC_OK;
}

// If no thread matches --threads in the first dump, that is an error. Later dumps may be empty.
static enum rc match(const struct dump_run *run, const struct dump *dump, struct err *err)
{
    bool any = !run->options.dumper.threads || run->printed;
    for (size_t i = 0; i < dump->count; i++)
        any |= dump->threads[i].wanted;
    if (any)
        return RC_OK;
    AUTO_FREE char *shown = escape_text_dup(run->options.dumper.threads);
    return err_set(err, RC_GONE, "none of the %zu threads has a name that matches --threads '%s'",
                   dump->count, shown);
}

static enum rc dump_once(struct dump_run *run, FILE *stream, struct err *err)
{
    struct dump dump;
    enum rc rc = dumper_take(run->dumper, &dump, err);
    if (rc != RC_OK)
        return rc;
    rc = match(run, &dump, err);
    if (rc == RC_OK)
        rc = print(run, &dump, stream, err);
    run->printed |= rc == RC_OK;
    if (rc == RC_OK)
        rc = judge(run, &dump, err);
    dump_fini(&dump);
    return rc;
}

static enum rc dump_all(struct dump_run *run, FILE *stream, struct err *err)
{
    for (uint64_t i = 0;; i++) {
        int64_t began = clock_now();
        enum rc rc = dump_once(run, stream, err);
        if (rc == RC_GONE && i) { // the target ended between two dumps: all dumps are complete
            err_set(err, RC_FAIL, "%d ended", (int)run->pid);
            return RC_FAIL;
        }
        if (rc != RC_OK || run->closed || i + 1 == run->options.repeat ||
            !aside_pause_until(&run->aside, began + run->options.interval))
            return rc;
        run->options.style.repeated = true;
    }
}

struct dumping {
    struct dump_run *run;
    FILE *stream;
};

static enum rc dump_aside(void *context, struct err *err)
{
    struct dumping *dumping = context;
    return dump_all(dumping->run, dumping->stream, err);
}

static void hurry(void *context)
{
    dumper_hurry(((struct dumping *)context)->run->dumper);
}

static enum rc dump_beside_signals(struct dump_run *run, FILE *stream, struct err *err)
{
    struct dumping dumping = {run, stream};
    run->aside.work = dump_aside;
    run->aside.hurry = hurry;
    run->aside.context = &dumping;
    return aside_run(&run->aside, err);
}

static int write_dumps(struct dump_run *run, struct err *err)
{
    struct output_file file;
    enum rc rc = output_file_begin(&file, run->path, err);
    bool text = run->path && run->options.format != FORMAT_PPROF;
    if (rc == RC_OK && text && writer_compresses(writer_by_name("text"), run->path))
        rc = output_file_compress(&file, err);
    if (rc == RC_OK)
        rc = dump_beside_signals(run, file.stream, err);
    // An incomplete dump is written too.
    if (run->printed && !run->closed && (rc == RC_OK || rc == RC_TIMEOUT || rc == RC_FAIL)) {
        enum rc written = output_file_commit(&file, rc == RC_OK ? err : NULL);
        rc = rc == RC_OK ? written : rc;
    }
    output_file_fini(&file);
    if (rc == RC_OK && limits_noted())
        rc = limits_sys(err, RC_LIMIT, limits_noted(), "names or stacks are missing");
    return command_status(rc);
}

static int dump_threads_run(const struct call *call, struct err *err)
{
    struct dump_run run = {.options = *(const struct dump_options *)call->options,
                           .aside = {.signals = -1, .news_fd = -1, .over_fd = -1}};
    enum rc rc = command_pid(call->operands[0], &run.pid, err);
    if (rc == RC_OK)
        rc = prepare(&run, err);
    int status = rc == RC_OK ? write_dumps(&run, err) : command_status(rc);
    dumper_close(run.dumper);
    free(run.path);
    aside_close(&run.aside);
    return status;
}

static const struct example examples[] = {
    {"ptprof dump-threads 4242", "where every thread is and why it waits"},
    {"ptprof dump-threads 4242 --group", "the same with equal stacks once"},
    {"ptprof dump-threads 4242 --repeat 3 --interval 5s", "what moves, and what does not"},
    {NULL, NULL},
};

const struct command command_dump_threads = {
    .name = "dump-threads",
    .args = "PID",
    .summary = "print where every thread is, why it waits and who holds the lock",
    .operand = OPERAND_PID,
    .least = 1,
    .most = 1,
    .options = dump_options,
    .defaults = &defaults,
    .options_size = sizeof(struct dump_options),
    .examples = examples,
    .run = dump_threads_run,
};
