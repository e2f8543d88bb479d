// SPDX-License-Identifier: MIT
// trace PID hold: traces the process without stopping it, prints "ready" and stays until killed.
// trace PID registers: prints its debug registers as a JSON list.
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what)
{
    perror(what);
    return 1;
}

static int print_registers(pid_t pid)
{
    if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) != 0 || waitpid(pid, NULL, __WALL) != pid)
        return fail("interrupt");
    for (size_t i = 0; i < 8; i++) {
        errno = 0;
        long value = ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, u_debugreg) + i * 8, 0);
        if (errno)
            return fail("peekuser");
        printf("%s%ld", i ? ", " : "[", value);
    }
    puts("]");
    return ptrace(PTRACE_DETACH, pid, 0, 0) != 0;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    pid_t pid = (pid_t)atol(argv[1]);
    if (ptrace(PTRACE_SEIZE, pid, 0, 0) != 0)
        return fail("seize");
    if (strcmp(argv[2], "registers") == 0)
        return print_registers(pid);
    puts("ready");
    fflush(stdout);
    for (;;)
        pause();
}
