// SPDX-License-Identifier: MIT
#include "wait/call_text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "wait/descriptor.h"
#include "wait/file_lock.h"
#include "wait/syscall_form.h"
#include "wait/timeout.h"

#define PATH_SHOWN 512u
#define POLLED_SHOWN 4u
#define POLLED_MAX (1u << 20) // no process has more open files
#define SIGNALS_SHOWN 8
#define SIGNALS 64

struct call_writer {
    struct finder *finder;
    const struct wait_thread *thread;
    struct call_text *call;
    struct buf *out;
};

typedef void (*argument_writer)(struct call_writer *writer, const uint64_t *args);

static void put_fd(struct call_writer *writer, const uint64_t *args)
{
    buf_puts(writer->out, " on ");
    enum wait_kind kind =
        descriptor_put(writer->finder, (int)args[0], DESCRIPTOR_FULL, writer->out);
    if (writer->call->kind == WAIT_FILE)
        writer->call->kind = kind;
}

static void put_watched(struct call_writer *writer, size_t count, int fd)
{
    if (count >= POLLED_SHOWN)
        return;
    buf_puts(writer->out, count ? ", " : " on ");
    descriptor_put(writer->finder, fd, DESCRIPTOR_FULL, writer->out);
}

static void put_more(struct call_writer *writer, size_t count)
{
    if (count > POLLED_SHOWN)
        buf_printf(writer->out, " and %zu more", count - POLLED_SHOWN);
}

static void put_poll(struct call_writer *writer, const uint64_t *args)
{
    struct pollfd polled[64];
    size_t read = args[1] < ARRAY_LENGTH(polled) ? args[1] : ARRAY_LENGTH(polled), count = 0;
    if (!read || args[1] > POLLED_MAX ||
        !finder_read(writer->finder, args[0], polled, read * sizeof *polled))
        return;
    for (size_t i = 0; i < read; i++)
        if (polled[i].fd >= 0) // poll ignores entries with a negative fd
            put_watched(writer, count++, polled[i].fd);
    put_more(writer, count + (size_t)(args[1] - read));
}

static void put_select(struct call_writer *writer, const uint64_t *args)
{
    fd_set sets[3];
    size_t most = args[0] < FD_SETSIZE ? (size_t)args[0] : FD_SETSIZE, count = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(sets); i++) {
        FD_ZERO(&sets[i]);
        size_t length = (most + 63) / 64 * 8;
        if (args[i + 1] && !finder_read(writer->finder, args[i + 1], &sets[i], length))
            FD_ZERO(&sets[i]);
    }
    for (size_t fd = 0; fd < most; fd++)
        if (FD_ISSET(fd, &sets[0]) || FD_ISSET(fd, &sets[1]) || FD_ISSET(fd, &sets[2]))
            put_watched(writer, count++, (int)fd);
    put_more(writer, count);
}

// Reads page by page, because the path may end where its mapping ends.
static void put_path(struct call_writer *writer, const uint64_t *args)
{
    char path[PATH_SHOWN + 1] = "";
    size_t length = 0;
    while (length < PATH_SHOWN && !memchr(path, '\0', length)) {
        uint64_t address = args[0] + length;
        size_t part = 64 - address % 64;
        part = part < PATH_SHOWN - length ? part : PATH_SHOWN - length;
        if (!finder_read(writer->finder, address, path + length, part))
            break;
        length += part;
    }
    path[length] = '\0';
    if (!path[0])
        return;
    buf_puts(writer->out, " of \"");
    escape_text(writer->out, path);
    buf_putc(writer->out, '"');
}

static void put_directory(struct call_writer *writer, const uint64_t *args)
{
    char first;
    if ((int)args[0] == AT_FDCWD || !finder_read(writer->finder, args[1], &first, 1) ||
        first == '/')
        return;
    buf_puts(writer->out, " in ");
    descriptor_put(writer->finder, (int)args[0], DESCRIPTOR_BRIEF, writer->out);
}

static void put_timeout_ms(struct call_writer *writer, const uint64_t *args)
{
    writer->call->timed |= timeout_put_ms((int)args[0], writer->out);
}

static void put_timeout(struct call_writer *writer, const uint64_t *args)
{
    writer->call->timed |= timeout_put_relative(writer->finder, args[0], 1, writer->out);
}

static void put_timeout_micros(struct call_writer *writer, const uint64_t *args)
{
    writer->call->timed |= timeout_put_relative(writer->finder, args[0], NS_PER_US, writer->out);
}

static void put_sleep(struct call_writer *writer, const uint64_t *args)
{
    writer->call->timed |= timeout_put_sleep(writer->finder, args[0], CLOCK_MONOTONIC, false,
                                             writer->out);
}

static void put_clock_sleep(struct call_writer *writer, const uint64_t *args)
{
    writer->call->timed |= timeout_put_sleep(writer->finder, args[2], (int)args[0],
                                             args[1] & TIMER_ABSTIME, writer->out);
}

// The time of FUTEX_WAIT is relative, that of all other operations absolute. FUTEX_LOCK_PI uses
// CLOCK_REALTIME whatever the flag says.
static void put_futex_timeout(struct call_writer *writer, const uint64_t *args)
{
    uint64_t operation = args[0] & FUTEX_CMD_MASK;
    bool wall = operation == FUTEX_LOCK_PI || args[0] & FUTEX_CLOCK_REALTIME;
    if (!args[2])
        return;
    writer->call->timed |=
        operation == FUTEX_WAIT
            ? timeout_put_relative(writer->finder, args[2], 1, writer->out)
            : timeout_put_absolute(writer->finder, args[2],
                                   wall ? CLOCK_REALTIME : CLOCK_MONOTONIC, writer->out);
}

