// SPDX-License-Identifier: MIT
// A computation of several threads whose result is always the same: integers, floating point,
// memory and messages through pipes. Prints one line for each round, the same every time, for ever.
#include "target.h"

#define WORKERS 4
#define STEPS 200
#define WORDS 4096

static int pipes[WORKERS][2]; // worker i reads from [i] and writes to the next one

static uint64_t compute(uint64_t seed)
{
    static _Thread_local uint64_t memory[WORDS];
    double real = 1.0 + (double)(seed % 1000) / 1000.0;
    for (int i = 0; i < WORDS; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        memory[(seed >> 8) % WORDS] += seed;
        real = real * 1.0000001 + 1.0 / (double)(1 + (seed & 0xff));
    }
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    for (int i = 0; i < WORDS; i++)
        bits = bits * 31 + memory[i];
    memset(memory, 0, sizeof memory);
    return bits;
}

static void get(int fd, uint64_t *value)
{
    if (read(fd, value, sizeof *value) != sizeof *value)
        die("checksum: read");
}

static void put(int fd, uint64_t value)
{
    if (write(fd, &value, sizeof value) != sizeof value)
        die("checksum: write");
}

// Each worker computes at once, then adds what its neighbour says.
static void *worker(void *index)
{
    intptr_t me = (intptr_t)index;
    for (;;) {
        uint64_t value = (uint64_t)me + 1, from_neighbour;
        for (int step = 0; step < STEPS; step++) {
            value = compute(value);
            put(pipes[(me + 1) % WORKERS][1], value);
            get(pipes[me][0], &from_neighbour);
            value = value * 7 + from_neighbour;
        }
        if (me == 0) {
            printf("%016llx\n", (unsigned long long)value);
            fflush(stdout);
        }
    }
    return NULL;
}

int main(void)
{
    for (int i = 0; i < WORKERS; i++)
        if (pipe(pipes[i]) != 0)
            die("pipe");
    ready();
    for (intptr_t i = 1; i < WORKERS; i++)
        start(worker, (void *)i, "worker");
    worker(NULL);
}
