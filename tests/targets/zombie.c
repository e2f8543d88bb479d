// SPDX-License-Identifier: MIT
// A child that has ended and is never waited for. Prints its pid before "ready".
#include "target.h"

#include <sys/wait.h>

int main(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    siginfo_t ended;
    if (waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT) != 0)
        die("waitid");
    printf("%d\n", (int)child);
    ready();
    for (;;)
        pause();
}
