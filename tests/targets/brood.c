// SPDX-License-Identifier: MIT
// brood [PROGRAM PROGRAM]: has one child after the other, short ones and long ones in turn. A short
// one is on a CPU for 1.5 ms in brief(), a long one for 1 ms in opening() and then for 2.5 ms in
// closing(). With two programs (copies of this one) each child executes the first or the second
// one for that. At SIGTERM prints the CPU time of each function, and what the kernel charged to
// the children of both kinds: {"brief": ns, "opening": ns, "closing": ns, "short": ns, "long": ns}.
#include "target.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { BRIEF, OPENING, CLOSING, KINDS };

static int64_t *used; // ns of CPU time in each function, in memory that the children share

static DISTINCT void brief(int64_t until)
{
    while (thread_cpu() < until)
        burn();
}

static DISTINCT void opening(int64_t until)
{
    while (thread_cpu() < until)
        burn();
}

static DISTINCT void closing(int64_t until)
{
    while (thread_cpu() < until)
        burn();
}

static void measured(void (*work)(int64_t), int kind, int64_t ns)
{
    int64_t began = thread_cpu();
    work(began + ns);
    used[kind] += thread_cpu() - began;
}

static _Noreturn void live(bool is_short)
{
    if (is_short)
        measured(brief, BRIEF, 3 * MS / 2);
    else {
        measured(opening, OPENING, MS);
        measured(closing, CLOSING, 5 * MS / 2);
    }
    _exit(0);
}

static int64_t wait_for(pid_t child)
{
    struct rusage usage;
    if (wait4(child, NULL, 0, &usage) != child)
        die("wait4");
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * S +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * US;
}

static volatile sig_atomic_t ended;

static void end(int number)
{
    (void)number;
    ended = 1;
}

int main(int argc, char **argv)
{
    int memory = argc == 4 ? atoi(argv[3]) : memfd_create("used", 0);
    if (argc != 4 && ftruncate(memory, 4096) != 0)
        die("ftruncate");
    used = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (used == MAP_FAILED)
        die("mmap");
    if (argc == 4) // a child
        live(strcmp(argv[2], "short") == 0);
    signal(SIGTERM, end);
    ready();
    int64_t charged[2] = {0, 0};
    char text[16];
    snprintf(text, sizeof text, "%d", memory);
    for (int is_short = 0; !ended; is_short = !is_short) {
        pid_t child = fork();
        if (child < 0)
            die("fork");
        if (child == 0 && argc == 3)
            execl(argv[is_short ? 1 : 2], argv[0], "child", is_short ? "short" : "long", text,
                  NULL);
        if (child == 0)
            live(is_short);
        charged[is_short] += wait_for(child);
    }
    printf("{\"brief\": %lld, \"opening\": %lld, \"closing\": %lld, \"short\": %lld, "
           "\"long\": %lld}\n",
           (long long)used[BRIEF], (long long)used[OPENING], (long long)used[CLOSING],
           (long long)charged[1], (long long)charged[0]);
    return 0;
}
