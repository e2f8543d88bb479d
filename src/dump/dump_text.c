// SPDX-License-Identifier: MIT
#include "dump/dump_print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/figures.h"
#include "base/mem.h"
#include "dump/dump_printer.h"

#define NAME_WIDTH 48 // columns; a longer name moves the rest of the line to the right
#define MODULE_WIDTH 24

static const char *const colors[] = {
    [ROLE_NONE] = "",           [ROLE_THREAD] = "\033[1;33m", [ROLE_FUNCTION] = "\033[32m",
    [ROLE_FILE] = "\033[36m",   [ROLE_DIM] = "\033[2m",       [ROLE_BAD] = "\033[1;31m",
};

bool dump_shows(const struct dump_thread *thread, const struct dump_style *style)
{
    return thread->wanted && (!style->repeated || thread->changed);
}

size_t dump_depth(const struct dump_thread *thread, const struct dump_style *style)
{
    return style->depth && style->depth < thread->frame_count ? style->depth
                                                              : thread->frame_count;
}

void dump_printer_begin(const struct dump_printer *printer, enum dump_role role)
{
    if (printer->style->color)
        buf_puts(printer->out, colors[role]);
}

void dump_printer_end(const struct dump_printer *printer, enum dump_role role)
{
    if (printer->style->color && role != ROLE_NONE)
        buf_puts(printer->out, "\033[0m");
}

// Prints a cell, padded when columns are aligned and another cell follows.
static void put_cell(const struct dump_printer *printer, enum dump_role role, const char *text,
                     int width)
{
    dump_printer_begin(printer, role);
    buf_puts(printer->out, text);
    dump_printer_end(printer, role);
    int missing = width - escape_columns(text);
    if (missing > 0)
        buf_printf(printer->out, "%*s", missing, "");
}

void dump_printer_quoted(const struct dump_printer *printer, const char *raw)
{
    buf_putc(printer->out, '"');
    escape_text(printer->out, raw);
    buf_putc(printer->out, '"');
}

// --- frames ---

// Make the cells of one line: frames of inlined functions share a pc.
static void name_cell(struct buf *cell, const struct dump_frame *frame, size_t line)
{
    const struct symbol *symbol = frame->symbol;
    buf_clear(cell);
    bool last = line + 1 == symbol->line_count;
    if (!symbol->found && !symbol->placed && last) {
        buf_printf(cell, "0x%016" PRIx64, frame->pc);
        return;
    }
    escape_text(cell, symbol->lines[line].name);
    if (!last)
        buf_puts(cell, " (inlined)");
    else
        buf_printf(cell, "+0x%" PRIx64, symbol->offset + !frame->interrupted);
}

static void module_cell(struct buf *cell, const struct dump_frame *frame)
{
    buf_clear(cell);
    if (frame->module)
        escape_text(cell, frame->module->name);
    else
        buf_puts(cell, "[not mapped]");
    if (!frame->symbol->found && frame->module && frame->module->kind == MODULE_FILE)
        buf_printf(cell, "+0x%" PRIx64, frame->offset + !frame->interrupted);
}

static void put_details(const struct dump_printer *printer, const struct dump_frame *frame)
{
    char build_id[2 * BUILD_ID_MAX + 1] = "";
    if (frame->module && frame->module->image)
        image_build_id_hex(frame->module->image, build_id);
    dump_printer_begin(printer, ROLE_DIM);
    buf_printf(printer->out, " pc 0x%" PRIx64, frame->pc);
    if (frame->sp)
        buf_printf(printer->out, " sp 0x%" PRIx64, frame->sp);
    if (*build_id)
        buf_printf(printer->out, " build id %s", build_id);
    dump_printer_end(printer, ROLE_DIM);
}

static void put_new_line(const struct dump_printer *printer, const struct dump_frame *frame,
                         size_t line)
{
    AUTO_BUF struct buf cell = {0};
    const struct symbol_line *source = &frame->symbol->lines[line];
    bool last = line + 1 == frame->symbol->line_count;
    bool details = printer->style->verbose && last && !dump_in_kernel(frame);
    bool more = source->file[0] || details;
    name_cell(&cell, frame, line);
    put_cell(printer, ROLE_FUNCTION, cell.data, printer->name_width);
    buf_putc(printer->out, ' ');
    module_cell(&cell, frame);
    put_cell(printer, ROLE_NONE, cell.data, more ? printer->module_width : 0);
    if (source->file[0]) {
        buf_clear(&cell);
        escape_text(&cell, source->file);
        if (source->line)
            buf_printf(&cell, ":%" PRIu32, source->line);
        buf_putc(printer->out, ' ');
        put_cell(printer, ROLE_FILE, cell.data, 0);
    }
    if (details)
        put_details(printer, frame);
    buf_putc(printer->out, '\n');
}

void dump_printer_line(const struct dump_printer *printer, const struct dump_frame *frame,
                     size_t line)
{
    size_t at = printer->out->length;
    bool differs = printer->style->verbose; // the stack pointer is printed too
    if (!differs && dump_lines_repeat(printer->lines, printer->out, frame, line))
        return;
    put_new_line(printer, frame, line);
    if (!differs)
        dump_lines_note(printer->lines, printer->out, frame, line, at);
}

