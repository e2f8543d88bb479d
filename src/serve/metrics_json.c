// SPDX-License-Identifier: MIT
#include "serve/metrics_json.h"

#include <math.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/history.h"

#define NS_PER_PERCENT (NS_PER_S / 100)

enum metric_form { AS_IT_IS, RATE, PERCENT }; // PERCENT: of the time between the readings

static const struct member {
    const char *group; // object that it stands in; rows of one group stand together. NULL: none
    const char *key;
    enum metric metric;
    enum metric_form form;
} members[] = {
    {"cpu_percent", "user", METRIC_CPU_USER, PERCENT},
    {"cpu_percent", "system", METRIC_CPU_SYSTEM, PERCENT},
    {NULL, "run_queue_wait_percent", METRIC_RUN_QUEUE, PERCENT},
    {"threads", "total", METRIC_THREADS, AS_IT_IS},
    {"threads", "running", METRIC_RUNNING, AS_IT_IS},
    {"threads", "sleeping", METRIC_SLEEPING, AS_IT_IS},
    {"threads", "disk", METRIC_DISK, AS_IT_IS},
    {"threads", "stopped", METRIC_STOPPED, AS_IT_IS},
    {"memory_bytes", "rss", METRIC_RSS, AS_IT_IS},
    {"memory_bytes", "pss", METRIC_PSS, AS_IT_IS},
    {"memory_bytes", "swap", METRIC_SWAP, AS_IT_IS},
    {"memory_bytes", "virtual", METRIC_VIRTUAL, AS_IT_IS},
    {"faults", "minor", METRIC_MINOR_FAULTS, AS_IT_IS},
    {"faults", "major", METRIC_MAJOR_FAULTS, AS_IT_IS},
    {"faults", "minor_per_second", METRIC_MINOR_FAULTS, RATE},
    {"faults", "major_per_second", METRIC_MAJOR_FAULTS, RATE},
    {"switches", "voluntary", METRIC_VOLUNTARY, AS_IT_IS},
    {"switches", "involuntary", METRIC_INVOLUNTARY, AS_IT_IS},
    {"switches", "voluntary_per_second", METRIC_VOLUNTARY, RATE},
    {"switches", "involuntary_per_second", METRIC_INVOLUNTARY, RATE},
    {"fds", "open", METRIC_DESCRIPTORS, AS_IT_IS},
    {"fds", "limit", METRIC_DESCRIPTORS_MOST, AS_IT_IS},
    {"io", "read_bytes", METRIC_READ, AS_IT_IS},
    {"io", "written_bytes", METRIC_WRITTEN, AS_IT_IS},
    {"io", "read_bytes_per_second", METRIC_READ, RATE},
    {"io", "written_bytes_per_second", METRIC_WRITTEN, RATE},
    {"counters", "cpu_user_ns", METRIC_CPU_USER, AS_IT_IS},
    {"counters", "cpu_system_ns", METRIC_CPU_SYSTEM, AS_IT_IS},
    {"counters", "run_queue_wait_ns", METRIC_RUN_QUEUE, AS_IT_IS},
};

static const char *why_unknown(enum metric metric)
{
    return metric == METRIC_PSS
               ? "it is read seldom, of small processes, and what was read is too old"
               : "it was not read yet, or a permission is missing";
}

static void write_rate(struct api_json *api, const struct member *member,
                       const struct metrics *metrics, const struct metrics *before)
{
    double rate = before ? history_rate(before, metrics, member->metric) : -1;
    bool known = metrics->values[member->metric] != METRIC_UNKNOWN;
    const char *why = !before ? "it takes two readings of one process, and this one is the first"
                      : known ? "the counter fell, or was not known before"
                              : why_unknown(member->metric);
    api_real(api, member->key,
             rate < 0 ? NAN : member->form == PERCENT ? rate / NS_PER_PERCENT : rate, 2, why);
}

static void write_member(struct api_json *api, const struct member *member,
                         const struct metrics *metrics, const struct metrics *before)
{
    if (member->form != AS_IT_IS)
        write_rate(api, member, metrics, before);
    else
        api_count(api, member->key, metrics->values[member->metric], why_unknown(member->metric));
}

void metrics_json(struct api_json *api, const struct metrics *metrics,
                  const struct metrics *before)
{
    api_time(api, "timestamp", metrics->wall, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(members); i++) {
        const char *group = members[i].group;
        if (group && (!i || members[i - 1].group != group))
            api_group(api, group);
        write_member(api, &members[i], metrics, before);
        if (group && (i + 1 == ARRAY_LENGTH(members) || members[i + 1].group != group))
            api_group_end(api);
    }
}
