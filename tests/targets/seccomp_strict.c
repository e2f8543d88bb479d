// SPDX-License-Identifier: MIT
// seccomp's strict mode: any call but read, write and exit kills it.
#include "target.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>

static DISTINCT void work_strictly(void)
{
    for (;;)
        burn();
}

int main(void)
{
    ready();
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
        die("seccomp");
    work_strictly();
}