static void put_end(const struct dump_printer *printer, const struct dump_thread *thread,
                    size_t shown)
{
    if (shown < thread->frame_count) {
        size_t more = thread->frame_count - shown;
        buf_printf(printer->out, "     %zu more frame%s\n", more, more == 1 ? "" : "s");
        return;
    }
    if (thread->end == UNWIND_BOTTOM || !thread->frame_count)
        return;
    const struct dump_frame *last = &thread->frames[thread->frame_count - 1];
    bool unread = thread->end == UNWIND_NO_INFO || thread->end == UNWIND_BAD_READ;
    bool told = unread && last->module && !last->module->image && last->module->problem;
    bool stop_helps = thread->end == UNWIND_NO_REGISTER && thread->state != 'D';
    buf_printf(printer->out, "     stack cut: %s at 0x%" PRIx64 "%s\n",
               told ? last->module->problem : unwind_end_texts[thread->end], last->pc,
               stop_helps ? "; --stop-cut would tell" : "");
}

void dump_printer_frames(const struct dump_printer *printer, const struct dump_thread *thread)
{
    size_t number = 0, shown = dump_depth(thread, printer->style);
    for (size_t i = 0; i < shown; i++) {
        for (size_t k = 0; k < thread->frames[i].symbol->line_count; k++) {
            dump_printer_begin(printer, ROLE_DIM);
            buf_printf(printer->out, " #%-2zu", number++);
            dump_printer_end(printer, ROLE_DIM);
            buf_puts(printer->out, printer->name_width ? "  " : " ");
            dump_printer_line(printer, &thread->frames[i], k);
        }
    }
    put_end(printer, thread, shown);
    if (thread->problem != DUMP_FINE)
        buf_printf(printer->out, "     %s\n", dump_problem_texts[thread->problem]);
}

// --- what a thread does ---

static const char *state_text(const struct dump_thread *thread)
{
    static const struct {
        char state;
        const char *text;
    } states[] = {
        {'S', "sleeping"},        {'D', "in uninterruptible sleep"},
        {'T', "stopped"},         {'t', "stopped by its tracer"},
        {'Z', "ended"},           {'X', "ended"},
        {'I', "idle"},
    };
    if (thread->running)
        return thread->queued ? "waiting for a CPU" : "running";
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++)
        if (states[i].state == thread->state)
            return states[i].text;
    return "in an unknown state";
}

static void put_state(const struct dump_printer *printer, size_t index)
{
    const struct dump_thread *thread = &printer->dump->threads[index];
    const struct wait *wait = &printer->dump->waits[index];
    bool runnable = wait->kind == WAIT_NONE || wait->kind == WAIT_CPU;
    const char *text = runnable ? NULL : wait->text;
    buf_printf(printer->out, "  %c %s", thread->state, text ? text : state_text(thread));
}

void dump_printer_duration(const struct dump_printer *printer, int64_t ns)
{
    char text[FIGURES_MOST];
    buf_puts(printer->out, figures_duration(ns, text));
}

static void put_blocked(const struct dump_printer *printer, int64_t blocked_ns)
{
    if (!blocked_ns)
        return;
    buf_puts(printer->out, ", at least ");
    dump_printer_duration(printer, blocked_ns);
}

void dump_printer_state(const struct dump_printer *printer, size_t index, size_t others,
                        int64_t blocked_ns)
{
    put_state(printer, index);
    if (others)
        buf_printf(printer->out, " (and %zu more like it)", others);
    put_blocked(printer, blocked_ns);
}

void dump_printer_cpu(const struct dump_printer *printer, uint64_t cpu_ns)
{
    buf_puts(printer->out, "  cpu ");
    dump_printer_duration(printer, (int64_t)cpu_ns);
}

void dump_printer_thread(const struct dump_printer *printer, size_t index)
{
    const struct dump_thread *thread = &printer->dump->threads[index];
    struct buf *out = printer->out;
    dump_printer_begin(printer, ROLE_THREAD);
    buf_printf(out, "Thread %d", (int)thread->tid);
    dump_printer_end(printer, ROLE_THREAD);
    buf_putc(out, ' ');
    dump_printer_quoted(printer, thread->comm);
    if (thread->tid == printer->dump->pid)
        buf_puts(out, " (main)");
    dump_printer_state(printer, index, 0, thread->blocked_ns);
    dump_printer_cpu(printer, thread->cpu_ns);
    buf_putc(out, '\n');
    dump_printer_frames(printer, thread);
    buf_putc(out, '\n');
}

// --- the whole dump ---

static void widen(int *width, const char *text, int most)
{
    int own = escape_columns(text);
    if (own > *width && own <= most)
        *width = own;
}

static void align(struct dump_printer *printer)
{
    AUTO_BUF struct buf cell = {0};
    for (size_t i = 0; i < printer->dump->count; i++) {
        const struct dump_thread *thread = &printer->dump->threads[i];
        size_t shown = dump_shows(thread, printer->style) ? dump_depth(thread, printer->style) : 0;
        for (size_t k = 0; k < shown; k++) {
            for (size_t line = 0; line < thread->frames[k].symbol->line_count; line++) {
                name_cell(&cell, &thread->frames[k], line);
                widen(&printer->name_width, cell.data, NAME_WIDTH);
            }
            module_cell(&cell, &thread->frames[k]);
            widen(&printer->module_width, cell.data, MODULE_WIDTH);
        }
    }
    printer->name_width++; // one more for two spaces between columns
    printer->module_width++;
}

static void put_threads(const struct dump_printer *printer)
{
    for (size_t i = 0; i < printer->dump->count; i++)
        if (dump_shows(&printer->dump->threads[i], printer->style))
            dump_printer_thread(printer, i);
}

void dump_text(struct buf *out, const struct dump *dump, const struct dump_style *style)
{
    struct dump_lines lines = {0};
    struct dump_printer printer = {.out = out, .dump = dump, .style = style, .lines = &lines};
    if (style->aligned)
        align(&printer);
    dump_printer_head(&printer);
    if (style->group)
        dump_printer_groups(&printer);
    else
        put_threads(&printer);
    dump_lines_fini(&lines);
}
