// SPDX-License-Identifier: MIT
// Its first thread waits in vfork (state D) for a child that sleeps for a minute; another works.
#include "target.h"

static DISTINCT void *work_beside(void *unused)
{
    for (;;)
        burn();
    return unused;
}

int main(void)
{
    start(work_beside, NULL, "beside");
    ready();
    for (;;) {
        pid_t child = vfork();
        if (child == 0) {
            struct timespec minute = {60, 0};
            nanosleep(&minute, NULL);
            _exit(0);
        }
    }
}
