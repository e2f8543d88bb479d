// SPDX-License-Identifier: MIT
// census PID FORMAT FILE [SECONDS]: writes the census of a process as users of libptprof do.
#include <ptprof/ptprof.h>

#include <stdlib.h>

int main(int argc, char **argv)
{
    static const char *const results[] = {"ok", "failed", "usage", "gone", "denied"};
    struct ptprof_census_options options = {.size = sizeof options};
    char error[1024];
    FILE *file = argc > 3 ? fopen(argv[3], "w") : NULL;
    if (!file)
        return 2;
    options.seconds = argc > 4 ? atof(argv[4]) : 0;
    enum ptprof_result result = ptprof_census((pid_t)atoi(argv[1]), argc > 4 ? &options : NULL,
                                              argv[2], file, error, sizeof error);
    fclose(file);
    if (result != PTPROF_OK)
        fprintf(stderr, "%s: %s\n", results[result], error);
    return result != PTPROF_OK || *error;
}
