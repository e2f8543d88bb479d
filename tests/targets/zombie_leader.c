// SPDX-License-Identifier: MIT
// The main thread ends, two workers go on: /proc/PID is a zombie with empty maps.
#include "target.h"

static void works_on(void)
{
    for (;;)
        burn();
}

static void *worker(void *unused)
{
    works_on();
    return unused;
}

int main(void)
{
    start(worker, NULL, "worker-1");
    start(worker, NULL, "worker-2");
    ready();
    pthread_exit(NULL);
}
