// SPDX-License-Identifier: MIT
// embedded PID [LISTEN]: a server by the library; it prints where it is or what is wrong, and ends
// at the end of its input. Prints what stopping it came to, and how many descriptors were left.
#include <ptprof/ptprof.h>

#include <dirent.h>
#include <stdlib.h>

static int count_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;
    while (directory && readdir(directory))
        count++;
    if (directory)
        closedir(directory);
    return count;
}

int main(int argc, char **argv)
{
    pid_t pid = argc > 1 ? (pid_t)atoi(argv[1]) : 0;
    const struct ptprof_serve_options options = {
        .size = sizeof options,
        .pids = &pid,
        .pid_count = 1,
        .listen = argc > 2 ? argv[2] : "127.0.0.1:0",
    };
    struct ptprof_server *server;
    char error[1024];
    int before = count_descriptors();
    enum ptprof_result result = ptprof_serve_start(&options, &server, error, sizeof error);
    if (result != PTPROF_OK) {
        printf("failed %d: %s\n", result, error);
        return EXIT_FAILURE;
    }
    printf("%s\n", ptprof_serve_address(server));
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    result = ptprof_serve_stop(server);
    printf("stopped %d, %d\n", result, count_descriptors() - before);
    return EXIT_SUCCESS;
}
