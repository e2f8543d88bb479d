// SPDX-License-Identifier: MIT
#include "base/ascending.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

void ascending_sort(void *array, size_t count, size_t size)
{
    if (count)
        qsort(array, count, size, compare);
}

const void *ascending_last(const void *array, size_t count, size_t size, uint64_t number)
{
    const char *elements = array;
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (*(const uint64_t *)(const void *)(elements + middle * size) <= number)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? elements + (low - 1) * size : NULL;
}
