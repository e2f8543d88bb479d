// SPDX-License-Identifier: MIT
// How the requests of HTTP ended, counted by the processes that read them in memory that is the
// collector's. They may write any number there, so it is a number and nothing else to it.
#pragma once

#include "serve/exposition.h"

enum http_kind { // of a path
    HTTP_NO_PATH, // refused before it was looked for, or there is no such path
    HTTP_METRICS, HTTP_PPROF, HTTP_API, HTTP_PAGE,
    HTTP_KINDS
};

#define HTTP_NO_STATUS 0 // who asked has left before the answer, or asked nothing that can be read

struct http_counts;

// Makes one, which children share; NULL: there is no memory.
struct http_counts *http_counts_new(void);
void http_counts_free(struct http_counts *counts);

// Count one, and put all of them. counts: NULL: none are counted.
void http_counts_add(struct http_counts *counts, enum http_kind kind, unsigned status);
void http_counts_put(const struct http_counts *counts, struct exposition *exposition);
