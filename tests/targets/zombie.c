// SPDX-License-Identifier: MIT
// A child that has ended and is never waited for. Prints its pid before "ready".
#include "target.h"

int main(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    printf("%d\n", (int)child);
    ready();
    for (;;)
        pause();
}
