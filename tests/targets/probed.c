// SPDX-License-Identifier: MIT
// main calls outer, that calls probed, that calls inner, which works: for a return probe on
// `probed`.
#include "target.h"

DISTINCT void inner(void)
{
    for (int i = 0; i < 1000; i++)
        burn();
    __asm__ volatile("");
}

DISTINCT void probed(void)
{
    inner();
    __asm__ volatile("");
}

DISTINCT static void outer(void)
{
    probed();
    __asm__ volatile("");
}

int main(void)
{
    ready();
    for (;;)
        outer();
}
