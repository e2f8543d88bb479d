// SPDX-License-Identifier: MIT
// ptprof memory says what the memory of a process is used for.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "commands/command.h"
#include "commands/interrupts.h"
#include "heap/memory_print.h"
#include "process/permission.h"

#define WAIT_MS 3600000 // at once; then the time is looked at again

struct memory_options {
    bool json, pss, maps;
    int64_t watch; // ns; 0: one look
};

static const struct memory_options defaults = {0};

#define AT(field) .offset = offsetof(struct memory_options, field)

static const struct option memory_options[] = {
    {"json", 0, OPTION_FLAG, NULL, AT(json), .help = "print JSON, one document for each look"},
    {"watch", 'w', OPTION_DURATION, "TIME", AT(watch),
     .help = "look again and again, and say what has grown"},
    {"pss", 0, OPTION_FLAG, NULL, AT(pss),
     .help = "say what is shared with other processes too, by smaps: the process may have to wait "
             "meanwhile"},
    {"maps", 0, OPTION_FLAG, NULL, AT(maps),
     .help = "print each mapping, the most resident ones first; this is --pss, too"},
    {NULL},
};

struct memory_run {
    struct memory_options options;
    pid_t pid;
    struct memory_look *look;
    int signals;         // descriptor of commands/interrupts.h; -1 without --watch
    struct memory_style style;
    struct memory_use *first, *last; // of the same image
    int64_t began, last_at;          // CLOCK_MONOTONIC ns, of these looks
    bool closed;                     // the reader of standard output has closed it
};

// --- printing ---

// On a terminal a look replaces the one before. Elsewhere a line follows the first block.
static void put_look(struct memory_run *run, struct buf *text, const struct memory_use *use)
{
    AUTO_BUF struct buf whole = {0};
    bool screen = run->options.watch && terminal_is(STDOUT_FILENO);
    if (run->options.json) {
        memory_json(text, use, &run->style);
    } else if (screen) {
        memory_text(&whole, use, &run->style);
        terminal_put_screen(STDOUT_FILENO, &whole, text);
    } else if (run->style.last) {
        memory_line(text, use, &run->style);
    } else {
        memory_text(text, use, &run->style);
    }
}

static enum rc print_look(struct memory_run *run, const struct memory_use *use, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    put_look(run, &text, use);
    errno = 0;
    if (fwrite(text.data, 1, text.length, stdout) == text.length && fflush(stdout) == 0)
        return RC_OK;
    if (errno != EPIPE || run->signals < 0)
        return limits_sys(err, RC_IO, errno ? errno : EIO, "cannot write to standard output");
    run->closed = true;
    clearerr(stdout);
    return RC_OK;
}

// --- looks ---

static bool is_same_image(const struct memory_use *a, const struct memory_use *b)
{
    return a->image == b->image || !a->image || !b->image;
}

static void forget_looks(struct memory_run *run)
{
    if (run->last != run->first)
        memory_use_free(run->last);
    memory_use_free(run->first);
    run->first = run->last = NULL;
}

// Growth counts from the first look at a program.
static void compare(struct memory_run *run, const struct memory_use *use, int64_t now)
{
    if (run->last && !is_same_image(run->last, use)) {
        fprintf(stderr, "ptprof: %d has executed another program; growth counts from here\n",
                (int)run->pid);
        forget_looks(run);
    }
    if (!run->first)
        run->began = run->last_at = now;
    run->style.first = run->first;
    run->style.last = run->last;
    run->style.since_first = now - run->began;
    run->style.since_last = now - run->last_at;
    run->style.looks++;
}

static void keep(struct memory_run *run, struct memory_use *use, int64_t now)
{
    if (run->last != run->first)
        memory_use_free(run->last);
    run->last = use;
    if (!run->first)
        run->first = use;
    run->last_at = now;
}

// Without the permission for the mappings, what everybody may know is printed before that is said.
static enum rc look_once(struct memory_run *run, struct err *err)
{
    struct memory_use *use;
    int64_t now = clock_now();
    enum rc rc = memory_look_take(run->look, &use, err);
    if (rc != RC_OK)
        return rc;
    compare(run, use, now);
    rc = print_look(run, use, err);
    bool denied = use->denied;
    keep(run, use, now);
    return rc == RC_OK && denied ? permission_explain_reading(run->pid, EACCES, err) : rc;
}

// --- watching ---

// Returns false when a signal asks us to end, or nobody reads any more.
static bool wait_until(struct memory_run *run, int64_t due)
{
    struct pollfd fds[] = {{.fd = run->signals, .events = POLLIN}, {.fd = STDOUT_FILENO}};
    for (;;) {
        int number = interrupts_next(run->signals);
        if (number == SIGTSTP)
            interrupts_suspend();
        else if (number && number != SIGUSR1)
            return false;
        int64_t left_ms = (due - clock_now() + NS_PER_MS - 1) / NS_PER_MS;
        if (left_ms <= 0)
            return true;
        poll(fds, ARRAY_LENGTH(fds), (int)(left_ms < WAIT_MS ? left_ms : WAIT_MS));
        if (fds[1].revents & POLLERR)
            return false;
    }
}

static enum rc watch(struct memory_run *run, struct err *err)
{
    run->style.watching = true;
    if ((run->signals = interrupts_open()) < 0)
        return limits_sys(err, RC_FAIL, errno, "cannot take signals");
    for (int64_t due = clock_now();; due += run->options.watch) {
        enum rc rc = look_once(run, err);
        if (rc == RC_GONE && run->first) {
            *err = (struct err){0};
            fprintf(stderr, "ptprof: %d ended\n", (int)run->pid);
            return RC_OK;
        }
        if (rc != RC_OK || run->closed)
            return rc;
        int64_t now = clock_now();
        due = due + run->options.watch < now ? now - run->options.watch : due; // late: none made up
        if (!wait_until(run, due + run->options.watch))
            return RC_OK;
    }
}

static int memory_run(const struct call *call, struct err *err)
{
    struct memory_run run = {.options = *(const struct memory_options *)call->options,
                             .signals = -1};
    run.style.maps = run.options.maps;
    run.style.pss = run.options.pss || run.options.maps;
    struct memory_look_options look = {.pss = run.style.pss, .allocators = true};
    enum rc rc = command_pid(call->operands[0], &run.pid, err);
    if (rc == RC_OK)
        rc = memory_look_open(run.pid, &look, &run.look, err);
    if (rc == RC_OK)
        rc = run.options.watch ? watch(&run, err) : look_once(&run, err);
    forget_looks(&run);
    memory_look_close(run.look);
    cleanup_fd(&run.signals);
    return command_status(rc);
}

static const struct example examples[] = {
    {"ptprof memory 4242", "what the memory of process 4242 is used for"},
    {"ptprof memory 4242 --watch 2s", "what grows, and by how much"},
    {"ptprof memory 4242 --maps", "each mapping, the most resident ones first"},
    {NULL, NULL},
};

const struct command command_memory = {
    .name = "memory",
    .args = "PID",
    .summary = "say what the memory of a running process is used for",
    .operand = OPERAND_PID,
    .least = 1,
    .most = 1,
    .options = memory_options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .examples = examples,
    .run = memory_run,
};
