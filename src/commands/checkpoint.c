// SPDX-License-Identifier: MIT
#include "commands/checkpoint.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/memory_room.h"
#include "collect/session_report.h"
#include "commands/interrupts.h"
#include "commands/output_file.h"

#define LEFT_MAX 100               // checkpoints of killed runs beside one output
#define PATIENCE_NS (2ll * NS_PER_S) // how long a child may take to end after SIGTERM

static const char *volatile written; // path that the signal handler unlinks

void checkpoint_abandon(void)
{
    if (written)
        unlink(written);
}

// "profile.pb.gz" becomes "profile.partial.pb.gz", and then "profile.partial-2.pb.gz".
static char *name(const struct writer *writer, const char *output, int number)
{
    const char *ending = writer_ending(writer, output);
    AUTO_FREE char *suffix = number > 1 ? xasprintf("-%d", number) : xstrdup("");
    return xasprintf("%.*s.partial%s%s", (int)(ending - output), output, suffix, ending);
}

void checkpoint_init(struct checkpoint *checkpoint, const char *output, char **left)
{
    struct stat info;
    *left = NULL;
    checkpoint->next = clock_now() + checkpoint->every;
    for (int number = 1; output && number <= LEFT_MAX; number++) {
        AUTO_FREE char *path = name(checkpoint->writer, output, number);
        if (lstat(path, &info) != 0 && errno == ENOENT) {
            checkpoint->path = steal_ptr(&path);
            return;
        }
        if (!*left)
            *left = steal_ptr(&path);
    }
}

// This runs in the child, which goes on when the main process is killed, because then its file is
// all that is left.
static _Noreturn void write_one(const struct checkpoint *checkpoint)
{
    const struct sched_param none = {0};
    long long bytes;
    memory_offer(OOM_SCORE_FIRST);
    sched_setscheduler(0, SCHED_BATCH, &none);
    setpriority(PRIO_PROCESS, 0, 19);
    interrupts_let_kill(output_file_abandon);
    struct report report = session_live_report(checkpoint->session);
    const struct output_content content = {.writer = checkpoint->writer, .report = &report};
    enum rc rc = output_file_write(checkpoint->path, &content, &bytes, NULL);
    _exit(rc == RC_OK ? EXIT_SUCCESS : EXIT_FAILURE);
}

static bool is_writing(struct checkpoint *checkpoint)
{
    if (checkpoint->child && waitpid(checkpoint->child, NULL, WNOHANG) != 0)
        checkpoint->child = 0;
    return checkpoint->child;
}

void checkpoint_step(struct checkpoint *checkpoint)
{
    int64_t now = clock_now();
    if (is_writing(checkpoint) || !checkpoint->path || now < checkpoint->next)
        return;
    pid_t child = session_fork(checkpoint->session);
    if (child == 0)
        write_one(checkpoint);
    if (child < 0)
        return; // the next step tries again
    checkpoint->next = now + checkpoint->every;
    checkpoint->child = child;
    checkpoint->begun = true;
    written = checkpoint->path;
}

void checkpoint_stop(struct checkpoint *checkpoint)
{
    struct timespec moment = {.tv_nsec = NS_PER_MS};
    int64_t told = clock_now();
    if (is_writing(checkpoint))
        kill(checkpoint->child, SIGTERM);
    while (is_writing(checkpoint) && clock_now() - told < PATIENCE_NS)
        clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
    if (checkpoint->child)
        kill(checkpoint->child, SIGKILL); // it hangs in the file system and is not waited for
}

void checkpoint_fini(struct checkpoint *checkpoint, bool keep)
{
    checkpoint_stop(checkpoint);
    if (checkpoint->begun && !keep)
        unlink(checkpoint->path);
    written = NULL;
    free(steal_ptr(&checkpoint->path));
}
