// SPDX-License-Identifier: MIT
#include "process/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"

#define FILE_LIMIT (256u << 20) // bytes: 65,530 mappings with 4,096-byte names

// maps escapes a newline as \012, and some kernels other bytes too: undoes three octal digits.
static void unescape_octal(char *text)
{
    char *to = text;
    for (const char *from = text; *from; to++) {
        unsigned a = (unsigned)(from[0] == '\\' ? from[1] - '0' : 9);
        unsigned b = a < 4 ? (unsigned)(from[2] - '0') : 9;
        unsigned c = b < 8 ? (unsigned)(from[3] - '0') : 9;
        bool escaped = c < 8;
        *to = escaped ? (char)(a << 6 | b << 3 | c) : *from;
        from += escaped ? 4 : 1;
    }
    *to = '\0';
}

// Returns 16 for what is no digit.
static inline unsigned digit_of(char byte)
{
    unsigned digit = (unsigned)(byte - '0'), letter = (unsigned)((byte | 0x20) - 'a');
    return digit < 10 ? digit : letter < 6 ? letter + 10 : 16;
}

static inline const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

// Takes a number that ends at the byte `end`; *at moves behind that and behind blanks. sscanf takes
// ten times as long, which is most of the work for a process of ten thousand mappings.
static bool take_number(const char **at, char end, uint64_t *number)
{
    const char *begin = *at, *here = begin;
    uint64_t value = 0;
    for (unsigned digit; (digit = digit_of(*here)) < 16; here++) {
        if (value >> 60)
            return false;
        value = value << 4 | digit;
    }
    if (here == begin || *here != end)
        return false;
    *number = value;
    *at = skip_blanks(here + 1);
    return true;
}

static bool parse_map_line(char *line, struct proc_map *map)
{
    const char *at = skip_blanks(line);
    uint64_t major_number, minor_number;
    *map = (struct proc_map){0};
    if (!take_number(&at, '-', &map->start) || !take_number(&at, ' ', &map->end))
        return false;
    for (int i = 0; i < 4; i++)
        if (!at[i] || at[i] == ' ')
            return false;
    if (at[4] != ' ')
        return false;
    map->readable = at[0] == 'r';
    map->writable = at[1] == 'w';
    map->executable = at[2] == 'x';
    map->shared = at[3] == 's';
    at = skip_blanks(at + 5);
    if (!take_number(&at, ' ', &map->offset) || !take_number(&at, ':', &major_number) ||
        !take_number(&at, ' ', &minor_number) || map->start >= map->end || digit_of(*at) > 9)
        return false;
    for (; digit_of(*at) <= 9; at++)
        map->inode = 10 * map->inode + digit_of(*at);
    map->device = makedev((unsigned)major_number, (unsigned)minor_number);
    map->path = line + (skip_blanks(at) - line);
    if (*map->path)
        unescape_octal(map->path);
    return true;
}

bool proc_map_parse(char **cursor, struct proc_map *map)
{
    while (**cursor) {
        char *line = *cursor, *newline = strchr(line, '\n');
        *cursor = newline ? newline + 1 : line + strlen(line);
        if (newline)
            *newline = '\0';
        if (parse_map_line(line, map))
            return true;
    }
    return false;
}

// The name may hold any byte, ')' and newline too. The other fields follow the last ')'.
bool proc_stat_parse(const char *text, struct proc_stat *stat)
{
    const char *open = strchr(text, '('), *close = strrchr(text, ')');
    if (!open || !close || close < open)
        return false;
    *stat = (struct proc_stat){.pid = (pid_t)strtol(text, NULL, 10)};
    size_t length = (size_t)(close - open - 1);
    if (length >= sizeof stat->comm)
        length = sizeof stat->comm - 1;
    memcpy(stat->comm, open + 1, length);
    unsigned flags;
    unsigned long long start_time, user, system;
    int got = sscanf(close + 1,
                     " %c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %llu %llu %*d %*d %ld "
                     "%*d %llu",
                     &stat->state, &stat->parent, &flags, &user, &system, &stat->threads,
                     &start_time);
    if (got != 7)
        return false;
    stat->flags = flags;
    stat->start_time = start_time;
    stat->children_ticks = user + system;
    return true;
}

