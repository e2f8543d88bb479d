// SPDX-License-Identifier: MIT
// Whether a target is well: rules over its figures now, their history, and what the last look for
// deadlocks found. A rule whose figures are not known says nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/history.h"
#include "serve/settings.h"
#include "serve/trend.h"

enum health_status { HEALTH_HEALTHY, HEALTH_DEGRADED, HEALTH_UNHEALTHY };
extern const char *const health_words[]; // [enum health_status]

enum health_deadlock {
    HEALTH_DEADLOCK_UNKNOWN,
    HEALTH_DEADLOCK_NONE,
    HEALTH_DEADLOCK_PROBABLE,
    HEALTH_DEADLOCK_CERTAIN,
};

struct health_facts {
    double memory_percent;  // NAN: not known
    const char *memory_of;  // "the cgroup's limit", of which the percentage is
    enum health_deadlock deadlock;
    const char *deadlock_text; // who waits for whom; escaped
    const struct history *history; // NULL: there is none
    int64_t since; // ns since 1970 UTC: what is older is of a process before this one
};

struct health_issue {
    enum health_status status;
    const char *rule; // "memory", "threads", "descriptors", "deadlock", "thread_leak", ...
    char text[512];   // a sentence
};

#define HEALTH_ISSUES 8

struct health {
    enum health_status status; // that of the worst issue
    struct health_issue issues[HEALTH_ISSUES];
    size_t count;
    struct trend memory, threads; // zeroed: the history is too short
};

void health_judge(const struct serve_settings *settings, const struct health_facts *facts,
                  struct health *health);
