// SPDX-License-Identifier: MIT
// setuid_execs LOG: two programs in turn. Started by an ordinary user, it executes RAISED (in its
// environment), a setuid copy of itself; that notes in LOG whether it was raised ("1" or "0"),
// becomes the ordinary user again and executes ORDINARY. So it goes on until it is killed.
#include "target.h"

#include <sys/prctl.h>

static void note_and_lower(const char *path)
{
    char mark = geteuid() == 0 ? '1' : '0';
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0 || write(fd, &mark, 1) != 1)
        die(path);
    uid_t user = getuid();
    if (setresuid(user, user, user) != 0)
        die("setresuid");
}

int main(int argc, char **argv)
{
    bool raised = argc > 2 && strcmp(argv[2], "raised") == 0;
    if (argc < 2)
        return 1;
    if (argc == 2)
        ready();
    if (raised)
        note_and_lower(argv[1]);
    for (int64_t until = thread_cpu() + 2 * MS; thread_cpu() < until;)
        burn();
    char *next = getenv(raised ? "ORDINARY" : "RAISED");
    execl(next, argv[0], argv[1], raised ? "ordinary" : "raised", NULL);
    die(next);
}
