// SPDX-License-Identifier: MIT
// Prints a dump in the grammar of Go's goroutine dumps: a header, then two lines a frame. Programs
// that read it accept a source file only by the endings that Go knows; any other file is "??".
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "dump/dump_print.h"

#define MINUTE_NS ((int64_t)60 * NS_PER_S)

// Returns Go's word for what the thread does, as far as one is true of it.
static const char *status_of(const struct dump_thread *thread, enum wait_kind kind)
{
    static const char *const words[] = {
        [WAIT_LOCK] = "semacquire",   [WAIT_CONDITION] = "semacquire",
        [WAIT_SEMAPHORE] = "semacquire", [WAIT_BARRIER] = "semacquire",
        [WAIT_JOIN] = "semacquire",   [WAIT_FUTEX] = "semacquire",
        [WAIT_POLL] = "select",       [WAIT_SOCKET] = "IO wait",
        [WAIT_PIPE] = "IO wait",      [WAIT_FILE] = "IO wait",
        [WAIT_SLEEP] = "sleep",
    };
    if (thread->running)
        return thread->queued ? "runnable" : "running";
    return (size_t)kind < ARRAY_LENGTH(words) && words[kind] ? words[kind] : "syscall";
}

static bool has_ending(const char *file)
{
    static const char *const endings[] = {".c", ".go", ".s"};
    const char *dot = strrchr(file, '.');
    for (size_t i = 0; dot && i < ARRAY_LENGTH(endings); i++)
        if (strcmp(dot, endings[i]) == 0)
            return true;
    return false;
}

static void put_line(struct buf *out, const struct dump_frame *frame, size_t line)
{
    const struct symbol_line *source = &frame->symbol->lines[line];
    bool known = has_ending(source->file);
    escape_text(out, source->name);
    buf_puts(out, "()\n\t");
    if (known)
        escape_text(out, source->file);
    else
        buf_puts(out, "??");
    buf_printf(out, ":%" PRIu32, known ? source->line : 0);
    if (line + 1 == frame->symbol->line_count)
        buf_printf(out, " +0x%" PRIx64,
                   (frame->symbol->found || frame->symbol->placed ? frame->symbol->offset
                                                                   : frame->offset) +
                       !frame->interrupted);
    buf_putc(out, '\n');
}

static void put_thread(struct buf *out, const struct dump *dump, size_t index,
                       const struct dump_style *style)
{
    const struct dump_thread *thread = &dump->threads[index];
    size_t shown = dump_depth(thread, style);
    buf_printf(out, "goroutine %d [%s", (int)thread->tid,
               status_of(thread, dump->waits[index].kind));
    if (thread->blocked_ns >= MINUTE_NS)
        buf_printf(out, ", %" PRId64 " minutes", thread->blocked_ns / MINUTE_NS);
    buf_puts(out, "]:\n");
    if (!thread->frame_count)
        buf_puts(out, "\tgoroutine running on other thread; stack unavailable\n");
    for (size_t i = 0; i < shown; i++)
        for (size_t k = 0; k < thread->frames[i].symbol->line_count; k++)
            put_line(out, &thread->frames[i], k);
    if (shown < thread->frame_count)
        buf_puts(out, "...additional frames elided...\n");
}

void dump_go(struct buf *out, const struct dump *dump, const struct dump_style *style)
{
    bool first = true;
    for (size_t i = 0; i < dump->count; i++) {
        if (!dump_shows(&dump->threads[i], style))
            continue;
        if (!first)
            buf_putc(out, '\n');
        first = false;
        put_thread(out, dump, i, style);
    }
}
