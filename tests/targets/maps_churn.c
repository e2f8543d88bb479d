// SPDX-License-Identifier: MIT
// A thread that maps and unmaps executable memory as fast as it can, and one that works.
#include "target.h"

#include <sys/mman.h>

static int64_t turns;

static DISTINCT void *work_steadily(void *unused)
{
    for (;;)
        burn();
    return unused;
}

static void *churn(void *unused)
{
    for (;; turns++) {
        void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED)
            die("mmap");
        munmap(at, 4096);
    }
    return unused;
}

int main(void)
{
    block_signals();
    start(work_steadily, NULL, "steady");
    start(churn, NULL, "churn");
    ready();
    await_signal();
    printf("{\"turns\": %lld}\n", (long long)turns);
    return 0;
}
