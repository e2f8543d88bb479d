// SPDX-License-Identifier: MIT
#include "output/report.h"

#include <string.h>

#include "base/mem.h"
#include "output/describe.h"
#include "profile/fill.h"
#include "profile/measure.h"

struct query_source report_source(const struct report *report)
{
    return (struct query_source){report->profile, report->modules, report->symbolizer,
                                 .type = &profile_types[report->run->type],
                                 .least_block = report->run->least_block,
                                 .idle_waits = report->run->idle_waits};
}

static void add_lines(struct plain_profile *profile, const char *head, struct buf *text)
{
    char *rest = text->data;
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        AUTO_FREE char *comment = xasprintf("%s%s", head, line);
        plain_add_comment(profile, comment);
    }
}

static void add_comments(struct plain_profile *profile, const struct run *run)
{
    AUTO_BUF struct buf text = {0};
    struct measure measure = measure_of(profile);
    buf_puts(&text, "ptprof of ");
    describe_targets(&text, run);
    buf_putc(&text, '\n');
    describe_run(&text, run, profile->folded, measure_all(&measure));
    add_lines(profile, "", &text);
}

void report_timeline(struct timeline *timeline, const struct run *run)
{
    AUTO_BUF struct buf text = {0};
    timeline->profile->comment_count = 0;
    add_comments(timeline->profile, run);
    describe_trace(&text, &run->trace);
    add_lines(timeline->profile, "trace: ", &text);
}
struct plain_profile *report_profile(const struct report *report)
{
    const struct plain_profile *made = report->made ? report->made[report->run->type] : NULL;
    if (made)
        return plain_copy(made);
    struct query_source source = report_source(report);
    struct plain_profile *profile = fill_profile(&source, report->run);
    if (report->run->rate > 0)
        add_comments(profile, report->run);
    return profile;
}

void report_head(struct plain_profile *profile, const struct run *run)
{
    fill_head(profile, run);
    add_comments(profile, run);
}

enum rc report_write(const struct report *report, const struct writer *writer, FILE *out,
                     struct err *err)
{
    struct plain_profile *profile = report_profile(report);
    struct writing writing = {
        .profile = profile, .run = report->run, .jit_suffix = report->jit_suffix};
    enum rc rc = writer->write(&writing, out, err);
    plain_free(profile);
    return rc;
}
