// SPDX-License-Identifier: MIT
// Tables of names: what JIT compilers write, in two pieces, and a thread's stack in the kernel. The
// first byte of an input says which.
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "process/kernel_stack.h"
#include "process/perf_map.h"

static void require(bool good)
{
    if (!good)
        abort();
}

static void look_up(struct perf_map *map, uint64_t address)
{
    size_t count = perf_map_count(map);
    uint64_t inside;
    const char *now = perf_map_find(map, address, SIZE_MAX, &inside);
    require(!now || (*now && strlen(now) <= 4096 && inside < 64u << 20));
    require(!perf_map_find(map, address, 0, &inside));
    require(perf_map_find(map, address, count, &inside) == now);
    perf_map_use(map, address);
}

static void try_perf_map(char *text)
{
    static const uint64_t addresses[] = {0, 0x1000, 0x1fff, 0x3ef414c0, 0x7f0000001000, UINT64_MAX};
    struct perf_map *map = perf_map_new();
    size_t length = strlen(text), taken = perf_map_parse(map, text, length / 2);
    require(taken <= length / 2 && (!taken || text[taken - 1] == '\n'));
    for (size_t i = 0; i < ARRAY_LENGTH(addresses); i++)
        look_up(map, addresses[i]);
    size_t before = perf_map_count(map);
    taken += perf_map_parse(map, text + taken, length - taken);
    require(!strchr(text + taken, '\n'));
    size_t moved = perf_map_moved(map);
    require(moved == SIZE_MAX || (moved >= before && moved < perf_map_count(map)));
    for (size_t i = 0; i < ARRAY_LENGTH(addresses); i++)
        look_up(map, addresses[i]);
    perf_map_free(map);
}

static void try_kernel_stack(char *text)
{
    struct kernel_stack stack;
    const char *end = text + strlen(text);
    kernel_stack_parse(text, &stack);
    require(stack.count <= KERNEL_STACK_MAX);
    for (size_t i = 0; i < stack.count; i++)
        require(stack.frames[i].function > text && stack.frames[i].function < end &&
                strlen(stack.frames[i].function) && strlen(stack.frames[i].module) < 1u << 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (!length)
        return 0;
    AUTO_FREE char *text = xstrndup((const char *)bytes + 1, length - 1);
    (bytes[0] & 1 ? try_kernel_stack : try_perf_map)(text);
    return 0;
}

bool fuzz_seed(size_t number, struct buf *out)
{
    static const char *const seeds[] = {
        "1000 100 old\n1080 10 inner\n1040 2000 JS:*new a.js:1:2\n2000 40000 large\n"
        "3ef414c0 398 RegExp:[{(]\n0x7f0000001000 0x20 b\n7f0000001010 20 \x1b]0;c\x07\n",
        "[<0>] hrtimer_nanosleep+0x93/0x120\n[<0>] rpc_wait+0x1f/0xa0 [sunrpc]\n"
        "[<ffffffff810a3b5c>] do_wait+0x1cc/0x230\n[<ffffffffffffffff>] 0xffffffffffffffff\n",
    };
    if (number >= ARRAY_LENGTH(seeds))
        return false;
    buf_putc(out, (char)number);
    buf_puts(out, seeds[number]);
    return true;
}
