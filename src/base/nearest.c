// SPDX-License-Identifier: MIT
#include "base/nearest.h"

#include <string.h>

#define LONGEST 64 // bytes that are compared
#define NEAR(length) (1 + (length) / 3) // edits at most, for a word of that length

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

// A row of the table for each byte of `a`: how far what was read of it is from beginnings of `b`.
static unsigned distance(const char *a, const char *b)
{
    unsigned rows[3][LONGEST + 1];
    size_t lengths[] = {strnlen(a, LONGEST), strnlen(b, LONGEST)};
    for (unsigned k = 0; k <= lengths[1]; k++)
        rows[0][k] = k;
    for (unsigned i = 1; i <= lengths[0]; i++) {
        unsigned *row = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        row[0] = i;
        for (unsigned k = 1; k <= lengths[1]; k++) {
            unsigned replaced = before[k - 1] + (a[i - 1] != b[k - 1]);
            row[k] = least(least(row[k - 1], before[k]) + 1, replaced);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                row[k] = least(row[k], earlier[k - 2] + 1);
        }
    }
    return rows[lengths[0] % 3][lengths[1]];
}

const char *nearest_name(const char *word, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    unsigned best = NEAR((unsigned)strnlen(word, LONGEST)) + 1;
    for (size_t i = 0; i < count; i++) {
        unsigned edits = distance(word, names[i]);
        if (edits < best) {
            best = edits;
            nearest = names[i];
        }
    }
    return nearest;
}
