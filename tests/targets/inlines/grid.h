// SPDX-License-Identifier: MIT
// Functions that are inlined into one another, in two files and a header.
#pragma once

#include <cstddef>
#include <vector>

#define INLINE inline __attribute__((always_inline))

namespace physics {

template <typename Number> class Grid {
  public:
    explicit Grid(std::size_t size) : cells(size, Number(1.5)) {}

    INLINE void sweep()
    {
        for (std::size_t i = 1; i < cells.size(); i++)
            relax(i);
    }

    Number sum() const;

  private:
    INLINE void relax(std::size_t i)
    {
        cells[i] = bounded(cells[i] * Number(0.5) + cells[i - 1]);
    }

    static INLINE Number bounded(Number value)
    {
        return value > Number(1e6) ? Number(1) / value : value;
    }

    std::vector<Number> cells;
};

extern template class Grid<double>;
extern template class Grid<float>;

double settle(Grid<double> &grid, int rounds);

} // namespace physics
