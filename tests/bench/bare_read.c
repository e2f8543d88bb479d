// SPDX-License-Identifier: MIT
// bare_read PID [all]: of each thread that sleeps the system calls without which nobody reads its
// stack in place, and nothing else: where it sleeps, the top of its stack, and before and after
// whether it ran. With `all` also its name and state, and since when it sleeps. What a dump costs
// at least.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define STACK_BYTES 65536

static char text[4096], stack[STACK_BYTES];

static int open_file(int tasks, const char *tid, const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", tid, name);
    return openat(tasks, path, O_RDONLY | O_CLOEXEC);
}

static void read_open(int fd)
{
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = '\0';
}

static void read_file(int tasks, const char *tid, const char *name)
{
    int fd = open_file(tasks, tid, name);
    read_open(fd);
    close(fd);
}

// The last but one of the numbers.
static unsigned long stack_pointer(void)
{
    char *end = strrchr(text, ' ');
    if (!end)
        return 0;
    *end = '\0';
    char *last = strrchr(text, ' ');
    return last ? strtoul(last, NULL, 16) : 0;
}

static void read_thread(int tasks, const char *tid, int all)
{
    int fd = open_file(tasks, tid, "schedstat");
    read_open(fd);
    if (all)
        read_file(tasks, tid, "stat");
    read_file(tasks, tid, "syscall");
    unsigned long sp = stack_pointer();
    struct iovec here = {stack, sizeof stack}, there = {(void *)sp, sizeof stack};
    process_vm_readv(atoi(tid), &here, 1, &there, 1, 0);
    if (all)
        read_file(tasks, tid, "sched");
    read_open(fd);
    close(fd);
}

int main(int argc, char **argv)
{
    char path[64];
    if (argc < 2)
        return 2;
    snprintf(path, sizeof path, "/proc/%s/task", argv[1]);
    DIR *tasks = opendir(path);
    if (!tasks)
        return 1;
    for (struct dirent *entry; (entry = readdir(tasks));)
        if (entry->d_name[0] != '.')
            read_thread(dirfd(tasks), entry->d_name, argc > 2);
    closedir(tasks);
    return 0;
}
