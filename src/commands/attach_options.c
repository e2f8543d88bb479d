// SPDX-License-Identifier: MIT
#include "commands/attach_options.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "output/trace.h"

#define HIGHEST_MODEST_RATE 1000

#define GOROUTINE PROFILE_HEAP // number of the other name of threads; what we name comes before
#define ALL (GOROUTINE + 1)

const char *const attach_type_names[] = {
    [PROFILE_CPU] = "cpu",
    [PROFILE_WALL] = "wall",
    [PROFILE_BLOCK] = "block",
    [PROFILE_MUTEX] = "mutex",
    [PROFILE_THREADS] = "threads",
    [PROFILE_THREADCREATE] = "threadcreate",
    [PROFILE_TRACE] = "trace",
    [GOROUTINE] = "goroutine",
    [ALL] = "all",
    NULL,
};
const char *const attach_format_names[] = {"pprof", "collapsed", "json", "text", "speedscope",
                                           "go", "perf", "chrome", "firefox", NULL};
static const char *const unwinder_names[] = {
    [UNWINDER_COPY] = "copy",
    [UNWINDER_LIVE] = "live",
    NULL,
};
static const char *const summary_names[] = {
    [SUMMARY_TEXT] = "text",
    [SUMMARY_JSON] = "json",
    NULL,
};

const struct attach_options attach_defaults = {
    .session = {SESSION_DEFAULTS},
    .format = -1,
    .checkpoint = 60ll * NS_PER_S,
};

#define AT(field) .offset = offsetof(struct attach_options, field)

const struct option attach_options[] = {
    {"duration", 'd', OPTION_DURATION, "TIME", AT(duration),
     .help = "sample for this long: 30s, 500ms, 1h30m; a bare number means seconds",
     .shown_default = "until Ctrl-C"},
    {"type", 0, OPTION_SET, "TYPE,...", AT(types), .choices = attach_type_names,
     .help = "what to gather, in one run: cpu, wall (all time by state), block (what threads wait "
             "for), mutex (who holds the locks), threads (or goroutine: where each is at the "
             "beginning), threadcreate (who starts threads), trace, or all",
     .shown_default = "cpu"},
    {"rate", 'r', OPTION_NUMBER, "HZ", AT(session.rate), .least = 0.1, .most = 10000,
     .help = "samples per second of each running thread; above 1000 only with --force",
     .shown_default = "99"},
    {"output", 'o', OPTION_FILE, "FILE", AT(output),
     .help = "write the profile there; - is standard output",
     .shown_default = "standard output for a text format that -f names, else a file named "
                      "ptprof-COMM-PID-TIME"},
    {"output-dir", 0, OPTION_FILE, "DIR", AT(output_dir),
     .help = "write a file for each type there, named ptprof-COMM-PID-TIME-TYPE",
     .shown_default = "the current directory, with several types"},
    {"format", 'f', OPTION_CHOICE, NULL, AT(format), .choices = attach_format_names,
     .help = "what to write: go, perf and firefox are for --type trace, chrome is for all "
             "types, the others are for all but trace",
     .shown_default = "as FILE ends, else pprof, or go for a trace"},
    {"flamegraph", 0, OPTION_FILE, "FILE", AT(flamegraph),
     .help = "also draw the profile as a flame graph: FILE.html a page, FILE.svg a picture"},
    {"threads", 't', OPTION_STRING, "RE", AT(session.threads),
     .help = "only threads whose name matches this extended regular expression"},
    {"children", 0, OPTION_FLAG, NULL, AT(session.children),
     .help = "also the processes that descend from PID, and those that start meanwhile"},
    {"idle", 0, OPTION_FLAG, NULL, AT(session.idle),
     .help = "wall time instead of CPU time: threads that sleep count too, and are not stopped"},
    {"min-block", 0, OPTION_DURATION, "TIME", AT(session.min_block),
     .help = "block: leave out waits that last less on average"},
    {"with-idle-waits", 0, OPTION_FLAG, NULL, AT(session.idle_waits),
     .help = "block: keep waits for work, such as those of an idle worker or of an event loop"},
    {"max-size", 0, OPTION_SIZE, "SIZE", AT(session.max_size),
     .help = "trace: leave out the oldest part of what would be larger", .shown_default = "1G"},
    {"quiet", 'q', OPTION_FLAG, NULL, AT(quiet), .help = "print nothing but errors"},
    {"verbose", 'v', OPTION_COUNT, NULL, AT(verbose),
     .help = "print more: how long writing took, and the samples without a name of each module"},
    {"color", 0, OPTION_CHOICE, NULL, AT(color), .choices = color_mode_names,
     .help = "colour what is printed", .shown_default = "auto"},
    {"force", 0, OPTION_FLAG, NULL, AT(force),
     .help = "allow a rate above 1000 Hz, and an output file that is a symbolic link or another "
             "user's to be replaced"},
    {"max-depth", 0, OPTION_INTEGER, "FRAMES", AT(session.max_depth), .least = 1, .most = 65536,
     .help = "cut stacks that are deeper", .shown_default = "4096"},
    {"max-stop", 0, OPTION_NUMBER, "PERCENT", AT(session.max_stop), .least = 0.01, .most = 100,
     .help = "hold no thread for more of its time; the rate falls when it would be",
     .shown_default = "1"},
    {"unwinder", 0, OPTION_CHOICE, NULL, AT(session.unwinder), .choices = unwinder_names,
     .help = "copy: unwind afterwards, from a copy of the stack; live: while the thread is held "
             "(slow, to compare with)",
     .shown_default = "copy"},
    {"checkpoint", 0, OPTION_DURATION, "TIME", AT(checkpoint),
     .help = "so often write what was seen, without names, to a file beside the profile, which is "
             "removed at the end",
     .shown_default = "1m"},
    {"debuginfod", 0, OPTION_FLAG, NULL, AT(session.debuginfod),
     .help = "ask debuginfod servers for debug files when sampling is over; also done when "
             "DEBUGINFOD_URLS is set"},
    {"wait-for-names", 0, OPTION_FLAG, NULL, AT(session.wait_for_names),
     .help = "wait at the end for the names of all functions, however long that takes; else those "
             "that are not known a second after sampling has ended are left out and counted"},
    {"jit-suffix", 0, OPTION_FLAG, NULL, AT(session.jit_suffix),
     .help = "collapsed: put _[j] behind the names of code that the process made itself"},
    {"summary", 0, OPTION_CHOICE, NULL, AT(summary), .choices = summary_names,
     .help = "how the summary at the end is printed on standard error", .shown_default = "text"},
    {"report", 0, OPTION_FLAG, NULL, AT(report),
     .help = "print the profiles too, as ptprof report does, when they are written"},
    {"min-quality", 0, OPTION_NUMBER, "PERCENT", AT(min_quality), .least = 0, .most = 100,
     .help = "exit with status 5 when fewer stacks than that are complete"},
    {NULL},
};

