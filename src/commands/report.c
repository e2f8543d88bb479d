// SPDX-License-Identifier: MIT
// `ptprof report FILE` prints what is in a profile, in the numbers of `go tool pprof`. A view is a
// row of a table: which options ask for it, and what prints it.
#include "commands/report.h"

#include <stddef.h>
#include <stdio.h>

#include "base/mem.h"
#include "commands/command.h"
#include "commands/report_view.h"

static const struct report_options defaults = {.top = REPORT_ANY_COUNT};

static const char *const sort_names[] = {
    [CALL_BY_SELF] = "self",
    [CALL_BY_TOTAL] = "total",
    NULL,
};

#define AT(field) .offset = offsetof(struct report_options, field)

static const struct option options[] = {
    {"top", 'n', OPTION_INTEGER, "N", AT(top), .least = 0, .most = 1e9,
     .help = "so many functions, 0 for all that are not dropped",
     .shown_default = "20, with --tree and --graph 80"},
    {"tree", 0, OPTION_FLAG, NULL, AT(tree), .help = "functions with their callers and callees"},
    {"peek", 0, OPTION_STRING, "RE", AT(peek),
     .help = "the same of functions whose names match, however little they cost"},
    {"traces", 0, OPTION_FLAG, NULL, AT(traces), .help = "each stack with its labels"},
    {"list", 0, OPTION_STRING, "RE", AT(list),
     .help = "the source lines of functions whose names match, with what each costs"},
    {"source-path", 0, OPTION_STRING, "DIR:...", AT(source_path),
     .help = "list: where sources are, if not where the profile says",
     .shown_default = "the current directory"},
    {"trim-path", 0, OPTION_STRING, "PREFIX:...", AT(trim_path),
     .help = "list: look for files whose paths begin so only below the directories of "
             "--source-path"},
    {"graph", 0, OPTION_FILE, "FILE", AT(graph),
     .help = "draw the call graph: FILE ends in .svg, .png, .pdf or .dot; - prints the text of a "
             ".dot file"},
    {"by", 0, OPTION_STRING, "WHAT", AT(by),
     .help = "add up by thread, module, state or any other label"},
    {"sort", 's', OPTION_CHOICE, NULL, AT(sort), .choices = sort_names,
     .help = "what to sort by", .shown_default = "self"},
    READING_FILTER_OPTIONS,
    {"sample-type", 0, OPTION_STRING, "TYPE", AT(reading.sample_type),
     .help = "which of the profile's values, by name or number"},
    {"inuse", 0, OPTION_FLAG, NULL, AT(reading.inuse),
     .help = "of a heap profile: memory in use, as --sample-type inuse_space"},
    {"alloc", 0, OPTION_FLAG, NULL, AT(reading.alloc),
     .help = "of a heap profile: memory ever allocated, as --sample-type alloc_space"},
    {"base", 0, OPTION_FILE, "FILE", AT(reading.base),
     .help = "take this profile away; shares are of what is left"},
    {"diff-base", 0, OPTION_FILE, "FILE", AT(reading.diff_base),
     .help = "take it away; shares are of what it has"},
    {"force", 0, OPTION_FLAG, NULL, AT(force),
     .help = "graph: allow a FILE that is a symbolic link or another user's to be replaced"},
    {"json", 0, OPTION_FLAG, NULL, AT(json), .help = "print one JSON document"},
    {NULL},
};

struct report_view {
    const char *option; // that asks for it; NULL: the one of all others
    bool (*is_wanted)(const struct report_options *wanted);
    report_print *print;
};

static bool wants_tree(const struct report_options *wanted)
{
    return wanted->tree;
}

static bool wants_peek(const struct report_options *wanted)
{
    return wanted->peek;
}

static bool wants_traces(const struct report_options *wanted)
{
    return wanted->traces;
}

static bool wants_list(const struct report_options *wanted)
{
    return wanted->list;
}

static bool wants_picture(const struct report_options *wanted)
{
    return wanted->graph;
}

static bool wants_groups(const struct report_options *wanted)
{
    return wanted->by;
}

static const struct report_view views[] = {
    {"--tree", wants_tree, report_print_tree},
    {"--peek", wants_peek, report_print_peek},
    {"--traces", wants_traces, report_print_traces},
    {"--list", wants_list, report_print_list},
    {"--graph", wants_picture, report_print_picture},
    {"--by", wants_groups, report_print_groups},
};

static const struct report_view functions = {.print = report_print_top};

static enum rc choose_view(const struct report_options *wanted, const struct report_view **chosen,
                           struct err *err)
{
    *chosen = &functions;
    for (size_t i = 0; i < ARRAY_LENGTH(views); i++) {
        if (!views[i].is_wanted(wanted))
            continue;
        if ((*chosen)->option)
            return err_set(err, RC_USAGE, "%s and %s exclude each other", (*chosen)->option,
                           views[i].option);
        *chosen = &views[i];
    }
    return RC_OK;
}

static void warn_if_nothing_is_left(const struct reported *reading)
{
    if (!reading->whole->samples.count)
        fputs("ptprof: the profile has no samples\n", stderr);
    else if (!reading->part->samples.count)
        fputs("ptprof: no sample passes the filters\n", stderr);
}

static int run(const struct call *call, struct err *err)
{
    const struct report_options *wanted = call->options;
    const struct report_view *view;
    struct reported reading;
    enum rc rc = choose_view(wanted, &view, err);
    if (rc == RC_OK)
        rc = reading_open(call->operands, call->count, &wanted->reading, &reading, err);
    if (rc != RC_OK)
        return command_status(rc);
    warn_if_nothing_is_left(&reading);
    report_print *print = wanted->json && !wanted->graph ? report_print_json : view->print;
    rc = print(wanted, &reading, stdout, err);
    reading_close(&reading);
    return command_status(rc);
}

enum rc report_print_of(struct plain_profile *profile, struct err *err)
{
    struct reported reading;
    enum rc rc = reading_of(profile, &defaults.reading, &reading, err);
    if (rc != RC_OK)
        return rc;
    warn_if_nothing_is_left(&reading);
    rc = report_print_top(&defaults, &reading, stdout, err);
    reading_close(&reading);
    return rc;
}

const struct command command_report = {
    .name = "report",
    .args = "FILE...",
    .summary = "print what is in a profile: functions, callers, stacks, lines, labels",
    .details = "FILE is a profile of any format that ptprof reads, - is standard input; several\n"
               "are added up. The numbers are those that go tool pprof gives.\n",
    .operand = OPERAND_FILE,
    .least = 1,
    .most = SIZE_MAX,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .examples =
        (const struct example[]){
            {"ptprof report cpu.pb.gz", "the functions that cost most"},
            {"ptprof report cpu.pb.gz --sort total --top 50", "with what they call"},
            {"ptprof report cpu.pb.gz --peek '^malloc$'", "who calls malloc, and what it calls"},
            {"ptprof report cpu.pb.gz --list '^work$'", "which lines of a function cost how much"},
            {"ptprof report cpu.pb.gz --graph cpu.svg", "a picture of the call graph"},
            {"ptprof report cpu.pb.gz --by thread", "which threads cost how much"},
            {"ptprof report heap.pb.gz --alloc --tagfocus bytes=1mb:", "large allocations"},
            {"ptprof report new.pb.gz --diff-base old.pb.gz", "what has changed"},
            {NULL, NULL},
        },
    .run = run,
};