bool proc_stat_has_ended(const struct proc_stat *stat)
{
    return stat->state == 'X' || (stat->state == 'Z' && stat->threads <= 1);
}

bool proc_stat_is_worker(const struct proc_stat *stat)
{
    const uint32_t io_worker = 0x10, user_worker = 0x4000; // PF_*, since Linux 5.12 and 6.4
    return stat->flags & (io_worker | user_worker);
}

enum status_kind {
    STATUS_NUMBER,
    STATUS_LAST_NUMBER,
    STATUS_FOUR,
    STATUS_LETTER,
    STATUS_HEX,
    STATUS_COUNT,
};

static const struct status_field {
    const char *name;
    enum status_kind kind;
    size_t offset;
} status_fields[] = {
    {"State:", STATUS_LETTER, offsetof(struct proc_status, state)},
    {"Tgid:", STATUS_NUMBER, offsetof(struct proc_status, tgid)},
    {"Pid:", STATUS_NUMBER, offsetof(struct proc_status, pid)},
    {"PPid:", STATUS_NUMBER, offsetof(struct proc_status, parent)},
    {"TracerPid:", STATUS_NUMBER, offsetof(struct proc_status, tracer)},
    {"Uid:", STATUS_FOUR, offsetof(struct proc_status, uid)},
    {"Gid:", STATUS_FOUR, offsetof(struct proc_status, gid)},
    {"NSpid:", STATUS_LAST_NUMBER, offsetof(struct proc_status, inner_pid)},
    {"Threads:", STATUS_NUMBER, offsetof(struct proc_status, threads)},
    {"CapEff:", STATUS_HEX, offsetof(struct proc_status, effective_caps)},
    {"Seccomp:", STATUS_NUMBER, offsetof(struct proc_status, seccomp)},
    {"voluntary_ctxt_switches:", STATUS_COUNT, offsetof(struct proc_status, waits)},
};

static void status_number(struct proc_status *status, const struct status_field *field, long value)
{
    if (field->offset == offsetof(struct proc_status, threads))
        status->threads = value;
    else
        *(int *)((char *)status + field->offset) = (int)value;
}

static void status_store(struct proc_status *status, const struct status_field *field,
                         const char *value)
{
    char *end;
    value += strspn(value, " \t");
    switch (field->kind) {
    case STATUS_LETTER:
        status->state = *value;
        break;
    case STATUS_HEX:
        status->effective_caps = strtoull(value, NULL, 16);
        break;
    case STATUS_COUNT:
        status->waits = strtoull(value, NULL, 10);
        break;
    case STATUS_FOUR:
        for (unsigned i = 0; i < 4; i++, value = end)
            ((unsigned *)((char *)status + field->offset))[i] = (unsigned)strtoul(value, &end, 10);
        break;
    case STATUS_NUMBER:
        status_number(status, field, strtol(value, NULL, 10));
        break;
    case STATUS_LAST_NUMBER:
        for (long n = strtol(value, &end, 10); end != value; n = strtol(value, &end, 10)) {
            status_number(status, field, n);
            status->levels++;
            value = end + strspn(end, " \t"); // a newline ends the list
            if (*value == '\n')
                break;
        }
        break;
    }
}

