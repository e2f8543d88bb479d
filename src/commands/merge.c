// SPDX-License-Identifier: MIT
// `ptprof merge FILE... -o OUT` adds profiles up, and takes a base away.
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "commands/command.h"
#include "commands/profile_output.h"
#include "commands/reading.h"

struct merge_options {
    struct profile_output output;
    const char *base;
};

static const struct merge_options defaults = {.output = {.format = -1}};

#define AT(member) .offset = offsetof(struct merge_options, member)

static const struct option options[] = {
    PROFILE_OUTPUT_OPTIONS,
    {"base", 0, OPTION_FILE, "FILE", AT(base),
     .help = "take this profile away: what grew since is above 0, what shrank below"},
    {"force", 0, OPTION_FLAG, AT(output.force),
     .help = "replace a symbolic link or a file of another user"},
    {NULL},
};

static int run(const struct call *call, struct err *err)
{
    const struct merge_options *asked = call->options;
    const struct writer *writer;
    struct plain_profile *sum = NULL;
    enum rc rc = profile_output_choose(&asked->output, &writer, err);
    if (rc == RC_OK)
        rc = reading_sum(call->operands, call->count, &sum, err);
    if (rc == RC_OK && asked->base)
        rc = reading_take_base(&sum, asked->base, false, err);
    if (rc == RC_OK)
        rc = profile_output_write(&asked->output, writer, sum, err);
    plain_free(sum);
    return command_status(rc);
}

static const struct example examples[] = {
    {"ptprof merge a.pb.gz b.pb.gz -o sum.pb.gz", "two servers as one"},
    {"ptprof merge *.pb.gz -o day.pb.gz", "a series"},
    {"ptprof merge new.pb.gz --base old.pb.gz -o grown.pb.gz", "what came since"},
    {NULL},
};

const struct command command_merge = {
    .name = "merge",
    .args = "FILE...",
    .summary = "add profiles up, and take a base away",
    .details = "Profiles have the same values and period type. The sum begins with the first of\n"
               "them and lasts as long as all of them together.\n",
    .operand = OPERAND_FILE,
    .least = 1,
    .most = SIZE_MAX,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof(struct merge_options),
    .examples = examples,
    .run = run,
};
