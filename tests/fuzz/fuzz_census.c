// SPDX-License-Identifier: MIT
// The JSON of ptprof heap, and what --diff makes of it.
#include "fuzz.h"
#include "heap/heap_print.h"
#include "output/parser.h"
#include "parsed.h"

static void check_clean(const struct buf *text)
{
    for (size_t i = 0; i < text->length; i++)
        require((unsigned char)text->data[i] >= 0x20 || text->data[i] == '\n');
}

static void compare(const struct plain_profile *profile, unsigned by)
{
    AUTO_BUF struct buf text = {0}, json = {0};
    struct heap_table table;
    size_t last = profile->type_count - 1;
    heap_table_init(&table, by);
    heap_table_add_profile(&table, profile, 0, last, HEAP_NOW);
    heap_table_add_profile(&table, profile, last, 0, HEAP_BEFORE);
    const struct heap_growth growth = {
        .table = &table, .since[HEAP_BEFORE] = profile->time, .top = 3, .title = "a to b"};
    heap_growth_text(&text, &growth);
    heap_growth_json(&json, &growth);
    check_clean(&text);
    check_clean(&json);
    heap_table_fini(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct plain_profile *profile;
    if (parser_parse(bytes, length, &profile, NULL) == RC_OK && profile->type_count)
        compare(profile, length ? bytes[length - 1] & HEAP_BY_ALL : 0);
    plain_free(profile);
    return fuzz_parse(bytes, length);
}

#define ROW(kind, what, size, blocks)                                                              \
    "{\"kind\":\"" kind "\",\"what\":\"" what "\",\"allocator\":\"glibc\","                        \
    "\"arena\":\"1\",\"size\":" size ",\"blocks\":" blocks ",\"bytes\":9000000000}"

bool fuzz_seed(size_t number, struct buf *out)
{
    static const char *const seeds[] = {
        "{\"schema\":1,\"census\":{\"pid\":1,\"comm\":\"c\\u001b\",\"start_wall_ns\":7,"
        "\"complete\":false},\"rows\":[" ROW("C++", "Session\\u001b[31m", "56", "3") ","
        ROW("unknown", "1K-1.25K", "1280", "9223372036854775807") "," ROW("text", "", "8", "1") ","
        ROW("text", "text", "8", "1") "]}",
        "{\"census\":{},\"rows\":[{\"size\":1,\"blocks\":0,\"bytes\":5}]}",
    };
    if (number >= ARRAY_LENGTH(seeds))
        return false;
    buf_puts(out, seeds[number]);
    return true;
}
