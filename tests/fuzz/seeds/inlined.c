// SPDX-License-Identifier: MIT
// A little of everything that DWARF says of code; built in several forms as seeds.
struct pair {
    int first, second;
};

static inline __attribute__((always_inline)) int twice(int value)
{
    return value * 2;
}

static inline __attribute__((always_inline)) int both(struct pair pair)
{
    int sum = twice(pair.first);
    for (int i = 0; i < pair.second; i++) {
        int part = twice(sum) ^ i;
        sum += part;
    }
    return sum;
}

int entry(int count)
{
    return both((struct pair){count, twice(count)});
}

int other(int count)
{
    return count ? entry(count - 1) + both((struct pair){1, count}) : 0;
}
