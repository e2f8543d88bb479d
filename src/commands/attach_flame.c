// SPDX-License-Identifier: MIT
#include "commands/attach_flame.h"

#include <string.h>

#include "base/mem.h"
#include "commands/flame_file.h"
#include "profile/measure.h"

enum rc attach_flame_check(const struct attach_options *options, struct err *err)
{
    struct flame_file file = {0};
    if (!options->flamegraph)
        return RC_OK;
    if (attach_options_types(options) == PROFILE_BIT(PROFILE_TRACE))
        return err_set(err, RC_USAGE, "--flamegraph: a trace is no profile; add another --type");
    if (strcmp(options->flamegraph, "-") == 0)
        return err_set(err, RC_USAGE, "--flamegraph: name a file; standard output is for profiles");
    enum rc rc = flame_file_choose(&file, options->flamegraph, -1, options->flamegraph, err);
    if (rc == RC_OK)
        rc = output_file_check(file.path, options->force, err);
    flame_file_fini(&file);
    return rc;
}

static char *title_of(const struct attach_outputs *outputs, const struct attach_output *output)
{
    return xasprintf("%s %d: %s", *outputs->comm ? outputs->comm : "process", (int)outputs->pid,
                     profile_types[output->kind].name);
}

enum rc attach_flame_write(const struct attach_outputs *outputs,
                           struct plain_profile *const *made, struct err *err)
{
    const struct attach_output *output = attach_outputs_profile(outputs);
    struct flame_file file = {0};
    if (!outputs->options->flamegraph || !output || !made[output->kind])
        return RC_OK;
    AUTO_FREE char *title = title_of(outputs, output);
    const struct flame_request request = {
        .profile = made[output->kind],
        .profile_name = output->path ? output->path : "standard output",
        .title = title,
        .value = measure_of(made[output->kind]).main,
    };
    const char *path = outputs->options->flamegraph;
    bool quiet = outputs->options->quiet || outputs->options->summary == SUMMARY_JSON;
    enum rc rc = flame_file_choose(&file, path, -1, path, err);
    if (rc == RC_OK)
        rc = flame_file_write(&file, &request, quiet, err);
    flame_file_fini(&file);
    return rc;
}
