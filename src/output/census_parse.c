// SPDX-License-Identifier: MIT
// The JSON of `ptprof heap` (heap/heap_json.c): rows of blocks become the profile that its pprof
// format has.
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "output/json_load.h"
#include "output/parsers.h"
#include "profile/block_profile.h"

#define BEGINNING 80 // bytes in which the name of the format stands
#define FRAMES 4     // of a stack

bool census_recognizes(const char *bytes, size_t length)
{
    size_t blank = 0;
    while (blank < length && strchr(" \t\r\n", bytes[blank]) && bytes[blank])
        blank++;
    bytes += blank;
    length -= blank;
    return length && *bytes == '{' &&
           memmem(bytes, length < BEGINNING ? length : BEGINNING, "\"census\"", 8);
}

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text ? text : "";
}

// Returns false when it is no number from 0 on.
static bool number_of(const json_t *row, const char *key, uint64_t *number)
{
    const json_t *value = json_object_get(row, key);
    json_int_t read = json_is_integer(value) ? json_integer_value(value) : -1;
    *number = read < 0 ? 0 : (uint64_t)read;
    return read >= 0;
}

static enum rc take_row(struct block_profile *making, const json_t *row, size_t number,
                        size_t room, struct err *err)
{
    struct block_count count = {
        .allocator = text_of(row, "allocator"),
        .arena = text_of(row, "arena"),
        .kind = text_of(row, "kind"),
        .what = text_of(row, "what"),
    };
    if (!json_is_object(row) || !number_of(row, "blocks", &count.blocks) ||
        !number_of(row, "bytes", &count.bytes) || !number_of(row, "size", &count.size))
        return err_set(err, RC_FORMAT, "row %zu has no blocks, bytes or size", number);
    enum rc rc = parser_check_room(making->profile, FRAMES, json_load_memory(), room, err);
    if (rc == RC_OK)
        block_profile_add(making, &count);
    return rc;
}

static enum rc take_rows(struct block_profile *making, const json_t *root, size_t room,
                         struct err *err)
{
    const json_t *rows = json_object_get(root, "rows"), *row;
    enum rc rc = RC_OK;
    size_t i;
    if (!json_is_array(rows))
        return err_set(err, RC_FORMAT, "it is JSON, but not of ptprof heap, which has \"rows\"");
    json_array_foreach((json_t *)rows, i, row) {
        rc = take_row(making, row, i, room, err);
        if (rc != RC_OK)
            return rc;
    }
    return rc;
}

static void put_comments(struct plain_profile *profile, const json_t *census)
{
    AUTO_FREE char *of = xasprintf("blocks that process %d (%s) had, counted by ptprof heap",
                                   (int)json_integer_value(json_object_get(census, "pid")),
                                   text_of(census, "comm"));
    plain_add_comment(profile, of);
    if (json_is_false(json_object_get(census, "complete")))
        plain_add_comment(profile, BLOCK_PROFILE_INCOMPLETE);
}

enum rc census_parse(const char *bytes, size_t length, size_t room,
                     struct plain_profile **profile, struct err *err)
{
    struct json_load load;
    struct block_profile making;
    uint64_t time = 0;
    *profile = NULL;
    enum rc rc = json_load_begin(&load, bytes, length, room, err);
    const json_t *census = json_object_get(load.root, "census");
    number_of(census, "start_wall_ns", &time);
    block_profile_begin(&making, (int64_t)time, NULL);
    if (rc == RC_OK) {
        put_comments(making.profile, census);
        rc = take_rows(&making, load.root, room, err);
    }
    json_load_end(&load);
    struct plain_profile *made = block_profile_end(&making);
    if (rc == RC_OK)
        *profile = made;
    else
        plain_free(made);
    return rc;
}
