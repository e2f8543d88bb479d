// SPDX-License-Identifier: MIT
#include "serve/who_answers.h"

#include "serve/api_answers.h"
#include "serve/collected.h"

const struct who_answers who_answers[ASK_COUNT] = {
    [ASK_PROFILE] = {BY_RUNNER, true},
    [ASK_WALL] = {BY_RUNNER, true},
    [ASK_BLOCK] = {BY_RUNNER, true},
    [ASK_MUTEX] = {BY_RUNNER, true},
    [ASK_VIEW] = {BY_RUNNER, true},
    [ASK_FLAME] = {BY_RUNNER, true},
    [ASK_THREADS] = {BY_JOB, true, .job = job_threads},
    [ASK_THREADCREATE] = {BY_JOB, true, .job = job_threadcreate},
    [ASK_TRACE] = {BY_JOB, true, .job = job_trace},
    [ASK_SYMBOL] = {BY_LOOK, true, .job = job_symbol},
    [ASK_HEAP] = {BY_JOB, true, .job = job_heap},
    [ASK_FIGURES] = {BY_LOOK, true, 1000, .job = api_job_figures},
    [ASK_MEMORY] = {BY_LOOK, true, 1000, .job = api_job_memory},
    [ASK_COLLECTION] = {BY_LOOK, true, 1000, .job = api_job_collection},
    [ASK_STATS] = {BY_LOOK, true, 1000, .job = api_job_stats},
    [ASK_RUNTIME] = {BY_LOOK, true, 1000, .job = api_job_runtime},
    [ASK_GOROUTINES] = {BY_LOOK, true, .job = api_job_goroutines},
    [ASK_HEALTH] = {BY_LOOK, true, 1000, .job = api_job_health},
    [ASK_HISTORY] = {BY_COLLECTOR, true, .collect = api_collect_history},
    [ASK_ACT] = {BY_COLLECTOR, true, .collect = api_collect_act},
    [ASK_INDEX] = {BY_COLLECTOR, true, .collect = collected_index},
    [ASK_CMDLINE] = {BY_COLLECTOR, true, .collect = collected_cmdline},
    [ASK_EVENT] = {BY_READING, true, .collect = collected_event},
    [ASK_METRICS] = {BY_COLLECTOR, false, .fresh_ms = 1000, .collect = collected_metrics},
    [ASK_DISCOVERY] = {BY_COLLECTOR, false, .fresh_ms = 1000, .collect = collected_discovery},
    [ASK_SERIES] = {BY_COLLECTOR, true, .of_ended = true, .collect = collected_series},
    [ASK_TARGETS] = {BY_COLLECTOR, false, .collect = collected_targets},
};
