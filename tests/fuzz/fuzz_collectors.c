// SPDX-License-Identifier: MIT
// What runtimes count of their collectors: HotSpot's file and Go's variables. The first byte of an
// input says which.
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/go_collector.h"
#include "heap/hsperf.h"

static void require(bool good)
{
    if (!good)
        abort();
}

static void try_hsperf(const unsigned char *bytes, size_t length)
{
    struct hsperf hsperf;
    bool known = hsperf_parse(bytes, length, &hsperf);
    require(!known || hsperf.frequency);
    require(strlen(hsperf.version) < HSPERF_TEXT && strlen(hsperf.name) < HSPERF_TEXT);
    for (size_t i = 0; known && i < HSPERF_COLLECTORS; i++) {
        require(strlen(hsperf.collectors[i].name) < HSPERF_TEXT);
        (void)hsperf_ns(&hsperf, hsperf.collectors[i].time);
    }
}

static void try_go(const unsigned char *bytes, size_t length)
{
    struct go_collector collector = {0};
    if (go_collector_find(bytes, length, &collector))
        require(collector.pause_count <= GO_PAUSES && collector.pause_count <= collector.count);
    (void)go_collector_find_pace(bytes, length, &collector);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (!length)
        return 0;
    AUTO_FREE unsigned char *copy = xcopy(bytes + 1, length - 1, 1);
    (bytes[0] & 1 ? try_go : try_hsperf)(copy, length - 1);
    return 0;
}

// Numbers of 32 bits, as HotSpot writes them, and texts.
static void put_half(struct buf *out, uint32_t value)
{
    buf_append(out, &value, sizeof value);
}

static void put_number(struct buf *out, const char *name, uint64_t value)
{
    char padded[44] = "";
    memcpy(padded, name, strlen(name));
    put_half(out, 72);
    put_half(out, 20);
    put_half(out, 0);
    buf_append(out, "J\1\1\1", 4);
    put_half(out, 64);
    buf_append(out, padded, sizeof padded);
    buf_append(out, &value, sizeof value);
}

static void put_hsperf(struct buf *out)
{
    buf_append(out, "\xca\xfe\xc0\xc0\1\2\0\1", 8);
    put_half(out, 32 + 4 * 72);
    put_half(out, 0);
    put_half(out, 0);
    put_half(out, 0);
    put_half(out, 32);
    put_half(out, 4);
    put_number(out, "sun.os.hrt.frequency", 1000000000);
    put_number(out, "sun.gc.collector.0.invocations", 3);
    put_number(out, "sun.gc.collector.0.time", 3000);
    put_number(out, "sun.gc.generation.0.space.1.used", 4096);
}

static void put_go(struct buf *out)
{
    uint64_t words[2 + 2 * GO_PAUSES + 2] = {[0] = 77, [1] = 5, [2] = 5};
    words[2 + GO_PAUSES] = 77;
    words[2 + 2 * GO_PAUSES] = 1;
    buf_append(out, words, sizeof words);
}

bool fuzz_seed(size_t number, struct buf *out)
{
    if (number > 1)
        return false;
    buf_putc(out, (char)number);
    (number ? put_go : put_hsperf)(out);
    return true;
}
