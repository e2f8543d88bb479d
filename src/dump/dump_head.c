// SPDX-License-Identifier: MIT
// The beginning of a dump: which process it is of, how it was read, and which threads wait for each
// other.
#include <inttypes.h>

#include "base/escape.h"
#include "base/figures.h"
#include "dump/dump_printer.h"
#include "output/describe.h"

#define FRAMES_AT_LOCK 3

static void put_process(const struct dump_printer *printer)
{
    const struct dump *dump = printer->dump;
    char date[FIGURES_MOST];
    buf_printf(printer->out, "Process %d ", (int)dump->pid);
    dump_printer_quoted(printer, dump->comm);
    if (dump->exe) {
        buf_puts(printer->out, "  ");
        escape_text(printer->out, dump->exe);
    }
    buf_printf(printer->out, "  %s\n", figures_date(dump->wall, date));
}

static void put_numbers(const struct dump_printer *printer)
{
    const struct dump *dump = printer->dump;
    struct buf *out = printer->out;
    size_t unread = dump->count - dump->in_place - dump->held;
    buf_printf(out, "%zu thread%s: %zu read in place, ", dump->count, dump->count == 1 ? "" : "s",
               dump->in_place);
    if (dump->held) {
        buf_printf(out, "%zu stopped%s ", dump->held,
                   dump->together ? " together for" : dump->held == 1 ? " for"
                                                                      : " one by one, at most");
        dump_printer_duration(printer, dump->held_max);
    } else
        buf_puts(out, "none stopped");
    if (unread)
        buf_printf(out, ", %zu without a stack", unread);
    if (dump->repaired)
        buf_printf(out, "; %" PRIu64 " system calls restarted", dump->repaired);
    buf_putc(out, '\n');
    static const char *const kernels[] = {
        [DUMP_KERNEL_UNASKED] = "",
        [DUMP_KERNEL_READ] = "",
        [DUMP_KERNEL_DENIED] = "no frames of the kernel: they are root's to see\n",
        [DUMP_KERNEL_ABSENT] = "no frames of the kernel: it told of no thread here\n",
    };
    buf_puts(out, kernels[dump->kernel]);
    if (dump->executed)
        buf_puts(out, "it executed another program meanwhile: this is the new one\n");
    static const char *const ends[] = {
        [DUMP_COMPLETE] = "",
        [DUMP_TIMEOUT] = "incomplete: the time was over before all threads had been read\n",
        [DUMP_TARGET_ENDED] = "incomplete: the process ended while it was read\n",
        [DUMP_INTERRUPTED] = "incomplete: interrupted\n",
    };
    dump_printer_begin(printer, ROLE_BAD);
    buf_puts(out, ends[dump->end]);
    dump_printer_end(printer, ROLE_BAD);
}

// Prints the frames that ask for what the thread waits for: those behind the library that waits.
static void put_place(const struct dump_printer *printer, const struct dump_thread *thread)
{
    size_t leaf = 0;
    while (leaf < thread->frame_count && dump_in_kernel(&thread->frames[leaf]))
        leaf++;
    size_t at = leaf;
    while (at < thread->frame_count && thread->frames[at].module == thread->frames[leaf].module)
        at++;
    if (at == thread->frame_count)
        at = leaf;
    for (size_t i = at; i < thread->frame_count && i < at + FRAMES_AT_LOCK; i++) {
        if (i > at && thread->frames[i].module == thread->frames[leaf].module)
            return; // this is where the library starts threads
        for (size_t k = 0; k < thread->frames[i].symbol->line_count; k++) {
            buf_puts(printer->out, "      ");
            dump_printer_line(printer, &thread->frames[i], k);
        }
    }
}

static void put_member(const struct dump_printer *printer, size_t index)
{
    const struct dump_thread *thread = &printer->dump->threads[index];
    buf_printf(printer->out, "  %d ", (int)thread->tid);
    dump_printer_quoted(printer, thread->comm);
    dump_printer_state(printer, index, 0, thread->blocked_ns);
    buf_putc(printer->out, '\n');
    put_place(printer, thread);
}

static void put_verdict(const struct dump_printer *printer, const struct verdict *verdict)
{
    static const struct {
        const char *text;
        enum dump_role role;
    } kinds[] = {
        [VERDICT_CHAIN] = {"Longest chain of waiting", ROLE_THREAD},
        [VERDICT_DEADLOCK] = {"DEADLOCK", ROLE_BAD},
        [VERDICT_PROBABLE_DEADLOCK] = {"PROBABLE DEADLOCK", ROLE_BAD},
    };
    const struct dump *dump = printer->dump;
    bool circle = verdict->kind != VERDICT_CHAIN;
    dump_printer_begin(printer, kinds[verdict->kind].role);
    buf_printf(printer->out, "%s:", kinds[verdict->kind].text);
    for (size_t i = 0; i < verdict->count; i++)
        buf_printf(printer->out, "%s %d", i ? " ->" : "",
                   (int)dump->threads[verdict->chain[i]].tid);
    if (circle)
        buf_printf(printer->out, " -> %d", (int)dump->threads[verdict->chain[0]].tid);
    dump_printer_end(printer, kinds[verdict->kind].role);
    if (!circle)
        buf_printf(printer->out, ", for which %zu thread%s wait%s", verdict->waiting,
                   verdict->waiting == 1 ? "" : "s", verdict->waiting == 1 ? "s" : "");
    buf_putc(printer->out, '\n');
    for (size_t i = 0; i < verdict->count; i++)
        put_member(printer, verdict->chain[i]);
    buf_putc(printer->out, '\n');
}

void dump_printer_head(const struct dump_printer *printer)
{
    const struct dump *dump = printer->dump;
    put_process(printer);
    put_numbers(printer);
    buf_putc(printer->out, '\n');
    for (size_t i = 0; i < dump->verdict_count; i++)
        if (dump->verdicts[i].kind != VERDICT_NONE)
            put_verdict(printer, &dump->verdicts[i]);
}
