// SPDX-License-Identifier: MIT
#include "grid.h"

#include <numeric>

namespace physics {

template <typename Number> Number Grid<Number>::sum() const
{
    return std::accumulate(cells.begin(), cells.end(), Number(0));
}

template class Grid<double>;
template class Grid<float>;

namespace {

INLINE double damp(double value)
{
    return value - value * 0.125;
}

__attribute__((noinline)) double finish(Grid<double> &grid)
{
    return damp(damp(grid.sum()));
}

} // namespace

double settle(Grid<double> &grid, int rounds)
{
    for (int i = 0; i < rounds; i++)
        grid.sweep();
    return finish(grid);
}

} // namespace physics
