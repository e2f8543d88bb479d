// SPDX-License-Identifier: MIT
#include "output/json_load.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/mem.h"
#include "output/parsers.h"
#include "output/scan.h"

#define MEMORY_MAX ((size_t)1024 << 20) // bytes for the values of a text

static size_t memory, most;
static bool exceeded;

static void *take_memory(size_t size)
{
    // A block may be larger than it was asked for, so that `memory` passes the bound.
    void *bytes = memory < most && size <= most - memory ? malloc(size) : NULL;
    exceeded |= !bytes;
    memory += bytes ? malloc_usable_size(bytes) : 0;
    return bytes;
}

static void give_memory(void *bytes)
{
    memory -= bytes ? malloc_usable_size(bytes) : 0;
    free(bytes);
}

static enum rc load_text(const char *bytes, size_t length, json_t **root, struct err *err)
{
    json_error_t error;
    struct text_span text = {bytes, bytes + length};
    scan_text(&text, "\xef\xbb\xbf");
    exceeded = false;
    *root = json_loadb(text.at, scan_left(&text), 0, &error);
    if (*root)
        return RC_OK;
    if (exceeded && most < MEMORY_MAX)
        return err_set(err, RC_LIMIT, PARSER_UNPACK_FIRST, most >> 20);
    if (exceeded)
        return err_set(err, RC_LIMIT, "its JSON has more values than %zu MiB of memory hold",
                       most >> 20);
    AUTO_FREE char *why = escape_text_dup(error.text);
    return err_set(err, RC_FORMAT, "its JSON is damaged in line %d, column %d: %s", error.line,
                   error.column, why);
}

enum rc json_load_begin(struct json_load *load, const char *bytes, size_t length, size_t room,
                        struct err *err)
{
    most = room < MEMORY_MAX ? room : MEMORY_MAX;
    json_get_alloc_funcs(&load->take, &load->give);
    json_set_alloc_funcs(take_memory, give_memory);
    return load_text(bytes, length, &load->root, err);
}

void json_load_end(struct json_load *load)
{
    json_decref(load->root);
    json_set_alloc_funcs(load->take, load->give);
}

size_t json_load_memory(void)
{
    return memory;
}
