// SPDX-License-Identifier: MIT
// Profiles of gperftools, jemalloc and Go's texts.
#include "fuzz.h"
#include "parsed.h"

#define MAPS                                                                                       \
    "000a0000-000b0000 r--p 00000000 00:00 9978894 /tmp/app\n"                                    \
    "000b0000-000c0000 r-xp 00010000 00:00 9978894 /tmp/app (deleted)\n"                          \
    "000c0000-000d0000 r-xp 00020000 00:00 9978894 /tmp/app\n"                                    \
    "000f0000-00100000 r-xp 00010000 00:00 326591 /usr/lib/libc.so.6\n"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    return fuzz_parse(bytes, length);
}

bool fuzz_seed(size_t number, struct buf *out)
{
    static const char *const seeds[] = {
        "heap profile: 6: 39 [ 20: 119] @ heapprofile\n"
        "  6: 39 [ 20: 119] @ 0xb0001 0xe0001\n 0: 0 [ 3: 30] @ 0xf1\n\nMAPPED_LIBRARIES:\n" MAPS,
        "heap profile: 1: 8 [2: 16] @ heap/1048576\n1: 8 [2: 16] @ 0x4a1 0x4b1\n"
        "#\t0x4a0\tmain.inner+0x1f\t\t/src/main.go:12\n#\t0x4a0\tmain.outer+0x2f\t/src/main.go:20\n"
        "\n# runtime.MemStats\n",
        "heap_v2/524288\n  t*: 3: 10476 [0: 0]\n  t0: 1: 100 [0: 0] main\n@ 0xb1 0xb0002\n"
        "  t*: 1: 100 [0: 0]\n  t0: 1: 100 [0: 0]\n@ 0xc3\n  t*: 1: 1048576 [0: 0]\n\n"
        "MAPPED_LIBRARIES:\n" MAPS,
        "--- mutex:\ncycles/second=2000000000\nsampling period=5\n4000000 3 @ 0x4a1 0x4b1\n"
        "--- Memory map: ---\n" MAPS,
        "goroutine profile: total 5\n3 @ 0xb00a1 0x4b1\n# labels: {\"k\":\"v\"}\n\n2 @\n"
        "--- Memory map: ---\n" MAPS,
    };
    static const uint64_t words[] = {0, 3, 0, 10000, 0, 3, 3, 0xb0001, 0x901, 0xc0001,
                                     1, 3, 0xb0009, 0x901, 0xb0009, 0, 1, 0};
    if (number > ARRAY_LENGTH(seeds))
        return false;
    if (number < ARRAY_LENGTH(seeds))
        buf_puts(out, seeds[number]);
    else
        buf_append(out, words, sizeof words), buf_puts(out, MAPS);
    return true;
}
