// SPDX-License-Identifier: MIT
// `ptprof convert IN -o OUT` writes a profile of any format that we read in any that we write.
#include <stddef.h>

#include "commands/command.h"
#include "commands/profile_input.h"
#include "commands/profile_output.h"

struct convert_options {
    struct profile_output output;
    const char *sample_type;
};

static const struct convert_options defaults = {.output = {.format = -1}};

#define AT(member) .offset = offsetof(struct convert_options, member)

static const struct option options[] = {
    PROFILE_OUTPUT_OPTIONS,
    {"sample-type", 0, OPTION_STRING, "TYPE", AT(sample_type),
     .help = "which values count in formats that hold one of each sample",
     .shown_default = "what the profile says"},
    {"force", 0, OPTION_FLAG, AT(output.force),
     .help = "replace a symbolic link or a file of another user"},
    {NULL},
};

static int run(const struct call *call, struct err *err)
{
    const struct convert_options *asked = call->options;
    const struct writer *writer;
    struct plain_profile *profile = NULL;
    enum rc rc = profile_output_choose(&asked->output, &writer, err);
    if (rc == RC_OK)
        rc = profile_input_read(call->operands[0], &profile, err);
    if (rc == RC_OK)
        rc = profile_input_choose(profile, asked->sample_type, err);
    if (rc == RC_OK)
        rc = profile_output_write(&asked->output, writer, profile, err);
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
