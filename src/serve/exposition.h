// SPDX-License-Identifier: MIT
// The text that Prometheus reads: families of samples, in the text format 0.0.4 or as OpenMetrics
// 1.0, which differ in names, units and the end. Texts of others are escaped here.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "serve/latency.h"

enum exposition_type {
    EXPOSITION_COUNTER, EXPOSITION_GAUGE, EXPOSITION_HISTOGRAM, EXPOSITION_INFO
};

struct exposition {
    struct buf *out;
    bool open;       // as OpenMetrics
    char name[96];   // of the family that has begun, without "_total"
    enum exposition_type type;
};

// Begins a family. unit: "seconds", "bytes", "": none; it is the end of the name.
void exposition_family(struct exposition *exposition, const char *name, enum exposition_type type,
                       const char *unit, const char *help);

struct exposition_labels {
    char text[1024]; // "a=\"b\",c=\"d\"", escaped
};

// Adds a label; what does not fit is left out. Bytes that are not UTF-8 become U+FFFD.
void exposition_label(struct exposition_labels *labels, const char *key, const char *value);

// A sample of the family; labels, and more of them as text: "", or "mode=\"user\"".
void exposition_number(const struct exposition *exposition, const struct exposition_labels *labels,
                       const char *more, uint64_t value);
void exposition_seconds(const struct exposition *exposition, const struct exposition_labels *labels,
                        const char *more, uint64_t ns);

struct exposition_exemplar { // of a bucket; what is not escaped yet
    char function[64];       // "": there is none
    int64_t ns;
    int64_t wall;            // ns since 1970 UTC: when it was counted
};

// All samples of a histogram. exemplars: one for each bucket, or NULL; OpenMetrics alone has them,
// and no bucket that nothing is in.
void exposition_histogram(const struct exposition *exposition,
                          const struct exposition_labels *labels, const struct latency *latency,
                          const struct exposition_exemplar *exemplars);

// Ends the text.
void exposition_end(const struct exposition *exposition);
