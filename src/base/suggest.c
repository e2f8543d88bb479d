// SPDX-License-Identifier: MIT
#include "base/suggest.h"

#include <string.h>

#define LONGEST_WORD 32

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Returns the optimal string alignment distance: an insertion, a deletion, a substitution, and a
// transposition of neighbours count 1 each.
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][LONGEST_WORD + 1]; // distances of prefixes of a: the last two rows and this one
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = least(before[j] + 1, row[j - 1] + 1);
            row[j] = least(row[j], before[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], earlier[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

struct suggestion suggestion_for(const char *word)
{
    return (struct suggestion){.word = word, .distance = (strlen(word) + 2) / 3 + 1};
}

void suggestion_consider(struct suggestion *suggestion, const char *candidate)
{
    size_t length = strlen(suggestion->word), candidate_length = strlen(candidate);
    if (length > LONGEST_WORD || candidate_length > LONGEST_WORD)
        return;
    size_t distance =
        edit_distance(suggestion->word, length, candidate, candidate_length);
    if (length > 1 && strncmp(suggestion->word, candidate, length) == 0)
        distance = 1; // a prefix counts like a name with one mistake
    if (distance < suggestion->distance) {
        suggestion->distance = distance;
        suggestion->best = candidate;
    }
}
