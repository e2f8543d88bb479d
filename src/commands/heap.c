// SPDX-License-Identifier: MIT
// ptprof heap says what is in the memory that a process has allocated.
#include "commands/heap.h"

#include <errno.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/figures.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "commands/progress.h"
#include "heap/census_profile.h"

#define PROGRESS_AFTER NS_PER_S // most censuses are over before
#define PROGRESS_EVERY (NS_PER_S / 4)

static void show_progress(struct heap_run *run, int64_t now)
{
    char read[FIGURES_MOST];
    AUTO_FREE char *rest =
        xasprintf("%s read", figures_bytes(run->target->view.counts.read, 'B', read));
    progress_line(now - run->began, 0, rest);
    run->shown = now + PROGRESS_EVERY;
}

static bool is_over(void *context)
{
    struct heap_run *run = context;
    int64_t now = clock_now();
    run->timed_out |= run->deadline && now >= run->deadline;
    if (run->shown && now >= run->shown)
        show_progress(run, now);
    return run->timed_out || aside_ending(&run->aside);
}

enum rc heap_take(struct heap_run *run, struct heap_census **census, struct err *err)
{
    const struct heap_census_options options = {.interrupted = is_over, .context = run};
    bool line = terminal_is(STDERR_FILENO) && !run->options.watch;
    run->timed_out = false;
    run->began = clock_now();
    run->deadline = run->options.timeout ? run->began + run->options.timeout : 0;
    run->shown = line ? run->began + PROGRESS_AFTER : 0;
    enum rc rc = heap_census_take(run->target, run->kinds, &options, census, err);
    if (line)
        progress_clear();
    return rc;
}

enum rc heap_put(struct heap_run *run, const struct buf *text, struct err *err)
{
    errno = 0;
    if (fwrite(text->data, 1, text->length, run->stream) == text->length &&
        fflush(run->stream) == 0) {
        run->printed = true;
        return RC_OK;
    }
    if (errno != EPIPE)
        return limits_sys(err, RC_IO, errno ? errno : EIO, "cannot write the census");
    run->closed = true;
    __fpurge(run->stream); // or fclose would try to write it again
    clearerr(run->stream);
    return RC_OK;
}

// --- one look ---

static enum rc write_profile(struct heap_run *run, const struct heap_census *census,
                             struct err *err)
{
    enum rc rc = census_write(census, run->writer, run->stream, err);
    run->printed = rc == RC_OK;
    return rc;
}

static enum rc print(struct heap_run *run, const struct heap_census *census,
                     const struct heap_census *before, struct err *err)
{
    const struct heap_printing printing = {
        .census = census,
        .before = before,
        .target = run->target,
        .by = run->options.by,
        .top = run->options.top,
        .examples = (unsigned)run->options.examples,
    };
    AUTO_BUF struct buf text = {0};
    if (run->format == HEAP_WRITER)
        return write_profile(run, census, err);
    if (run->format == HEAP_JSON)
        heap_json(&text, &printing);
    else
        heap_text(&text, &printing);
    return heap_put(run, &text, err);
}

// An incomplete census also has an error and an exit status, besides what it says itself.
static enum rc judge(const struct heap_run *run, const struct heap_census *census,
                     struct err *err)
{
    if (census->complete)
        return RC_OK;
    if (run->timed_out)
        return err_set(err, RC_TIMEOUT, "not all blocks of %d could be counted in time: the census "
                                        "is incomplete",
                       (int)run->pid);
    return err_set(err, RC_FAIL, "interrupted: the census is incomplete");
}

// A second walk that does not come to its end is not told of: the first one is complete.
static enum rc walk_again(struct heap_run *run, const struct heap_census *first, struct err *err)
{
    struct heap_census *second = NULL;
    enum rc rc = heap_take(run, &second, err);
    bool whole = rc == RC_OK && second->complete;
    if (rc == RC_OK || rc == RC_GONE)
        rc = print(run, whole ? second : first, whole ? first : NULL, err);
    heap_census_free(second);
    return rc;
}

static enum rc look(struct heap_run *run, struct err *err)
{
    struct heap_census *census;
    enum rc rc = heap_take(run, &census, err);
    if (rc != RC_OK)
        return rc;
    if (run->options.twice && census->complete && census->allocator_count)
        rc = walk_again(run, census, err);
    else
        rc = print(run, census, NULL, err);
    if (rc == RC_OK)
        rc = judge(run, census, err);
    heap_census_free(census);
    return rc;
}

// --- the command ---

static enum rc work(void *context, struct err *err)
{
    struct heap_run *run = context;
    enum rc rc = heap_target_open(run->pid, run->options.swapped, &run->target, err);
    if (rc != RC_OK)
        return rc;
    run->kinds = kinds_new(run->target);
    rc = run->options.watch ? heap_watch(run, err) : look(run, err);
    kinds_free(run->kinds);
    heap_target_close(run->target);
    return rc;
}

// What is incomplete is written too.
static enum rc commit(struct heap_run *run, struct output_file *file, enum rc rc, struct err *err)
{
    if (!run->printed || run->closed || rc == RC_IO)
        return rc;
    enum rc written = output_file_commit(file, rc == RC_OK ? err : NULL);
    if (written == RC_OK && !run->options.output && file->path)
        output_file_say(file->path, file->bytes); // we chose its name
    return rc == RC_OK ? written : rc;
}

static enum rc write_output(struct heap_run *run, char **operands, struct err *err)
{
    struct output_file file;
    enum rc rc = output_file_begin(&file, run->path, err);
    const struct writer *packed = run->writer ? run->writer : writer_by_name("text");
    if (rc == RC_OK && run->path && writer_compresses(packed, run->path))
        rc = output_file_compress(&file, err);
    run->stream = file.stream;
    if (rc == RC_OK)
        rc = run->options.diff ? heap_diff(run, operands, err) : aside_run(&run->aside, err);
    rc = commit(run, &file, rc, err);
    output_file_fini(&file);
    if (rc == RC_OK && limits_noted())
        rc = limits_sys(err, RC_LIMIT, limits_noted(), "names are missing");
    return rc;
}

static int heap_run(const struct call *call, struct err *err)
{
    struct heap_run run = {
        .options = *(const struct heap_options *)call->options,
        .aside = {.signals = -1, .news_fd = -1, .over_fd = -1, .work = work},
    };
    run.aside.context = &run;
    enum rc rc = RC_OK;
    if (!run.options.diff)
        rc = command_pid(call->operands[0], &run.pid, err);
    if (rc == RC_OK)
        rc = heap_options_resolve(&run, call->count, err);
    if (rc == RC_OK)
        rc = aside_open(&run.aside, err);
    if (rc == RC_OK)
        rc = write_output(&run, call->operands, err);
    aside_close(&run.aside);
    free(run.path);
    return command_status(rc);
}

static const struct example examples[] = {
    {"ptprof heap 4242", "what is in the memory that process 4242 has allocated"},
    {"ptprof heap 4242 --watch 10s", "what grows, again and again"},
    {"ptprof heap 4242 -o now.pb.gz", "a profile for ptprof, go tool pprof and others"},
    {"ptprof heap --diff old.pb.gz now.pb.gz", "what grew from one to the other, per second"},
    {NULL, NULL},
};

const struct command command_heap = {
    .name = "heap",
    .args = "PID | --diff OLD NEW",
    .summary = "count what is in the memory that a running process has allocated",
    .operand = OPERAND_PID,
    .least = 1,
    .most = 2,
    .options = heap_options_table,
    .defaults = &heap_options_defaults,
    .options_size = sizeof heap_options_defaults,
    .examples = examples,
    .run = heap_run,
};
