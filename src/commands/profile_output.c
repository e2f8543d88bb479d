// SPDX-License-Identifier: MIT
#include "commands/profile_output.h"

#include <string.h>
#include <unistd.h>

#include "base/terminal.h"
#include "output/trace.h"
#include "profile/plain_timeline.h"

const char *const profile_output_formats[] = {"pprof", "collapsed", "speedscope", "perf", "chrome",
                                              "firefox", "json", "text", NULL};

static const char *path_of(const struct profile_output *output)
{
    return output->path && strcmp(output->path, "-") != 0 ? output->path : NULL;
}

// The longer ending counts: ".perf.txt" rather than ".txt". Some formats know timelines only.
static const struct writer *by_path(const char *path)
{
    const struct writer *writer = writer_by_path(path), *of_times = trace_writer_by_path(path);
    if (!writer || !of_times)
        return writer ? writer : of_times;
    return writer_ending(of_times, path) < writer_ending(writer, path) ? of_times : writer;
}

static const struct writer *by_name(const char *name)
{
    const struct writer *writer = writer_by_name(name);
    return writer ? writer : trace_writer_by_name(name);
}

enum rc profile_output_choose(const struct profile_output *output, const struct writer **writer,
                              struct err *err)
{
    const char *path = path_of(output);
    *writer = output->format >= 0 ? by_name(profile_output_formats[output->format])
              : path              ? by_path(path)
                                  : NULL;
    if (!*writer || strcmp((*writer)->name, "go") == 0) // which needs times that are true
        return err_set(err, RC_USAGE, "which format? --format names it, or the ending of -o FILE "
                                      "(.pb.gz .folded .speedscope.json .perf.txt .trace.json "
                                      ".firefox.json .json .txt)");
    if (!path && (*writer)->binary && terminal_is(STDOUT_FILENO))
        return output_file_refuse_terminal(err);
    return output_file_check(path, output->force, err);
}

enum rc profile_output_write(const struct profile_output *output, const struct writer *writer,
                             const struct plain_profile *profile, struct err *err)
{
    const struct measure measure = measure_of(profile);
    struct timeline *timeline = writer->write ? NULL : plain_timeline(profile, &measure);
    const struct output_content content = {
        .writer = writer, .profile = timeline ? NULL : profile, .timeline = timeline};
    long long size;
    enum rc rc = output_file_write(path_of(output), &content, &size, err);
    timeline_free(timeline);
    return rc;
}
