// SPDX-License-Identifier: MIT
// Where each thread is, as Go tells its goroutines: /api/profiling/goroutines.
#include "base/clock.h"
#include "dump/dump_print.h"
#include "dump/dumper.h"
#include "serve/api_answers.h"
#include "serve/api_json.h"
#include "serve/api_look.h"

#define DUMP_NS (2ll * NS_PER_S)

static void put_dump(struct api_json *api, const struct dump *dump)
{
    AUTO_BUF struct buf text = {0};
    const struct dump_style style = {0};
    dump_go(&text, dump, &style);
    json_count(&api->json, "count", dump->count);
    json_text(&api->json, "stack_trace", text.data);
    api_time(api, "timestamp", dump->wall, NULL);
    json_bool(&api->json, "complete", dump->end == DUMP_COMPLETE);
}

enum rc api_job_goroutines(const struct job *job, FILE *out, struct err *err)
{
    const struct dumper_options options = {
        .timeout = DUMP_NS, .interrupted = job_is_over, .context = (void *)job};
    AUTO_BUF struct buf text = {0};
    struct api_json api;
    struct dumper *dumper;
    struct dump dump = {0};
    enum rc rc = dumper_open(job->pid, &options, &dumper, err);
    if (rc != RC_OK)
        return rc;
    rc = dumper_take(dumper, &dump, err);
    if (rc == RC_OK) {
        api_begin(&api, &text);
        put_dump(&api, &dump);
        rc = api_finish(&api, &text, out, err);
    }
    dump_fini(&dump);
    dumper_close(dumper);
    return rc;
}
