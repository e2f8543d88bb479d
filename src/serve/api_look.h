// SPDX-License-Identifier: MIT
// One look into a target for /api/profiling: what its memory is used for, what runs in it, and what
// its collector counts. It parses the target's memory and files, so a job does it. Nothing is
// stopped or changed.
#pragma once

#include "heap/go_collector.h"
#include "heap/hsperf.h"
#include "heap/memory_use.h"
#include "heap/runtime.h"
#include "serve/api_json.h"
#include "serve/job.h"

struct api_collection { // times in ns, sizes in bytes; API_UNKNOWN
    const char *why;    // why nothing of it is known; NULL: it is
    const char *source; // where it was read
    uint64_t count, pause_total, last_pause;
    int64_t last;       // when the last one ended, ns since 1970 UTC; 0: not known
    double cpu_fraction; // NAN: not known
    uint64_t pauses[GO_PAUSES]; // the newest first
    size_t pause_count;
    uint64_t next, total_alloc;
    const char *next_why, *total_why, *fraction_why;
};

struct api_look {
    struct memory_use *use; // NULL: it was not asked for
    struct runtime runtime;
    const char *runtime_why; // why it is not known, NULL when it is
    struct err err;          // which has that text
    struct api_collection collection;
    struct hsperf hsperf;    // of a JVM that has it; else zeroed
};

enum api_part { // set
    API_MEMORY = 1,
    API_RUNTIME = 2,  // and what it collects
    API_VERSIONS = 4, // of the runtime
};

// RC_GONE: the process has ended. What cannot be read is no error.
enum rc api_look_take(const struct job *job, unsigned parts, struct api_look *look,
                      struct err *err) MUST_CHECK;
void api_look_fini(struct api_look *look);

// Returns one of Go's MemStats of it by its name, and why it is not known.
uint64_t api_look_memstat(const struct api_look *look, const char *name, const char **why);

// Returns for how long a process has been running, s.
double api_uptime(const struct serve_target *target);

// Returns how many CPUs it may run on, API_UNKNOWN when that cannot be told.
uint64_t api_cpus(pid_t pid);

// Writes a document of a job, and frees it.
enum rc api_finish(struct api_json *api, struct buf *text, FILE *out, struct err *err) MUST_CHECK;
