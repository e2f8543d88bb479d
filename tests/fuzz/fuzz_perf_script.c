// SPDX-License-Identifier: MIT
// The text of perf script.
#include "fuzz.h"
#include "parsed.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    return fuzz_parse(bytes, length);
}

bool fuzz_seed(size_t number, struct buf *out)
{
    static const char *const seeds[] = {
        "# captured on    : Sun Nov 29 19:58:24 2026\n#\n"
        "worker 7 4242/4243 [003] 65638.815494:     250000 cpu-clock:ppp: \n"
        "\tffffffff822601e7 exc_page_fault+0xd7 ([kernel.kallsyms])\n"
        "\t           98109 inner(int) (inlined)\n"
        "\t           98109 _int_malloc+0xda9 (/usr/lib/libc.so.6 (deleted))\n"
        "\t               0 [unknown] ([unknown])\n\n"
        "b  1 1.5: 3 cpu-clock:ppp: \n\t 401 f (/a)\n",
        "a 1/2 [000] 1.0: 100 cycles: \n\t 401169 f+0x1 (/tmp/perf-1.map)\n  a.c:12\n\n"
        "a 1/2 [000] 1.5: cache-misses: \n\t 401169 f+0x1 (//anon)\n\t 40\n",
        "            perf  7 [001] 1.000000:     1 cycles: ffffffff8100 f+0x1 (/k)\r\n"
        "            cafe  8 [001] 1.000000:     3 cycles:       401 g (/a b)\r\n"
        "a 1 [000] 0.5: PERF_RECORD_MMAP2 1/1: [0x1(0x2) @ 0 08:01 5 6]: r-xp /a\n",
    };
    if (number >= ARRAY_LENGTH(seeds))
        return false;
    buf_puts(out, seeds[number]);
    return true;
}
