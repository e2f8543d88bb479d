// SPDX-License-Identifier: MIT
// Works in physics::Grid<double>::sweep until it is killed, nearly all the time in what is inlined
// into physics::settle.
#include <cstdio>

#include "grid.h"

static volatile double sink;

static __attribute__((noinline)) int churn(int rounds)
{
    physics::Grid<double> grid(2000);
    physics::Grid<float> other(20);
    other.sweep();
    sink = physics::settle(grid, rounds) + other.sum();
    return rounds < 1000 ? rounds + 1 : rounds;
}

int main()
{
    std::puts("ready");
    std::fflush(stdout);
    for (int rounds = 1;;)
        rounds = churn(rounds);
}
