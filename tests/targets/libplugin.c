// SPDX-License-Identifier: MIT
// What `plugin` loads, built several times with another name for the function that works.
#include "target.h"

DISTINCT void WORKER(void)
{
    burn();
    __asm__ volatile(""); // no tail call
}

void plugin_work(void);
void plugin_work(void)
{
    for (;;)
        WORKER();
}
