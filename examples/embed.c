/* SPDX-License-Identifier: MIT */
/* Profiles a process for two seconds with libptprof and prints where its CPU time went, what its
 * threads waited for, and by how much its memory grew.
 *
 *     cc embed.c $(pkg-config --cflags --libs ptprof) && ./a.out PID
 */
#include <ptprof/ptprof.h>

#include <stdlib.h>

static int fail(const char *message)
{
    fprintf(stderr, "embed: %s\n", message);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct ptprof_session *session;
    struct ptprof_options options = {.size = sizeof options, .rate = 199, .types = "cpu,block"};
    char error[1024];
    pid_t pid = argc > 1 ? (pid_t)atoi(argv[1]) : 0;
    struct ptprof_memory before = {.size = sizeof before}, after = {.size = sizeof after};

    if (ptprof_open(&pid, 1, &options, &session, error, sizeof error) != PTPROF_OK)
        return fail(error);
    int known = ptprof_memory(pid, 0, &before, NULL, 0) == PTPROF_OK;
    int failed = ptprof_run(session, 2.0) != PTPROF_OK ||
                 ptprof_write_type(session, "cpu", "text", stdout) != PTPROF_OK ||
                 ptprof_write_type(session, "block", "text", stdout) != PTPROF_OK;
    if (failed)
        fail(ptprof_error(session));
    if (known && ptprof_memory(pid, 0, &after, NULL, 0) == PTPROF_OK)
        printf("resident: %llu KiB, %lld KiB more than before\n",
               (unsigned long long)after.rss / 1024,
               ((long long)after.rss - (long long)before.rss) / 1024);
    ptprof_close(session);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
