// SPDX-License-Identifier: MIT
// recursion DEPTH: descends DEPTH times and spins at the bottom.
#include "target.h"

static volatile int depth_now;
static volatile bool enough; // never, but the compiler does not know

static void bottom(void)
{
    ready();
    while (!enough)
        burn();
}

static void descend(int depth)
{
    if (depth == 0)
        bottom();
    else
        descend(depth - 1);
    depth_now = depth; // after the call, so that it is no tail call
}

int main(int argc, char **argv)
{
    descend(argc > 1 ? atoi(argv[1]) : 3000);
}
