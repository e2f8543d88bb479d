// SPDX-License-Identifier: MIT
// `ptprof diff OLD NEW` says what grew and shrank between two profiles, or two series of them.
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "commands/command.h"
#include "commands/diff_text.h"
#include "commands/profile_input.h"
#include "commands/reading.h"
#include "rows/call_graph.h"
#include "rows/difference.h"

#define NOT_GIVEN UINT64_MAX
#define FILES_MOST 1000
#define TYPES_SHOWN 400 // bytes

struct diff_options {
    uint64_t with; // how many of the operands are old
    struct reading_options reading; // base and diff_base are not used
    const char *by;
    int sort; // enum call_order
    uint64_t top;
    double fail_over, false_alarms; // percent; fail_over: below 0: not given
    bool json;
    enum color_mode color;
};

static const struct diff_options defaults = {
    .with = NOT_GIVEN, .by = "function", .top = 20, .fail_over = -1, .false_alarms = 5};

static const char *const sort_names[] = {
    [CALL_BY_SELF] = "self",
    [CALL_BY_TOTAL] = "total",
    NULL,
};

#define AT(member) .offset = offsetof(struct diff_options, member)

static const struct option option_table[] = {
    {"with", 0, OPTION_PLACE, AT(with),
     .help = "what follows is new, what stands before it old: several files a side tell how much "
             "runs differ by themselves"},
    {"sort", 's', OPTION_CHOICE, AT(sort), .choices = sort_names,
     .help = "compare what functions have as the innermost one, or anywhere in the stack",
     .shown_default = "self"},
    {"by", 0, OPTION_STRING, "WHAT", AT(by),
     .help = "compare function, module, or the values of a label, such as thread or state",
     .shown_default = "function"},
    {"top", 'n', OPTION_INTEGER, "N", AT(top), .least = 0, .most = 1e9,
     .help = "print so many rows at most, 0 for all", .shown_default = "20"},
    READING_FILTER_OPTIONS,
    {"sample-type", 0, OPTION_STRING, "TYPE", AT(reading.sample_type),
     .help = "which values, by name or number", .shown_default = "the first file's"},
    {"inuse", 0, OPTION_FLAG, AT(reading.inuse),
     .help = "of heap profiles: memory in use, as --sample-type inuse_space"},
    {"alloc", 0, OPTION_FLAG, AT(reading.alloc),
     .help = "of heap profiles: memory ever allocated, as --sample-type alloc_space"},
    {"fail-over", 0, OPTION_PERCENT, "PERCENT", AT(fail_over), .least = 0, .most = 100,
     .help = "exit with status 6 when something grew, beyond noise, by more than so much of the "
             "total"},
    {"false-alarms", 0, OPTION_PERCENT, "PERCENT", AT(false_alarms), .least = 0.0001, .most = 50,
     .help = "how many of those that are said to have changed may be chance",
     .shown_default = "5%"},
    {"json", 0, OPTION_FLAG, AT(json), .help = "print one JSON document"},
    {"color", 0, OPTION_CHOICE, AT(color), .choices = color_mode_names,
     .help = "colour the table", .shown_default = "auto"},
    {NULL},
};

struct files { // of one side
    char *const *names;
    size_t count;
    struct reported *readings;     // [file]
    struct tally_source *sources; // [file]
};

struct diff {
    const struct diff_options *options;
    struct files old, new;
    struct difference_query query;
};

// --- input ---

static void free_files(struct files *files)
{
    for (size_t i = 0; files->readings && i < files->count; i++)
        reading_close(&files->readings[i]);
    free(files->readings);
    free(files->sources);
}

static enum rc split(struct diff *diff, const struct call *call, struct err *err)
{
    size_t old = diff->options->with == NOT_GIVEN ? 1 : (size_t)diff->options->with;
    diff->old = (struct files){.names = call->operands, .count = old};
    diff->new = (struct files){.names = call->operands + old, .count = call->count - old};
    if (diff->options->with == NOT_GIVEN && call->count > 2)
        return err_set(err, RC_USAGE, "diff: of more than two files --with says which are new: "
                                      "ptprof diff OLD... --with NEW...");
    if (!old || old == call->count)
        return err_set(err, RC_USAGE, "diff: --with needs files on both sides: "
                                      "ptprof diff OLD... --with NEW...");
    return RC_OK;
}

