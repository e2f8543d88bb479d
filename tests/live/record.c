// SPDX-License-Identifier: MIT
// record PID SECONDS [MAX_SIZE]: records a trace and prints it as a text that tests read: the CPU
// time of the threads by schedstat at some moments, what is known of the trace, its threads, and
// its events. Times are ns from the beginning of the trace.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "collect/session_report.h"
#include "collect/session_trace.h"
#include "process/procfs.h"

static int64_t start;

static void print_schedstat(void *context, pid_t tid)
{
    AUTO_BUF struct buf text = {0};
    struct schedstat stat;
    const pid_t *pid = context;
    if (procfs_read(&text, "/proc/%d/task/%d/schedstat", (int)*pid, (int)tid) == RC_OK &&
        schedstat_parse(text.data, &stat))
        printf("read %" PRId64 " %d %" PRIu64 "\n", clock_now() - start, (int)tid, stat.run_ns);
}

static bool go_on(void *context, bool woken)
{
    const pid_t *pid = context;
    AUTO_FREE char *path = xasprintf("/proc/%d/task", (int)*pid);
    AUTO_FD int task_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)woken;
    if (task_fd >= 0 && procfs_each_number(task_fd, print_schedstat, context) != RC_OK)
        fputs("record: the task directory cannot be read\n", stderr);
    return true;
}

static const char *leaf_of(const struct plain_profile *profile, uint32_t stack)
{
    if (!stack)
        return "-";
    const struct plain_location *location =
        &profile->code.locations[profile->stacks.nodes[stack].location];
    if (!location->count)
        return "?";
    const struct plain_line *line = &profile->code.lines[location->first];
    return plain_string(profile, profile->code.functions[line->function].name);
}

static const char *name_of(const struct plain_profile *profile, uint32_t labels)
{
    const struct plain_label *name = plain_label(profile, labels, "thread");
    return name ? plain_string(profile, name->text) : "";
}

// "page fault" becomes "page-fault".
static const char *word_of(const char *text)
{
    static char word[64];
    snprintf(word, sizeof word, "%s", text);
    for (char *at = word; *at; at++)
        *at = *at == ' ' ? '-' : *at;
    return word;
}

static void print_timeline(const struct timeline *timeline, const struct run *run)
{
    const struct plain_profile *profile = timeline->profile;
    const struct run_trace *trace = &run->trace;
    printf("facts exact=%d threads=%" PRIu64 " listed=%" PRIu64 " refused=%d without=%" PRIu64
           " lost=%" PRIu64 " unplaced=%" PRIu64 " dropped=%" PRIu64 " since=%" PRId64
           " duration=%" PRId64 "\n", timeline->exact, trace->threads, trace->exact, trace->refused,
           trace->without, trace->lost, trace->unplaced, trace->dropped, trace->since,
           run->duration);
    for (size_t i = 0; i < timeline->thread_count; i++)
        printf("thread %zu %" PRId64 " %s\n", i,
               plain_label(profile, timeline->threads[i], "tid")->number,
               name_of(profile, timeline->threads[i]));
    for (size_t i = 0; i < timeline->event_count; i++) {
        const struct timeline_event *event = &timeline->events[i];
        const struct plain_label *wait = plain_label(profile, event->labels, "wait");
        printf("event %" PRId64 " %" PRId64 " %" PRIu32 " %s %" PRId32 " %s %" PRId32 " %s\n",
               event->time, event->duration, event->thread, profile_state_names[event->state],
               (int32_t)event->cpu, wait ? word_of(plain_string(profile, wait->text)) : "-",
               (int32_t)event->woken_by, leaf_of(profile, event->stack));
    }
}

int main(int argc, char **argv)
{
    struct err err = {0};
    struct session *session = NULL;
    struct session_options options = session_defaults;
    struct timeline *timeline = NULL;
    pid_t pid = argc > 2 ? (pid_t)atoi(argv[1]) : 0;
    if (argc < 3)
        return 2;
    options.types = PROFILE_BIT(PROFILE_TRACE);
    if (argc > 3)
        options.max_size = strtoull(argv[3], NULL, 10);
    enum rc rc = session_open(&pid, 1, &options, &session, &err);
    start = clock_now();
    rc = rc == RC_OK ? session_start(session, &err) : rc;
    rc = rc == RC_OK ? session_run(session, &(struct session_drive){
        .duration = (int64_t)(atof(argv[2]) * NS_PER_S),
        .every_ms = 250, .fd = -1, .step = go_on, .context = &pid}, &err) : rc;
    if (session && (rc == RC_OK || rc == RC_GONE)) {
        struct report report = session_report(session);
        rc = session_timeline(session, &timeline, &err);
        if (rc == RC_OK)
            print_timeline(timeline, report.run);
    }
    if (rc != RC_OK)
        fprintf(stderr, "record: %s\n", err.text);
    timeline_free(timeline);
    session_close(session);
    return rc != RC_OK;
}
