// SPDX-License-Identifier: MIT
// What runs in a target: /api/profiling/runtime. And what may be done to it, which is nothing yet.
#include <limits.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "serve/api_answers.h"
#include "serve/api_figures.h"
#include "serve/collector_state.h"

static const char requests[] = "requests are known inside of the program only";

// As Go prints a duration that is rounded to seconds: "1h2m3s".
static void put_uptime(struct api_json *api, double seconds)
{
    char text[64];
    long all = lround(seconds), hours = all / 3600, minutes = all / 60 % 60;
    if (hours)
        snprintf(text, sizeof text, "%ldh%ldm%lds", hours, minutes, all % 60);
    else if (minutes)
        snprintf(text, sizeof text, "%ldm%lds", minutes, all % 60);
    else
        snprintf(text, sizeof text, "%lds", all);
    api_text(api, "uptime", text, NULL);
}

static void put_program(struct api_json *api, pid_t pid)
{
    char path[64], exe[PATH_MAX];
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    ssize_t length = readlink(path, exe, sizeof exe - 1);
    exe[length > 0 ? length : 0] = '\0';
    api_text(api, "executable", length > 0 ? exe : NULL, "a permission is missing to read it");
}

static const char *known(const char *text)
{
    return *text ? text : NULL;
}

static void put_runtime(struct api_json *api, pid_t pid, const struct api_look *look)
{
    const struct runtime *runtime = &look->runtime;
    const char *why = look->runtime_why;
    api_group(api, "runtime");
    api_text(api, "name", why ? NULL : runtime_names[runtime->kind], why);
    api_text(api, "version", why ? NULL : known(runtime->version),
             why                                     ? why
             : runtime->kind == RUNTIME_NATIVE ? "there is no runtime but its C library"
                                                     : "its version was not found");
    api_text(api, "libc", why ? NULL : runtime->libc,
             why ? why : "no C library was found in its memory");
    api_text(api, "libc_version", why ? NULL : known(runtime->libc_version),
             why ? why : "its version was not found");
    put_program(api, pid);
    api_group_end(api);
}

static void put_counts(struct api_json *api, const struct job *job)
{
    api_count(api, "num_cpu", api_cpus(job->pid), "the process has ended");
    api_count(api, "num_goroutine", api_figures_now(job->target, METRIC_THREADS),
              "there is no reading yet");
    api_null(api, "num_cgo_call", "calls from Go to C are counted inside of the program only");
    api_null(api, "request_count", requests);
    api_null(api, "error_count", requests);
    api_null(api, "request_rate", requests);
    api_null(api, "error_rate", requests);
}

enum rc api_job_runtime(const struct job *job, FILE *out, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    struct api_json api;
    struct api_look look;
    enum rc rc = api_look_take(job, API_RUNTIME | API_VERSIONS, &look, err);
    if (rc == RC_OK) {
        double uptime = api_uptime(job->target);
        bool is_go = !look.runtime_why && look.runtime.kind == RUNTIME_GO;
        AUTO_FREE char *version = xasprintf("go%s", look.runtime.version);
        api_begin(&api, &text);
        api_real(&api, "uptime_seconds", uptime, 3, NULL);
        put_uptime(&api, uptime);
        api_time(&api, "start_time", clock_wall() - (int64_t)(uptime * NS_PER_S), NULL);
        api_text(&api, "go_version", is_go && *look.runtime.version ? version : NULL,
                 look.runtime_why ? look.runtime_why : "it is no program of Go's");
        put_counts(&api, job);
        json_number(&api.json, "pid", job->pid);
        put_runtime(&api, job->pid, &look);
        rc = api_finish(&api, &text, out, err);
    }
    api_look_fini(&look);
    return rc;
}

// --- actions ---

enum rc api_collect_act(struct collector *collector, struct serve_target *target,
                        const struct ask *ask, struct buf *out, struct err *err)
{
    (void)target, (void)out;
    if (!collector->settings.access.actions)
        return err_set(err, RC_DENIED,
                       "actions on targets are off: the server was not started with them allowed");
    return err_set(err, RC_ABSENT,
                   strcmp(ask->type, "gc") == 0
                       ? "ptprof cannot have another process collect its garbage yet"
                       : "ptprof cannot have another process give memory back yet");
}