static void put_types(struct err *err, const char *name, const struct plain_profile *profile)
{
    AUTO_BUF struct buf text = {0};
    AUTO_FREE char *shown = escape_text_dup(name);
    for (size_t i = 0; i < profile->type_count && text.length < TYPES_SHOWN; i++) {
        buf_puts(&text, i ? ", " : "");
        escape_text(&text, plain_string(profile, profile->types[i].type));
        buf_putc(&text, '/');
        escape_text(&text, plain_string(profile, profile->types[i].unit));
    }
    err_add(err, "  %s: %s", shown, text.length ? text.data : "no values at all");
}

static bool has_type(const struct plain_profile *profile, const struct reported *first)
{
    for (size_t i = 0; i < profile->type_count; i++)
        if (strcmp(plain_string(profile, profile->types[i].type), first->type) == 0 &&
            strcmp(plain_string(profile, profile->types[i].unit), first->unit) == 0)
            return true;
    return false;
}

static enum rc refuse_types(const struct diff *diff, const struct plain_profile *profile,
                            const char *name, struct err *err)
{
    const struct reported *first = &diff->old.readings[0];
    AUTO_FREE char *type = escape_text_dup(first->type), *unit = escape_text_dup(first->unit);
    err_set(err, RC_USAGE, "diff: not all of the profiles have %s/%s", type, unit);
    put_types(err, diff->old.names[0], first->whole);
    put_types(err, name, profile);
    err_add(err, "  --sample-type chooses a type that all have, if there is one");
    return RC_USAGE;
}

// Reads a file that has to have the values of the first one.
static enum rc read_next(const struct diff *diff, const char *name, struct reported *reading,
                         struct err *err)
{
    const struct reported *first = &diff->old.readings[0];
    struct reading_options wanted = {.sample_type = first->type,
                                     .filter = diff->options->reading.filter};
    struct plain_profile *profile;
    enum rc rc = profile_input_read(name, &profile, err);
    if (rc != RC_OK)
        return rc;
    if (!has_type(profile, first)) {
        rc = refuse_types(diff, profile, name, err);
        plain_free(profile);
        return rc;
    }
    rc = reading_of(profile, &wanted, reading, err);
    if (rc == RC_OK && strcmp(reading->unit, first->unit) != 0)
        rc = refuse_types(diff, reading->whole, name, err);
    return rc;
}

static enum rc read_files(struct diff *diff, struct files *files, struct err *err)
{
    files->readings = xcalloc(files->count, sizeof *files->readings);
    files->sources = xcalloc(files->count, sizeof *files->sources);
    enum rc rc = RC_OK;
    for (size_t i = 0; i < files->count && rc == RC_OK; i++) {
        struct reported *reading = &files->readings[i];
        char *name[] = {files->names[i]};
        rc = reading == &diff->old.readings[0]
                 ? reading_open(name, 1, &diff->options->reading, reading, err)
                 : read_next(diff, name[0], reading, err);
        files->sources[i] = (struct tally_source){reading->whole, reading->part, reading->value};
    }
    return rc;
}

static struct difference_query query_of(const struct diff_options *options)
{
    bool function = strcmp(options->by, "function") == 0;
    bool module = strcmp(options->by, "module") == 0;
    return (struct difference_query){
        .by = function ? TALLY_FUNCTION : module ? TALLY_MODULE : TALLY_LABEL,
        .label = options->by,
        .total = options->sort == CALL_BY_TOTAL,
        .false_alarms = options->false_alarms / 100,
    };
}

static bool has_label(const struct files *files, const char *key)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct plain_profile *profile = files->readings[i].whole;
        for (size_t k = 0; k < profile->labels.count; k++)
            if (strcmp(plain_string(profile, profile->labels.list[k].key), key) == 0)
                return true;
    }
    return false;
}

