// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/memory_room.h"
#include "commands/command.h"
#include "commands/output_file.h"

#define RESERVE (16u << 20) // bytes: what it takes to write a profile of ordinary size

// Bytes. Where even that is not free, we go before our target does.
#define MEMORY_LEAST (256ull << 20)

static const struct command *const commands[] = {
    &command_attach, &command_check, &command_completion, &command_config, &command_convert,
    &command_diff, &command_dump_threads, &command_fetch, &command_flamegraph, &command_heap,
    &command_help, &command_memory, &command_merge, &command_report, &command_serve, &command_top,
    &command_view, NULL,
};

// A setuid copy would let every user read the stacks of every process. AT_SECURE would say that
// too, but also of a copy with file capabilities, which an administrator may want (see ptprof(1),
// PERMISSIONS): there the ids are equal, so only they are looked at.
static enum rc refuse_setuid(struct err *err)
{
    if (getuid() == geteuid() && getgid() == getegid())
        return RC_OK;
    return err_set(err, RC_DENIED, "refusing to run setuid or setgid: it would let every user read "
                                   "the memory of others");
}

// A standard stream that is closed would give its number to a file of ours, and what is printed
// would land there. Opened the wrong way round, it fails as a closed one does.
static void occupy_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0) {
            int opened = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
            (void)opened; // the lowest number that is free: this one
        }
}

// Output that could not be written (a full disk) is an error like any other.
static int close_stdout(int status, struct err *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (!*err->text)
        limits_sys(err, RC_IO, errno, "cannot write to standard output");
    return status ? status : EXIT_FAILED;
}

static pid_t own_pid; // of the main process: what it forks has no file and no message of its own

// Nothing here may allocate.
static void end_without_memory(void)
{
    struct err err = {0};
    if (getpid() != own_pid)
        _exit(EXIT_FAILED);
    output_file_abandon();
    err_set(&err, RC_LIMIT, "out of memory");
    limits_explain(&err, ENOMEM);
    dprintf(STDERR_FILENO, "ptprof: %s\n", err.text);
    _exit(EXIT_FAILED);
}

int main(int argc, char **argv)
{
    (void)argc;
    occupy_standard_streams();
    limits_raise_files();
    own_pid = getpid();
    mem_at_end(end_without_memory);
    mem_keep_reserve(RESERVE);
    signal(SIGXFSZ, SIG_IGN); // too large a file is an error like a full disk
    signal(SIGCHLD, SIG_DFL); // ignored, a pid of ours could be somebody else's when we kill it
    setlocale(LC_CTYPE, ""); // numbers stay as in the C locale
    struct err err = {0};
    enum rc rc = refuse_setuid(&err);
    memory_offer(OOM_SCORE_NEXT);
    memory_bound(MEMORY_LEAST, UINT64_MAX);
    int status = rc ? command_status(rc) : command_main(commands, argv, &err);
    status = close_stdout(status, &err);
    if (*err.text)
        fprintf(stderr, "ptprof: %s\n", err.text);
    return status;
}