static void put_futex2_timeout(struct call_writer *writer, const uint64_t *args)
{
    if (args[0])
        writer->call->timed |=
            timeout_put_absolute(writer->finder, args[0], (int)args[1], writer->out);
}

static void put_process(struct call_writer *writer, pid_t pid)
{
    buf_puts(writer->out, " for ");
    if (writer->finder->same_namespace)
        finder_put_process(writer->finder, pid, writer->out);
    else
        buf_printf(writer->out, "%d of its PID namespace", pid);
}

// The new child is the last one in the list of children.
static void put_new_child(struct call_writer *writer, const uint64_t *args)
{
    AUTO_BUF struct buf text = {0};
    struct finder *finder = writer->finder;
    (void)args;
    if (procfs_read(&text, "%s/%d/task/%d/children", finder->proc, finder->process->pid,
                    writer->thread->tid) == RC_OK &&
        text.length) {
        while (text.length && text.data[text.length - 1] == ' ')
            text.data[--text.length] = '\0';
        const char *last = strrchr(text.data, ' ');
        buf_puts(writer->out, " of ");
        finder_put_process(finder, atoi(last ? last : text.data), writer->out);
    }
    buf_puts(writer->out, ", until it ends or runs a program");
}

static void put_child(struct call_writer *writer, const uint64_t *args)
{
    pid_t pid = (pid_t)args[0];
    if (pid > 0)
        put_process(writer, pid);
    else if (pid == -1)
        buf_puts(writer->out, " for any child");
    else if (pid)
        buf_printf(writer->out, " for any child of process group %lld", -(long long)pid);
    else
        buf_puts(writer->out, " for any child of its process group");
}

static void put_id(struct call_writer *writer, const uint64_t *args)
{
    if (args[0] == P_PID)
        put_process(writer, (pid_t)args[1]);
    else if (args[0] == P_PGID)
        buf_printf(writer->out, " for any child of process group %d", (int)args[1]);
    else if (args[0] == P_ALL)
        buf_puts(writer->out, " for any child");
    else
        put_fd(writer, args + 1);
}

static void put_signal_set(struct call_writer *writer, uint64_t set, const char *before)
{
    int count = __builtin_popcountll(set);
    if (count > SIGNALS_SHOWN) {
        buf_printf(writer->out, "%sany of %d signals", before, count);
        return;
    }
    for (int number = 1; number <= SIGNALS; number++) {
        if (!(set >> (number - 1) & 1))
            continue;
        const char *name = sigabbrev_np(number);
        if (name)
            buf_printf(writer->out, "%sSIG%s", before, name);
        else
            buf_printf(writer->out, "%ssignal %d", before, number);
        before = ", ";
    }
}

static void put_signals(struct call_writer *writer, const uint64_t *args)
{
    uint64_t set;
    if (finder_read(writer->finder, args[0], &set, sizeof set))
        put_signal_set(writer, set, " for ");
}

static void put_mask(struct call_writer *writer, const uint64_t *args)
{
    uint64_t set;
    if (finder_read(writer->finder, args[0], &set, sizeof set))
        put_signal_set(writer, ~set, " for ");
}

static void put_flock(struct call_writer *writer, const uint64_t *args)
{
    buf_puts(writer->out, args[0] & LOCK_EX ? ", exclusive" : ", shared");
    file_lock_put(writer->finder, writer->thread, writer->out);
}

static void put_fcntl(struct call_writer *writer, const uint64_t *args)
{
    if (args[0] != F_SETLKW && args[0] != F_OFD_SETLKW)
        return;
    buf_puts(writer->out, ", record lock");
    file_lock_put(writer->finder, writer->thread, writer->out);
}

static const argument_writer writers[] = {
    [ARG_FD] = put_fd,
    [ARG_EPOLL] = put_fd,
    [ARG_POLL] = put_poll,
    [ARG_SELECT] = put_select,
    [ARG_DIRECTORY] = put_directory,
    [ARG_PATH] = put_path,
    [ARG_TIMEOUT_MS] = put_timeout_ms,
    [ARG_TIMEOUT] = put_timeout,
    [ARG_TIMEOUT_MICROS] = put_timeout_micros,
    [ARG_SLEEP] = put_sleep,
    [ARG_CLOCK_SLEEP] = put_clock_sleep,
    [ARG_FUTEX] = put_futex_timeout,
    [ARG_FUTEX2] = put_futex2_timeout,
    [ARG_NEW_CHILD] = put_new_child,
    [ARG_CHILD] = put_child,
    [ARG_ID] = put_id,
    [ARG_SIGNALS] = put_signals,
    [ARG_MASK] = put_mask,
    [ARG_FLOCK] = put_flock,
    [ARG_FCNTL] = put_fcntl,
};

void call_text_make(struct finder *finder, const struct wait_thread *thread, const char *name,
                    struct call_text *call)
{
    static const struct syscall_form none = {NULL, WAIT_OTHER, {ARG_NONE}};
    const struct syscall_form *form = name ? syscall_form_find(name) : NULL;
    form = form ? form : &none;
    *call = (struct call_text){.kind = form->kind};
    struct call_writer writer = {finder, thread, call, &call->text};
    // Locks, semaphores and the like are described by what they are, not by the system call.
    if (!name)
        buf_printf(&call->text, "system call %ld", thread->call.number);
    else if (form->kind != WAIT_FUTEX)
        buf_puts(&call->text, name);
    for (size_t i = 0; i < SYSCALL_ARGUMENTS && form->arguments[i]; i++)
        if (writers[form->arguments[i]])
            writers[form->arguments[i]](&writer, &thread->call.args[i]);
}
