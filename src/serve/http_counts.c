// SPDX-License-Identifier: MIT
#include "serve/http_counts.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/mem.h"

static const unsigned statuses[] = {
    HTTP_NO_STATUS, 200, 301, 304, 400, 401, 403, 404, 405, 410, 413, 414, 415, 421, 429, 431, 500,
    501, 503, 504,
};
#define OTHERS ARRAY_LENGTH(statuses) // the last column

static const char *const kinds[HTTP_KINDS] = {
    [HTTP_NO_PATH] = "none", [HTTP_METRICS] = "metrics", [HTTP_PPROF] = "pprof",
    [HTTP_API] = "api",      [HTTP_PAGE] = "page",
};

struct http_counts {
    _Atomic uint64_t ended[HTTP_KINDS][ARRAY_LENGTH(statuses) + 1];
};

struct http_counts *http_counts_new(void)
{
    struct http_counts *counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE,
                                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return counts == MAP_FAILED ? NULL : counts;
}

void http_counts_free(struct http_counts *counts)
{
    if (counts)
        munmap(counts, sizeof *counts);
}

static size_t column_of(unsigned status)
{
    size_t column = 0;
    while (column < OTHERS && statuses[column] != status)
        column++;
    return column;
}

void http_counts_add(struct http_counts *counts, enum http_kind kind, unsigned status)
{
    if (counts)
        atomic_fetch_add(&counts->ended[kind][column_of(status)], 1);
}

static void put(struct exposition *exposition, const char *kind, size_t column, uint64_t count)
{
    char text[16] = "other";
    struct exposition_labels labels = {""};
    if (column < OTHERS)
        snprintf(text, sizeof text, statuses[column] ? "%u" : "none", statuses[column]);
    exposition_label(&labels, "path", kind);
    exposition_label(&labels, "code", text);
    if (count)
        exposition_number(exposition, &labels, "", count);
}

void http_counts_put(const struct http_counts *counts, struct exposition *exposition)
{
    exposition_family(exposition, "ptprof_http_requests", EXPOSITION_COUNTER, "",
                      "Requests that have ended, by kind of path and status; no status: who asked "
                      "has left before");
    for (size_t kind = 0; counts && kind < HTTP_KINDS; kind++)
        for (size_t column = 0; column <= OTHERS; column++)
            put(exposition, kinds[kind], column, atomic_load(&counts->ended[kind][column]));
}