unsigned attach_options_types(const struct attach_options *options)
{
    unsigned types = options->types;
    if (types & PROFILE_BIT(GOROUTINE))
        types |= PROFILE_BIT(PROFILE_THREADS);
    if (types & PROFILE_BIT(ALL))
        types = UINT32_MAX;
    types &= PROFILE_BIT(GOROUTINE) - 1;
    if (options->session.idle)
        types |= PROFILE_BIT(PROFILE_WALL);
    return types ? types : PROFILE_BIT(PROFILE_CPU);
}

char *attach_options_directory(const struct attach_options *options)
{
    const char *slash = options->output ? strrchr(options->output, '/') : NULL;
    if (slash)
        return slash == options->output ? xstrdup("/")
                                        : xstrndup(options->output,
                                                   (size_t)(slash - options->output));
    return xstrdup(options->output_dir ? options->output_dir : ".");
}

// Several types do not fit into one file.
static enum rc check_places(const struct attach_options *options, struct err *err)
{
    unsigned types = attach_options_types(options);
    bool about_block = options->session.min_block || options->session.idle_waits;
    if (about_block && !(types & PROFILE_BIT(PROFILE_BLOCK)))
        return err_set(err, RC_USAGE, "--%s: this is for --type block",
                       options->session.min_block ? "min-block" : "with-idle-waits");
    if (options->output && options->output_dir)
        return err_set(err, RC_USAGE, "--output and --output-dir exclude each other");
    if (!options->output || !(types & (types - 1)))
        return RC_OK;
    err_set(err, RC_USAGE, "--output: each type needs a file of its own");
    err_add(err, "  name a directory with --output-dir DIR, or one --type");
    return RC_USAGE;
}

// Refuses a format that no type has.
static enum rc check_format(const struct attach_options *options, struct err *err)
{
    const unsigned trace = PROFILE_BIT(PROFILE_TRACE), types = attach_options_types(options);
    const char *name = options->format >= 0 ? attach_format_names[options->format] : NULL;
    bool of_profiles = name && writer_by_name(name), of_traces = name && trace_writer_by_name(name);
    if (of_traces && !of_profiles && !(types & trace))
        return err_set(err, RC_USAGE, "--format: %s is for --type trace", name);
    if (of_profiles && !of_traces && types == trace)
        return err_set(err, RC_USAGE,
                       "--format: a trace is written as go, perf, chrome or firefox");
    return RC_OK;
}

// Refuses names that end like a picture, because others would take the profile for one.
static enum rc check_ending(const struct attach_options *options, struct err *err)
{
    static const char *const pictures[] = {".svg", ".html", ".png"};
    const char *dot = options->output ? strrchr(options->output, '.') : NULL;
    for (size_t i = 0; dot && options->format < 0 && i < ARRAY_LENGTH(pictures); i++) {
        if (strcmp(dot, pictures[i]) != 0)
            continue;
        err_set(err, RC_USAGE, "--output: a profile is no %s file", pictures[i]);
        err_add(err, "  --flamegraph FILE.html or FILE.svg draws it as a flame graph");
        return RC_USAGE;
    }
    return RC_OK;
}

enum rc attach_options_check(const struct attach_options *options, struct err *err)
{
    if (options->session.rate > HIGHEST_MODEST_RATE && !options->force)
        return err_set(err, RC_USAGE, "--rate: %g Hz is more than %d; add --force if you mean it",
                       options->session.rate, HIGHEST_MODEST_RATE);
    enum rc rc = check_places(options, err);
    if (rc == RC_OK)
        rc = check_format(options, err);
    return rc == RC_OK ? check_ending(options, err) : rc;
}
