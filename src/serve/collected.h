// SPDX-License-Identifier: MIT
// What the collector answers by itself (serve/who_answers.h): it appends to `out`.
#pragma once

#include "base/buf.h"
#include "serve/ask.h"
#include "serve/target.h"

struct collector;

// The arguments, separated by NUL, without one at the end.
enum rc collected_cmdline(struct collector *collector, struct serve_target *target,
                          const struct ask *ask, struct buf *out, struct err *err) MUST_CHECK;

// "PID THREADS ID"
enum rc collected_index(struct collector *collector, struct serve_target *target,
                        const struct ask *ask, struct buf *out, struct err *err) MUST_CHECK;

// JSON: the figures that were read last, as metrics_json writes them. RC_GONE: it has ended.
enum rc collected_event(struct collector *collector, struct serve_target *target,
                        const struct ask *ask, struct buf *out, struct err *err) MUST_CHECK;

// JSON: {"samples":[...]}, the last readings as EVENT has them, the oldest first: at most
// ask->count, 0: all.
enum rc collected_series(struct collector *collector, struct serve_target *target,
                         const struct ask *ask, struct buf *out, struct err *err) MUST_CHECK;

// JSON: {"prefix" (of the paths that Go programs have), "left_out": how many processes match beside
// these, "targets": [{"id", "pid", the facts of serve/target_facts.h, "rule", "state" ("running",
// "ended", "not permitted"), "running", "why" it is not permitted, "since", "restarts"}...]}
enum rc collected_targets(struct collector *collector, struct serve_target *target,
                          const struct ask *ask, struct buf *out, struct err *err) MUST_CHECK;

// For Prometheus: all targets, or the one that the question names; in text format 0.0.4 or, by the
// form of the question, as OpenMetrics 1.0. RC_GONE: there is no such target.
enum rc collected_metrics(struct collector *collector, struct serve_target *target,
                          const struct ask *ask, struct buf *out, struct err *err) MUST_CHECK;

// JSON for HTTP service discovery: a list of {"targets":[HOST],"labels":{...}}, one for each target
// that lives and may be looked at. The question's text is the host.
enum rc collected_discovery(struct collector *collector, struct serve_target *target,
                            const struct ask *ask, struct buf *out, struct err *err) MUST_CHECK;
