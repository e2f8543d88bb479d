// SPDX-License-Identifier: MIT
#include "commands/top_screen.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/mem.h"
#include "commands/output_file.h"
#include "commands/summary.h"
#include "output/writer.h"
#include "tui/tui.h"

// An existing file is not overwritten, because the user may not know that there is one; another
// name can be typed.
static enum rc refuse_existing(const char *path, struct err *err)
{
    if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
        return RC_OK;
    AUTO_FREE char *shown = escape_text_dup(path);
    return err_set(err, RC_USAGE, "%s is there already: choose another name", shown);
}

// What comes from a file has all its names.
static enum rc write_still(const struct snapshot *snapshot, const struct rows_query *query,
                           FILE *out, struct err *err)
{
    struct plain_profile *shown;
    enum rc rc = rows_extract(&snapshot->moment, query, &shown, err);
    if (rc == RC_OK)
        rc = writer_by_name("pprof")->write(&(struct writing){.profile = shown}, out, err);
    plain_free(shown);
    return rc;
}

enum rc top_screen_save(void *context, const struct snapshot *snapshot,
                        const struct rows_query *query, const char *path, struct err *err)
{
    struct output_file file;
    enum rc rc = output_file_check(path, false, err);
    if (rc == RC_OK)
        rc = refuse_existing(path, err);
    if (rc != RC_OK)
        return rc;
    rc = output_file_begin(&file, path, err);
    if (rc == RC_OK)
        rc = feed_is_still(context) ? write_still(snapshot, query, file.stream, err)
                                    : feed_write(context, snapshot, query, file.stream, err);
    if (rc == RC_OK)
        rc = output_file_commit(&file, err);
    output_file_fini(&file);
    return rc;
}

static void print_summary(const struct top_options *options, struct feed *feed)
{
    AUTO_BUF struct buf text = {0};
    struct report report = feed_finish(feed);
    struct summary summary = {
        .report = &report,
        .color = terminal_color(STDERR_FILENO, options->screen.color),
    };
    if (!report.run->counts[COUNTER_SAMPLES])
        return;
    summary_text(&text, &summary);
    fwrite(text.data, 1, text.length, stderr);
}

enum rc top_screen_run(const struct top_options *options, struct feed *feed, int signals,
                       struct err *err)
{
    struct tui_options tui = options->screen;
    tui.feed = feed;
    tui.signals = signals;
    tui.save = top_screen_save;
    tui.context = feed;
    enum rc rc = tui_run(&tui, err);
    if (rc == RC_OK && !feed_is_replay(feed))
        print_summary(options, feed);
    return rc;
}