int proc_stat_cpu(const char *text)
{
    const char *at = strrchr(text, ')');
    for (int field = 2; at && field < 39; field++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    return at ? atoi(at) : -1;
}

bool proc_status_parse(const char *text, struct proc_status *status)
{
    *status = (struct proc_status){0};
    for (const char *line = text; line && *line;) {
        for (size_t i = 0; i < ARRAY_LENGTH(status_fields); i++) {
            size_t length = strlen(status_fields[i].name);
            if (strncmp(line, status_fields[i].name, length) == 0)
                status_store(status, &status_fields[i], line + length);
        }
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return status->tgid > 0;
}

bool schedstat_parse(const char *text, struct schedstat *stat)
{
    char *end;
    stat->run_ns = strtoull(text, &end, 10);
    if (end == text || *end != ' ')
        return false;
    stat->wait_ns = strtoull(end, &end, 10);
    if (*end != ' ')
        return false;
    stat->switches = strtoull(end, &end, 10);
    return *end == '\n' || *end == '\0';
}

bool proc_syscall_is_running(const char *text)
{
    return strncmp(text, "running", 7) == 0;
}

bool proc_syscall_parse(const char *text, struct proc_syscall *call)
{
    uint64_t values[8]; // arguments, sp, pc
    size_t count = 0;
    char *end;
    *call = (struct proc_syscall){.number = strtol(text, &end, 10)};
    if (end == text)
        return false;
    for (; count < ARRAY_LENGTH(values) && *end == ' '; count++)
        values[count] = strtoull(end, &end, 16);
    bool in_call = call->number >= 0;
    if (count != (in_call ? 8 : 2))
        return false;
    if (in_call)
        memcpy(call->args, values, sizeof call->args);
    call->sp = values[count - 2];
    call->pc = values[count - 1];
    return true;
}

static enum rc rc_of_errno(int errnum)
{
    switch (errnum) {
    case ENOENT:
    case ESRCH:
    case ENOTDIR:
        return RC_GONE;
    case EACCES:
    case EPERM:
        return RC_DENIED;
    default:
        return RC_IO;
    }
}

enum rc procfs_read(struct buf *buf, const char *path_format, ...)
{
    char path[256];
    va_list args;
    va_start(args, path_format);
    vsnprintf(path, sizeof path, path_format, args);
    va_end(args);
    buf_clear(buf);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        limits_note(errno);
        return rc_of_errno(errno);
    }
    enum rc rc = buf_read_fd(buf, fd, FILE_LIMIT);
    return rc == RC_IO ? rc_of_errno(errno) : rc;
}

enum rc procfs_stat(pid_t pid, pid_t tid, struct proc_stat *stat)
{
    AUTO_BUF struct buf text = {0};
    enum rc rc = procfs_read(&text, "/proc/%d/task/%d/stat", pid, tid);
    if (rc == RC_OK && !proc_stat_parse(text.data, stat))
        rc = RC_FORMAT;
    return rc;
}

enum rc procfs_schedstat(pid_t pid, pid_t tid, struct schedstat *stat)
{
    AUTO_BUF struct buf text = {0};
    enum rc rc = procfs_read(&text, "/proc/%d/task/%d/schedstat", pid, tid);
    if (rc == RC_OK && !schedstat_parse(text.data, stat))
        rc = RC_FORMAT;
    return rc;
}

enum rc procfs_status(pid_t tid, struct proc_status *status)
{
    AUTO_BUF struct buf text = {0};
    enum rc rc = procfs_read(&text, "/proc/%d/status", tid);
    if (rc == RC_OK && !proc_status_parse(text.data, status))
        rc = RC_FORMAT;
    return rc;
}

enum rc procfs_comm(pid_t pid, pid_t tid, char comm[COMM_MAX])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/comm", pid, tid);
    comm[0] = '\0';
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return rc_of_errno(errno);
    ssize_t got = read(fd, comm, COMM_MAX - 1);
    if (got < 0)
        return rc_of_errno(errno);
    if (got > 0 && comm[got - 1] == '\n')
        got--;
    comm[got] = '\0';
    return RC_OK;
}

enum rc procfs_each_number(int dirfd, void (*visit)(void *context, pid_t number), void *context)
{
    char entries[8192] __attribute__((aligned(8)));
    if (lseek(dirfd, 0, SEEK_SET) < 0)
        return rc_of_errno(errno);
    for (;;) {
        long got = syscall(SYS_getdents64, dirfd, entries, sizeof entries);
        if (got < 0)
            return rc_of_errno(errno);
        if (got == 0)
            return RC_OK;
        for (long at = 0; at < got;) {
            struct dirent64 *entry = (struct dirent64 *)(void *)(entries + at);
            at += entry->d_reclen;
            if (entry->d_name[0] > '0' && entry->d_name[0] <= '9')
                visit(context, (pid_t)strtol(entry->d_name, NULL, 10));
        }
    }
}
