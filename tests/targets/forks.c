// SPDX-License-Identifier: MIT
// Has 192 MiB of small pages and forks all the time, which keeps its memory locked for a good part
// of it; a thread works beside. At SIGTERM prints {"fork_ns": CPU time of a fork, on average}.
#include <sys/mman.h>
#include <sys/wait.h>

#include "target.h"

#define SIZE (192u << 20)

static int64_t spent, times;

static DISTINCT void *work_beside(void *unused)
{
    for (;;)
        burn();
    return unused;
}

static void *keep_forking(void *unused)
{
    for (;;) {
        int64_t began = thread_cpu();
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        spent += thread_cpu() - began;
        times++;
        waitpid(child, NULL, 0);
    }
    return unused;
}

int main(void)
{
    char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        die("mmap");
    madvise(memory, SIZE, MADV_NOHUGEPAGE);
    memset(memory, 1, SIZE);
    block_signals();
    start(work_beside, NULL, "beside");
    start(keep_forking, NULL, "forks");
    ready();
    while (await_signal() != SIGTERM)
        ;
    printf("{\"fork_ns\": %lld}\n", (long long)(spent / (times ? times : 1)));
}