static enum rc check_label(const struct diff *diff, struct err *err)
{
    const char *key = diff->options->by;
    if (diff->query.by != TALLY_LABEL || has_label(&diff->old, key) || has_label(&diff->new, key))
        return RC_OK;
    AUTO_FREE char *shown = escape_text_dup(key);
    return err_set(err, RC_USAGE, "diff: --by: no sample has the label %s; function and module "
                                  "need none", shown);
}

// --- output ---

static struct difference_side side_of(const struct files *files)
{
    return (struct difference_side){files->sources, files->count};
}

static void print(const struct diff *diff, const struct difference *difference)
{
    AUTO_BUF struct buf text = {0};
    const struct diff_options *options = diff->options;
    struct diff_printing printing = {
        .difference = difference,
        .query = &diff->query,
        .type = diff->old.readings[0].type,
        .unit = diff->old.readings[0].unit,
        .by = options->by,
        .old = diff->old.names,
        .new = diff->new.names,
        .top = options->top ? options->top : SIZE_MAX,
        .color = terminal_color(STDOUT_FILENO, options->color),
        .utf8 = terminal_utf8(),
    };
    if (options->json)
        diff_json(&text, &printing);
    else
        diff_text(&text, &printing);
    fwrite(text.data, 1, text.length, stdout);
}

// Returns EXIT_GREW and names the first one if something grew by more than the limit.
static int judge(const struct diff_options *options, const struct difference *difference,
                 struct err *err)
{
    if (options->fail_over < 0)
        return EXIT_DONE;
    if (!difference_is_tested(difference))
        return command_status(
            err_set(err, RC_USAGE, "diff: --fail-over: nothing is known of the error of these "
                                   "values; with several files a side it is"));
    for (size_t i = 0; i < difference->count; i++) {
        const struct difference_row *row = &difference->rows[i];
        if (!difference_grew_over(row, options->fail_over / 100))
            continue;
        AUTO_FREE char *shown = escape_text_dup(row->name);
        err_set(err, RC_FAIL, "%s grew by %.2f%% of the total, which is more than --fail-over %g%%",
                shown, row->shares.change * 100, options->fail_over);
        return EXIT_GREW;
    }
    return EXIT_DONE;
}

static int compare(struct diff *diff, struct err *err)
{
    struct difference difference;
    struct difference_side old = side_of(&diff->old), new = side_of(&diff->new);
    difference_init(&difference, &old, &new, &diff->query);
    print(diff, &difference);
    int status = judge(diff->options, &difference, err);
    difference_fini(&difference);
    return status;
}

static int run(const struct call *call, struct err *err)
{
    struct diff diff = {.options = call->options, .query = query_of(call->options)};
    enum rc rc = split(&diff, call, err);
    if (rc == RC_OK)
        rc = read_files(&diff, &diff.old, err);
    if (rc == RC_OK)
        rc = read_files(&diff, &diff.new, err);
    if (rc == RC_OK)
        rc = check_label(&diff, err);
    int status = rc == RC_OK ? compare(&diff, err) : command_status(rc);
    free_files(&diff.old);
    free_files(&diff.new);
    return status;
}

static const struct example examples[] = {
    {"ptprof diff old.pb.gz new.pb.gz", "what grew and shrank, beyond noise"},
    {"ptprof diff old/*.gz --with new/*.gz", "two series of runs: what differs anyway is noise"},
    {"ptprof diff old.gz new.gz --fail-over 5%", "status 6 when a function takes 5% more of all"},
    {NULL, NULL},
};

const struct command command_diff = {
    .name = "diff",
    .args = "OLD NEW | OLD... --with NEW...",
    .summary = "say what grew and shrank between profiles, beyond noise",
    .operand = OPERAND_FILE,
    .least = 2,
    .most = FILES_MOST,
    .options = option_table,
    .defaults = &defaults,
    .options_size = sizeof(struct diff_options),
    .examples = examples,
    .run = run,
};
