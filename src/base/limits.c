// SPDX-License-Identifier: MIT
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"

static const struct limit {
    int errnum;
    __rlimit_resource_t resource;
    const char *what;   // "%llu %s"
    const char *remedy; // "raise it with %s"
    const char *without; // the text where the process has no limit of its own
    rlim_t unit;
} limits[] = {
    {EMFILE, RLIMIT_NOFILE, "open files", "ulimit -n, or LimitNOFILE= of a service", NULL, 1},
    {ENFILE, RLIMIT_NOFILE, "", "", "the machine has no more open files: raise fs.file-max", 1},
    {EFBIG, RLIMIT_FSIZE, "KiB a file", "ulimit -f, or LimitFSIZE= of a service",
     "the file system takes no larger file", 1024},
    {EAGAIN, RLIMIT_NPROC, "processes and threads of this user",
     "ulimit -u, or LimitNPROC= of a service; a control group may have a lower one (pids.max)",
     "a control group's limit of processes (pids.max), or the machine's", 1},
    {ENOMEM, RLIMIT_AS, "KiB of address space", "ulimit -v, or LimitAS= of a service",
     "memory is short", 1024},
};

static atomic_int noted;

static const struct limit *limit_of(int errnum)
{
    for (size_t i = 0; i < ARRAY_LENGTH(limits); i++)
        if (limits[i].errnum == errnum)
            return &limits[i];
    return NULL;
}

static rlim_t value_of(const struct limit *limit)
{
    struct rlimit now;
    return getrlimit(limit->resource, &now) == 0 ? now.rlim_cur : RLIM_INFINITY;
}

static void raise(__rlimit_resource_t resource)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(resource, &limit);
}

void limits_raise_files(void)
{
    raise(RLIMIT_NOFILE);
}

void limits_raise_file_size(void)
{
    raise(RLIMIT_FSIZE);
}

unsigned long limits_files(void)
{
    return value_of(limit_of(EMFILE));
}

static size_t left_of(__rlimit_resource_t resource, size_t used)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return SIZE_MAX;
    return limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

struct limits_memory limits_memory(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char text[256] = "";
    size_t all = 0, data = 0;
    AUTO_FD int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) <= 0 ||
        sscanf(text, "%zu %*u %*u %*u %*u %zu", &all, &data) != 2)
        return (struct limits_memory){0, SIZE_MAX};
    size_t in_space = left_of(RLIMIT_AS, all * page), in_data = left_of(RLIMIT_DATA, data * page);
    return (struct limits_memory){data * page, in_space < in_data ? in_space : in_data};
}

void limits_explain(struct err *err, int errnum)
{
    int saved = errno;
    const struct limit *limit = limit_of(errnum);
    rlim_t value = limit ? value_of(limit) : 0;
    if (limit && *limit->what && value != RLIM_INFINITY)
        err_add(err, "  the limit is %llu %s: raise it with %s",
                (unsigned long long)(value / limit->unit), limit->what, limit->remedy);
    else if (limit && limit->without)
        err_add(err, "  %s", limit->without);
    errno = saved;
}

enum rc limits_sys(struct err *err, enum rc rc, int errnum, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    err_sys(err, rc, errnum, "%s", text);
    limits_explain(err, errnum);
    return rc;
}

void limits_note(int errnum)
{
    int none = 0;
    if (limit_of(errnum))
        atomic_compare_exchange_strong(&noted, &none, errnum);
}

int limits_noted(void)
{
    return atomic_load(&noted);
}
