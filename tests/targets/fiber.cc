// SPDX-License-Identifier: MIT
// Works in a fiber of Boost: its stack begins with what make_fcontext put there.
#include <boost/context/fiber.hpp>
#include <cstdint>
#include <cstdio>

static volatile uint64_t sink;

__attribute__((noinline)) static void work(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        sink = sink + i * 2654435761u;
    asm volatile("");
}

__attribute__((noinline)) static void deeper(int depth)
{
    if (depth)
        deeper(depth - 1);
    else
        work(300000);
    asm volatile("");
}

int main()
{
    boost::context::fiber worker([](boost::context::fiber &&back) {
        for (;;) {
            deeper(5);
            back = std::move(back).resume();
        }
        return std::move(back);
    });
    std::puts("ready");
    std::fflush(stdout);
    for (;;)
        worker = std::move(worker).resume();
}
