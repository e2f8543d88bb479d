// SPDX-License-Identifier: MIT
// deep_shallow DEPTH: takes turns, 5 ms of CPU time each, between a function that is called by main
// and one below DEPTH others. Prints the share of the deep one's CPU time at the end.
#include "target.h"

#define TURN (5 * MS)

static int64_t shallow_ns, deep_ns;
static volatile int depth_now;
static volatile bool over;

static DISTINCT void shallow(void)
{
    int64_t began = thread_cpu(), now;
    do
        burn();
    while ((now = thread_cpu()) - began < TURN);
    shallow_ns += now - began;
}

static DISTINCT void deep(void)
{
    int64_t began = thread_cpu(), now;
    do
        burn();
    while ((now = thread_cpu()) - began < TURN);
    deep_ns += now - began;
}

static DISTINCT void descend(int depth)
{
    if (depth)
        descend(depth - 1);
    else
        deep();
    depth_now = depth; // after the call, so that it is no tail call
}

static void end(int number)
{
    (void)number;
    over = true;
}

int main(int argc, char **argv)
{
    int depth = argc > 1 ? atoi(argv[1]) : 3000;
    signal(SIGTERM, end);
    ready();
    while (!over) {
        shallow();
        descend(depth);
    }
    printf("{\"deep\": %.6f}\n", (double)deep_ns / (double)(deep_ns + shallow_ns));
}
